import { mkdtempSync, openSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemDisk } from '../../../../gateway/base/system-disk.ts';
import type { Clock } from '../../../../gateway/core/clock.ts';
import { GatewayError } from '../../../../gateway/core/errors.ts';
import type { Result } from '../../../../gateway/core/result.ts';
import { SinkError } from '../../../../gateway/core/sink.ts';
import { HistorySink, type HistorySinkOptions } from '../../../../gateway/sinks/history/history.ts';
import { sinkContract } from '../../../contract/sink.ts';
import { recordingLogger } from '../../../recording-logger.ts';
import { aggregate, alarm, seriesOf, T0 } from '../results.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const signal = new AbortController().signal;

describe('HistorySink', () => {
  let folder: string;
  let path: string;
  let now: number;
  let log: ReturnType<typeof recordingLogger>;
  const sinks: HistorySink[] = [];
  /** How far the wall clock is ahead of the monotonic one. */
  let aheadMs: number;
  const clock: Clock = { now: () => now, monotonicMs: () => now - aheadMs, sleep: async () => {} };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headgate-history-'));
    path = join(folder, 'new', 'history.db');
    now = T0 + 3600_000;
    aheadMs = 0;
    log = recordingLogger();
  });
  afterEach(async () => {
    for (const sink of sinks.splice(0)) await sink.stop(signal);
    rmSync(folder, { recursive: true, force: true });
  });
  function sinkOf(options: Partial<HistorySinkOptions> = {}): HistorySink {
    const sink = new HistorySink({ path, ...options }, { clock, logger: log, disk: systemDisk });
    sinks.push(sink);
    return sink;
  }
  async function started(options: Partial<HistorySinkOptions> = {}): Promise<HistorySink> {
    const sink = sinkOf(options);
    await sink.start(signal);
    return sink;
  }
  const write = (sink: HistorySink, ...batch: Result[]) => sink.write(batch, signal);
  const key = aggregate().series.key;
  const starts = (sink: HistorySink, query: object = {}) =>
    sink.aggregates({ series: key, limit: 1000, ...query }).map((row) => row.start);
  const minutes = (count: number, from = 0) =>
    Array.from({ length: count }, (_, i) => aggregate({ start: T0 + (from + i) * MINUTE }));
  sinkContract(async () => {
    const sink = sinkOf();
    // Read by a connection of its own, by plain SQL.
    const rows = (sql: string) => {
      const database = new DatabaseSync(path, { readOnly: true });
      const found = database.prepare(sql).all();
      database.close();
      return found as Record<string, unknown>[];
    };
    return {
      sink,
      aggregates: async () =>
        rows(`SELECT s.device, s.metric, w.name AS window, a.start, a.good, h.names, a.fields FROM aggregates a
          JOIN series s ON s.id = a.series JOIN windows w ON w.id = a.window JOIN shapes h ON h.id = a.shape`).map(
          ({ names, fields, ...row }) => {
            const values = new DataView((fields as Uint8Array).slice().buffer);
            const named = (JSON.parse(String(names)) as string[]).map((name, i) => [
              name,
              values.getFloat64(i * 8, true),
            ]);
            return { ...row, fields: Object.fromEntries(named) } as never;
          },
        ),
      activeAlarms: async () => rows('SELECT id FROM alarms WHERE cleared_at IS NULL').length,
      dispose: async () => undefined,
    };
  });

  it('answers with rows of a series and a window, the newest of them, in ascending order', async () => {
    const sink = await started();
    await write(sink, ...minutes(10), aggregate({ window: 'hour', end: T0 + 60 * MINUTE }));
    await write(sink, aggregate({ series: seriesOf('press-2', 'temperature') }));
    expect(sink.aggregates({ series: key, window: 'minute', limit: 2 })).toEqual([
      {
        series: key,
        window: 'minute',
        start: T0 + 8 * MINUTE,
        end: T0 + 9 * MINUTE,
        revision: 0,
        good: 1,
        fields: aggregate().fields,
      },
      {
        series: key,
        window: 'minute',
        start: T0 + 9 * MINUTE,
        end: T0 + 10 * MINUTE,
        revision: 0,
        good: 1,
        fields: aggregate().fields,
      },
    ]);
    expect(starts(sink, { from: T0 + MINUTE, to: T0 + 3 * MINUTE })).toEqual([T0 + MINUTE, T0 + 2 * MINUTE]);
    expect(sink.aggregates({ series: key, limit: 2, to: T0 + MINUTE }).map((row) => row.window)).toEqual([
      'minute',
      'hour',
    ]);
    expect(sink.aggregates({ series: 'nobody', limit: 10 })).toEqual([]);
    for (const limit of [0, -1, Number.NaN]) expect(starts(sink, { limit })).toEqual([]);
  });

  it('keeps fractions of milliseconds, negative times and every double', async () => {
    const sink = await started();
    const fields = { a: -0, b: 5e-324, c: -1.7976931348623157e308, d: 0.1, e: 2 ** 53 + 2 };
    const odd = aggregate({ start: -1.25, end: T0 + 0.5, fields, good: 1 / 3 });
    await write(sink, odd);
    const [row] = sink.aggregates({ series: key, limit: 1 });
    expect(row).toMatchObject({ start: -1.25, end: T0 + 0.5, good: 1 / 3 });
    expect(row?.fields).toEqual(fields);
  });

  it('keeps the higher revision, whatever the order', async () => {
    const sink = await started();
    await write(sink, aggregate({ revision: 2, fields: { mean: 2 } }), aggregate({ revision: 1, fields: { mean: 1 } }));
    await write(sink, aggregate({ revision: 0, fields: { mean: 0 } }));
    expect(sink.aggregates({ series: key, limit: 9 })).toMatchObject([{ revision: 2, fields: { mean: 2 } }]);
  });

  it('shows an alarm as it was raised, and when it was cleared and acknowledged', async () => {
    const sink = await started();
    const marks = { group: 'press-1@9', suppressed: 'flood' } as const;
    await write(sink, alarm(marks), alarm({ series: seriesOf('press-2', 'temperature'), raisedAt: T0 + 6000 }));
    expect(sink.alarms({ state: 'active', limit: 10 }).map((row) => row.device)).toEqual(['press-2', 'press-1']);
    await write(
      sink,
      alarm({ state: 'acknowledged', time: T0 + 7000, by: 'Ada' }),
      alarm({ state: 'cleared', time: T0 + 8000, score: 0, value: 22, message: 'back', count: 4 }),
    );
    expect(sink.alarms({ state: 'active', limit: 10 }).map((row) => row.device)).toEqual(['press-2']);
    expect(sink.alarms({ limit: 10 }).map(({ state }) => state)).toEqual(['unacknowledged', 'normal']);
    expect(sink.alarms({ series: key, limit: 10 })).toEqual([
      {
        id: alarm().id,
        series: key,
        device: 'press-1',
        metric: 'temperature',
        detector: 'novelty',
        severity: 'warning',
        score: 1.75,
        value: 31,
        message: 'expected between 20 and 23, saw 31',
        raisedAt: T0 + 5000,
        clearedAt: T0 + 8000,
        acknowledgedAt: T0 + 7000,
        acknowledgedBy: 'Ada',
        priority: 500,
        state: 'normal',
        group: 'press-1@9',
        count: 4,
        suppressed: 'flood',
        shelvedUntil: null,
      },
    ]);
    expect(sink.alarms({ limit: 1 }).map((row) => row.device)).toEqual(['press-2']);
  });

  it('ends with the same alarm when its steps are replayed or come in another order', async () => {
    const steps = [
      alarm(),
      alarm({ state: 'acknowledged', time: T0 + 7000 }),
      alarm({ state: 'cleared', time: T0 + 8000, score: 0 }),
    ];
    const ends = [];
    for (const order of [
      [0, 1, 2],
      [2, 1, 0, 0],
      [0, 1, 2, 0, 1, 2],
    ]) {
      const sink = await started({ path: join(folder, `${order.join('')}.db`) });
      for (const step of order) await write(sink, steps[step]!);
      ends.push(sink.alarms({ limit: 10 }));
    }
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[2]).toEqual(ends[0]);
  });

  it('refuses what is not finite or not Unicode, and stores the rest', async () => {
    const sink = await started();
    const refused = [
      aggregate({ start: T0 + 1, fields: { mean: Number.NaN } }),
      aggregate({ start: Number.POSITIVE_INFINITY }),
      aggregate({ series: seriesOf('a\ud800', 'm') }),
      alarm({ score: Number.POSITIVE_INFINITY }),
    ];
    const rejections = await write(sink, ...refused, aggregate());
    expect(rejections.map(({ result }) => result)).toEqual(refused);
    expect(rejections[0]?.reason).toBe('field "mean" is NaN; it must be finite');
    expect(starts(sink)).toEqual([T0]);
  });

  it('has everything after a stop and a start, and answers nothing in between', async () => {
    const first = await started();
    await write(first, aggregate(), alarm());
    await first.stop(signal);
    expect(first.aggregates({ series: key, limit: 1 })).toEqual([]);
    const second = await started();
    expect(starts(second)).toEqual([T0]);
    expect(second.alarms({ limit: 1 })).toHaveLength(1);
  });

  it('keeps the result of a window that is longer than the greatest age until it has ended for so long', async () => {
    const sink = await started({ maxAgeMs: DAY });
    const kept = () => sink.aggregates({ series: key, window: 'week', limit: 10 }).length;
    const pass = async (ms: number) => {
      now += ms;
      await write(sink, aggregate({ start: now - MINUTE, end: now }));
    };
    await write(sink, aggregate({ window: 'week', start: T0 - 7 * DAY, end: T0 }));
    await pass(DAY / 2);
    await pass(2 * MINUTE);
    expect(kept()).toBe(1);
    await pass(DAY);
    await pass(2 * MINUTE);
    expect(kept()).toBe(0);
  });

  it('deletes what is older than the greatest age, but never an active alarm', async () => {
    const sink = await started({ maxAgeMs: DAY });
    const old = alarm({ series: seriesOf('press-2', 'temperature'), raisedAt: T0 });
    await write(sink, ...minutes(5), alarm(), alarm({ state: 'cleared', time: T0 + 8000 }), old);
    now += 2 * DAY;
    await write(sink, aggregate({ start: now }));
    now += MINUTE;
    await write(sink, aggregate({ start: now }));
    expect(starts(sink)).toEqual([now - MINUTE, now]);
    expect(sink.alarms({ limit: 10 }).map((row) => row.id)).toEqual([old.id]);
    expect(sink.status().deletedTotal).toBe(6);
  });

  it('deletes nothing because the clock jumped by years, or because one device lives in the future', async () => {
    const sink = await started({ maxAgeMs: DAY });
    await write(sink, ...minutes(3));
    now += 56 * 365 * DAY;
    await write(sink, aggregate({ start: T0 + 3 * MINUTE }));
    now = T0 + 2 * 3600_000;
    await write(sink, aggregate({ start: T0 + 365 * DAY }));
    now += 2 * MINUTE;
    await write(sink, aggregate({ start: T0 + 4 * MINUTE }));
    expect(starts(sink)).toHaveLength(6);
  });

  it('deletes nothing for an hour after the clock was set ahead, in which somebody can set it right', async () => {
    const sink = await started({ maxAgeMs: DAY });
    await write(sink, ...minutes(3));
    now += 365 * DAY;
    aheadMs = 365 * DAY;
    // A device without a clock has its times from ours.
    await write(sink, aggregate({ start: now }));
    now += 59 * MINUTE;
    await write(sink, aggregate({ start: now }));
    expect(starts(sink)).toHaveLength(5);
    now += 2 * MINUTE;
    await write(sink, aggregate({ start: now }));
    expect(starts(sink)).toHaveLength(3);
  });

  it('stays below its bound on bytes by deleting the oldest', async () => {
    const maxBytes = 512 * 1024;
    const sink = await started({ maxBytes });
    const total = 30_000;
    for (let from = 0; from < total; from += 1000) await sink.write(minutes(1000, from), signal);
    const kept = starts(sink, { limit: 100_000 });
    expect(kept.at(-1)).toBe(T0 + (total - 1) * MINUTE);
    expect(kept[0]).toBe(T0 + (total - kept.length) * MINUTE); // no hole between the oldest kept and the newest
    expect(kept.length).toBeGreaterThan(2000);
    // One step above at most: the bound is looked at with each thousand rows.
    expect(sink.status().bytes).toBeLessThan(maxBytes * 1.4);
  });

  it('gives space back when the bound is lowered', async () => {
    const large = await started();
    await large.write(minutes(40_000), signal);
    const before = large.status().bytes;
    await large.stop(signal);
    const small = await started({ maxBytes: 256 * 1024 });
    for (let i = 0; i < 60; i++) await write(small, aggregate({ start: T0 + 40_000 * MINUTE + i }));
    expect(small.status().bytes).toBeLessThan(300 * 1024);
    await small.stop(signal);
    expect(statSync(path).size).toBeLessThan(before / 1.2);
  });

  it.each<[string, (file: string) => void]>([
    ['is not a database', (file) => writeFileSync(file, 'nonsense '.repeat(1000))],
    ['has lost its first page', (file) => overwrite(file, 0, 4096)],
    ['has lost all but its first page', (file) => overwrite(file, 4096, 40_960)],
  ])('sets a file aside that %s, begins a new one, and says so', async (_, damage) => {
    const first = await started();
    await first.write(minutes(5000), signal);
    await first.stop(signal);
    damage(path);
    const second = await started();
    await second.write(minutes(3), signal).catch(() => second.write(minutes(3), signal));
    expect(starts(second)).toEqual([T0, T0 + MINUTE, T0 + 2 * MINUTE]);
    expect(second.status().damagedFiles).toEqual([`${path}.damaged-1`]);
    expect(log.lines).toMatchObject([{ level: 'error', message: expect.stringContaining('damaged') }]);
  });

  it('sets a file aside when the damage is met by a query', async () => {
    const first = await started();
    await first.write(minutes(5000), signal);
    const bytes = first.status().bytes;
    await first.stop(signal);
    const second = await started();
    overwrite(path, 65_536, bytes - 65_536);
    expect(starts(second, { limit: 100_000 })).toEqual([]);
    expect(second.status().damagedFiles).toHaveLength(1);
    await write(second, aggregate());
    expect(starts(second)).toEqual([T0]);
  });

  it('keeps only the newest three damaged files', async () => {
    for (let i = 0; i < 5; i++) {
      const sink = await started();
      await sink.stop(signal);
      writeFileSync(path, 'nonsense '.repeat(1000));
    }
    const last = await started();
    const names = [3, 4, 5].map((number) => `${path}.damaged-${number}`);
    expect(last.status().damagedFiles).toEqual(names);
    expect(readdirSync(join(folder, 'new')).filter((name) => name.includes('damaged'))).toHaveLength(3);
  });

  it('brings a file of version 1 up to date, with its alarms', async () => {
    const sink = await started();
    await write(sink, alarm({ severity: 'critical' }));
    await sink.stop(signal);
    const database = new DatabaseSync(path);
    for (const column of ['priority', 'alarm_group', 'suppressed', 'times', 'acknowledged_by']) {
      database.exec(`ALTER TABLE alarms DROP COLUMN ${column}`);
    }
    database.exec('PRAGMA user_version = 1');
    database.close();
    const again = await started();
    await write(again, alarm({ severity: 'critical', state: 'cleared', time: T0 + 8000 }));
    expect(again.alarms({ limit: 9 })).toMatchObject([{ priority: 900, count: 1, group: null, state: 'returned' }]);
  });

  it('refuses a file of a newer version, and leaves it as it is', async () => {
    await (await started()).stop(signal);
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expect(started()).rejects.toThrow(GatewayError);
    await expect(started()).rejects.toThrow(/newer version \(99 > 2\)/);
    expect(readdirSync(join(folder, 'new'))).not.toContain('history.db.damaged-1');
  });

  it('refuses to start where the folder cannot be made, and says which', async () => {
    writeFileSync(join(folder, 'file'), '');
    const error = await started({ path: join(folder, 'file', 'history.db') }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(GatewayError);
  });

  it('keeps the batch for another try when SQLite cannot write', async () => {
    const sink = await started();
    await write(sink, aggregate());
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE'); // a lock is the one such trouble that is easily made
    const error = await write(sink, aggregate({ start: T0 + MINUTE })).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(SinkError);
    expect(error).toMatchObject({ kind: 'transient' });
    other.exec('ROLLBACK');
    other.close();
    await write(sink, aggregate({ start: T0 + MINUTE }));
    expect(starts(sink)).toEqual([T0, T0 + MINUTE]);
  });

  it('takes less than 150 bytes a row of six aggregates', async () => {
    const sink = await started();
    const fields = { count: 60, mean: 21.53, min: 20.1, max: 23.7, stddev: 0.377, p95: 22.9 };
    const batch = Array.from({ length: 10 }, (_, d) =>
      seriesOf(`press-${d}`, 'temperature', { site: 'plant-7' }),
    ).flatMap((series) => minutes(2000).map((one) => ({ ...one, series, fields })));
    await sink.write(batch, signal);
    const bytesPerRow = sink.status().bytes / batch.length;
    expect(bytesPerRow).toBeLessThan(150);
  });
});

/** Writes nonsense over a part of a file. */
function overwrite(file: string, position: number, length: number): void {
  writeSync(openSync(file, 'r+'), Buffer.alloc(length, 0x5a), 0, length, position);
}
