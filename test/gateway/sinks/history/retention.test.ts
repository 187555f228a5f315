import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemDisk } from '../../../../gateway/base/system-disk.ts';
import type { Clock } from '../../../../gateway/core/clock.ts';
import { HistorySink, type HistorySinkOptions } from '../../../../gateway/sinks/history/history.ts';
import { recordingLogger } from '../../../recording-logger.ts';
import { aggregate, alarm, seriesOf, T0 } from '../results.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const signal = new AbortController().signal;

describe('levels of the history', () => {
  let folder: string;
  let now: number;
  let sink: HistorySink;
  const clock: Clock = { now: () => now, monotonicMs: () => now, sleep: async () => {} };
  const { key } = aggregate().series;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headgate-levels-'));
    now = T0;
  });
  afterEach(async () => {
    await sink.stop(signal);
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(options: Partial<HistorySinkOptions>): Promise<void> {
    sink = new HistorySink(
      { path: join(folder, 'history.db'), sync: false, ...options },
      { clock, logger: recordingLogger(), disk: systemDisk },
    );
    await sink.start(signal);
  }
  const resultOf = (window: string, sizeMs: number, at: number) => aggregate({ window, start: at - sizeMs, end: at });
  /** Passes some hours, with a minute's result each so often, and writes what ends hour by hour. */
  async function pass(ms: number, everyMs: number): Promise<void> {
    for (const end = now + ms; now < end; now += HOUR) {
      const hour = now + HOUR;
      const minutes = Array.from({ length: HOUR / everyMs }, (_, i) =>
        resultOf('minute', MINUTE, now + (i + 1) * everyMs),
      );
      const day = hour % DAY === 0 ? [resultOf('day', DAY, hour)] : [];
      await sink.write([...minutes, resultOf('hour', HOUR, hour), ...day], signal);
    }
  }
  const starts = (window: string) => sink.aggregates({ series: key, window, limit: 100_000 }).map((row) => row.start);
  /** How long ago the oldest result of a window has ended. */
  const reach = (window: string) => now - sink.aggregates({ series: key, window, limit: 100_000 })[0]!.end;

  /** What is written hour by hour goes hour by hour, from the beginning of the newest. */
  function expectReach(window: string, keepMs: number): void {
    expect(reach(window)).toBeGreaterThan(keepMs - HOUR);
    expect(reach(window)).toBeLessThanOrEqual(keepMs + 2 * HOUR);
  }

  test('each window is kept for its own time, and the others for the greatest age', async () => {
    await start({
      maxAgeMs: 2 * DAY,
      keepMs: new Map([
        ['minute', 6 * HOUR],
        ['day', 10 * DAY],
      ]),
    });
    await pass(15 * DAY, MINUTE);
    expectReach('minute', 6 * HOUR);
    expectReach('hour', 2 * DAY);
    expect(starts('day')).toHaveLength(10);
  });

  test('goes on after a restart, and when something comes that is older than what was deleted', async () => {
    const keepMs = new Map([['minute', 6 * HOUR]]);
    await start({ maxAgeMs: 20 * DAY, keepMs });
    await pass(DAY, 10 * MINUTE);
    await sink.stop(signal);
    await start({ maxAgeMs: 20 * DAY, keepMs });
    await pass(DAY, 10 * MINUTE);
    expectReach('minute', 6 * HOUR);
    expect(starts('hour')).toHaveLength(48);
    await sink.write([resultOf('minute', MINUTE, T0), resultOf('hour', HOUR, T0)], signal);
    await pass(HOUR, 10 * MINUTE);
    expectReach('minute', 6 * HOUR);
    expect(starts('hour')[0]).toBe(T0 - HOUR);
  });

  test('a window that another configuration knew is kept as long as what nothing is said of', async () => {
    await start({ maxAgeMs: DAY, keepMs: new Map([['hour', 10 * DAY]]) });
    await pass(3 * DAY, MINUTE);
    await sink.stop(signal);
    await start({ maxAgeMs: DAY });
    await pass(2 * HOUR, MINUTE);
    expectReach('hour', DAY);
  });

  test('more than 20 000 results that begin in one moment do not hold up what is older', async () => {
    await start({ maxAgeMs: 100 * DAY, keepMs: new Map([['minute', HOUR]]) });
    const many = Array.from({ length: 21_000 }, (_, i) =>
      aggregate({ series: seriesOf(`press-${i}`, 'load'), window: 'other', start: T0, end: T0 + MINUTE }),
    );
    await sink.write([resultOf('minute', MINUTE, T0), ...many, resultOf('minute', MINUTE, T0 + 2 * MINUTE)], signal);
    for (let hour = 1; hour < 5; hour++) {
      now = T0 + hour * HOUR;
      await sink.write([resultOf('minute', MINUTE, now)], signal);
    }
    expect(starts('minute')[0]).toBeGreaterThan(T0 + 2 * HOUR);
  });

  test('where it is too much, all levels are shortened alike, and alarms with them', async () => {
    const keepMs = new Map([
      ['minute', 10 * DAY],
      ['hour', 100 * DAY],
      ['day', 1000 * DAY],
    ]);
    await start({ maxBytes: 200 * 1024, maxAgeMs: 10 * DAY, keepMs });
    const long = alarm({ raisedAt: T0 + 50 * DAY });
    await sink.write([long, { ...long, state: 'cleared', time: T0 + 50 * DAY }], signal);
    await pass(100 * DAY, 4 * MINUTE);
    const parts = [reach('minute') / (10 * DAY), reach('hour') / (100 * DAY)];
    expect(parts[0]).toBeGreaterThan(0.1);
    expect(parts[0]).toBeLessThan(0.9);
    expect(parts[1]! / parts[0]!).toBeGreaterThan(0.8);
    expect(parts[1]! / parts[0]!).toBeLessThan(1.25);
    expect(starts('day')).toHaveLength(100);
    expect(sink.status().bytes).toBeLessThan(300 * 1024);
    expect(sink.alarms({ limit: 10 })).toEqual([]);
  });
});
