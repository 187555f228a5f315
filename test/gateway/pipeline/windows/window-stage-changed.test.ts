import { expect, test } from 'vitest';
import type { Reading } from '../../../../gateway/core/reading.ts';
import type { Aggregate } from '../../../../gateway/core/result.ts';
import { Fate } from '../../../../gateway/core/stage.ts';
import type { WindowSettings } from '../../../../gateway/pipeline/windows/window-definition.ts';
import { WindowStage } from '../../../../gateway/pipeline/windows/window-stage.ts';
import { throughDisk } from '../make-reading.ts';
import { emit, plant, results } from './fresh-plant.ts';

function makeStage(windows: readonly WindowSettings[], maxOpenWindows?: number): WindowStage {
  return new WindowStage({
    windows,
    time: { outOfOrdernessMs: 0, idleTimeoutMs: 600_000 },
    findSeries: (key) => plant.registry.get(key),
    ...(maxOpenWindows === undefined ? {} : { maxOpenWindows }),
  });
}

function tumbling(name: string, tumblingMs: number, more: Partial<WindowSettings> = {}): WindowSettings {
  return { name, series: '*', window: { tumblingMs, allowedLatenessMs: 0 }, aggregates: ['count'], ...more };
}

function feed(stage: WindowStage, ...readings: Reading[]): Fate[] {
  return readings.map((reading) => stage.process(reading, emit));
}

/** What a sink that keeps the highest revision is left with, by start. */
function kept(): ReadonlyMap<number, Aggregate> {
  const rows = new Map<number, Aggregate>();
  for (const one of results) if (one.revision >= (rows.get(one.start)?.revision ?? 0)) rows.set(one.start, one);
  return rows;
}

test('a session that has given a result before the clock was set back is taken back when it becomes part of another', () => {
  const window = { sessionGapMs: 1000, allowedLatenessMs: 0 };
  const stage = makeStage([{ name: 's', series: '*', window, aggregates: ['count'], earlyMs: 100 }]);
  const stamped = (time: number): Reading => ({ ...plant.reading('a/x', 1, time), stamped: true });
  feed(stage, stamped(100_000), stamped(100_500));
  stage.advance(100_700, emit);
  stage.step(98_700, -2000, emit);
  for (let time = 98_800; time <= 103_000; time += 400) feed(stage, stamped(time));
  feed(stage, stamped(110_000));
  stage.advance(110_200, emit);
  expect(kept().get(100_000)?.fields['count']).toBe(0);
  expect(kept().get(98_800)?.fields['count']).toBe(13);
});

test('early results that are asked for while a window is open come as soon as they are due', () => {
  const old = makeStage([tumbling('m', 1_000_000)]);
  feed(old, plant.reading('a/x', 1, 0));
  const stage = makeStage([tumbling('m', 1_000_000, { earlyMs: 1000 })]);
  stage.restore(throughDisk(old.snapshot()));
  for (let time = 1000; time < 500_000; time += 1000) feed(stage, plant.reading('a/x', 1, time));
  expect(results.length).toBeGreaterThan(400);
});

test('results of a window whose aggregates have changed follow on those it has given under its name', () => {
  const old = makeStage([tumbling('d', 1_000_000, { earlyMs: 1000 })]);
  for (let time = 0; time < 500_000; time += 1000) feed(old, plant.reading('a/x', 1, time));
  const before = results.at(-1)!.revision;
  const stage = makeStage([tumbling('d', 1_000_000, { aggregates: ['count', 'max'], earlyMs: 1000 })]);
  stage.restore(throughDisk(old.snapshot()));
  expect(stage.notRestored).toBe('1 open windows are dropped: their definition has changed, or is gone');
  for (let time = 700_000; time <= 1_000_000; time += 1000) feed(stage, plant.reading('a/x', 1, time));
  expect(results.at(-1)!.revision).toBeGreaterThan(before);
});

test('a late reading of a window that has been given is no window of its own where the aggregates have changed since', () => {
  const late = { window: { tumblingMs: 1000, allowedLatenessMs: 10_000 } };
  const old = makeStage([tumbling('m', 1000, late)]);
  feed(old, plant.reading('a/x', 1, 0), plant.reading('a/x', 1, 500), plant.reading('a/x', 1, 1500));
  expect(kept().get(0)?.fields).toEqual({ count: 2 });
  const stage = makeStage([tumbling('m', 1000, { ...late, aggregates: ['count', 'max'] })]);
  stage.restore(throughDisk(old.snapshot()));
  expect(
    feed(stage, plant.reading('a/x', 9, 700), plant.reading('a/x', 1, 1700), plant.reading('a/x', 1, 2500)),
  ).toEqual([Fate.late, Fate.aggregated, Fate.aggregated]);
  expect(kept().get(0)?.fields).toEqual({ count: 2 });
  expect(kept().get(1000)?.fields).toEqual({ count: 1, max: 1 });
});

test('the order in which aggregates are named makes no other window of it', () => {
  const aggregates = ['duration_3', 'max', 'count', 'duration_1'];
  const old = makeStage([tumbling('d', 10_000, { aggregates })]);
  feed(old, plant.reading('a/x', 1, 0), plant.reading('a/x', 3, 2000));
  const stage = makeStage([tumbling('d', 10_000, { aggregates: aggregates.toReversed() })]);
  stage.restore(throughDisk(old.snapshot()));
  feed(stage, plant.reading('a/x', 1, 5000), plant.reading('a/x', 1, 10_000));
  expect(results.at(-1)!.fields).toEqual({ duration_1: 2, count: 3, max: 3, duration_3: 3 });
});

test('windows of a snapshot that names the aggregates in the order of the configuration, as earlier releases did, go on', () => {
  const aggregates = ['max', 'count'];
  const old = makeStage([tumbling('d', 10_000, { aggregates })]);
  feed(old, plant.reading('a/x', 1, 0));
  const snapshot = throughDisk(old.snapshot()) as Record<string, unknown>;
  const stage = makeStage([tumbling('d', 10_000, { aggregates })]);
  stage.restore({ ...snapshot, definitions: [JSON.stringify(['d', 10_000, aggregates])] });
  feed(stage, plant.reading('a/x', 3, 5000), plant.reading('a/x', 1, 10_000));
  expect(results.map(({ fields }) => fields)).toEqual([{ max: 3, count: 2 }]);
});

test('a reading that one of its windows has missed is late, though others took it', () => {
  const stage = makeStage([tumbling('a', 1000), tumbling('b', 100_000)]);
  feed(stage, plant.reading('a/x', 1, 5000));
  expect(feed(stage, plant.reading('a/x', 1, 100, { at: 5001 }))).toEqual([Fate.late]);
  feed(stage, plant.reading('a/x', 1, 100_000));
  expect(results.find(({ window }) => window === 'b')?.fields['count']).toBe(2);
});

test('a mean over time that there was stays, so that no sink keeps an old one beside newer fields', () => {
  const aggregates = ['time_mean'];
  const stage = makeStage([tumbling('a', 100_000, { aggregates, earlyMs: 1000, course: { maxGapMs: 500 } })]);
  feed(stage, plant.reading('a/x', 7, 0), plant.reading('a/x', 9, 5000), plant.reading('a/x', 9, 100_000));
  expect(results.map(({ fields }) => fields['time_mean'])).toEqual([7, 9, 9]);
});

test('what a set-back gives of a window that has not ended is marked as early', () => {
  const stage = makeStage([tumbling('m', 100_000, { earlyMs: 60_000 })]);
  feed(stage, { ...plant.reading('a/x', 1, 10_000), stamped: true });
  stage.step(3_000, -7_000, emit);
  expect(results.map(({ fields }) => fields)).toEqual([{ count: 1, partial: 1 }]);
});

test('of readings that came too late in one millisecond a sink is left with the last, and a consumer can tell them apart, after a restart too', () => {
  const windows = [tumbling('m', 1000, { late: 'store' })];
  const stage = makeStage(windows);
  feed(stage, plant.reading('a/x', 1, 0), plant.reading('a/x', 1, 5000));
  feed(stage, plant.reading('a/x', 7, 100.25, { at: 5001 }));
  const next = makeStage(windows);
  next.restore(throughDisk(stage.snapshot()));
  feed(next, plant.reading('a/x', 8, 100.5, { at: 5002 }));
  const late = results.filter(({ window }) => window === 'm:late');
  expect(late.map(({ start, end, revision, fields }) => [start, end, revision, fields['value']])).toEqual([
    [100, 101, 0, 7],
    [100, 101, 1, 8],
  ]);
  expect(kept().get(100)?.fields['value']).toBe(8);
});

test('a late reading after the clock was set back, when the series has not come anywhere yet, is behind nothing', () => {
  const stage = makeStage([tumbling('m', 10_000, { late: 'store' })]);
  const stamped = (time: number): Reading => ({ ...plant.reading('a/x', 1, time), stamped: true });
  feed(stage, stamped(10_000), stamped(20_000), stamped(25_000));
  stage.step(15_000, -10_000, emit);
  expect(feed(stage, stamped(15_500))).toEqual([Fate.late]);
  expect(results.at(-1)).toMatchObject({ window: 'm:late', start: 15_500, fields: { value: 1, behind: 0 } });
});

test('readings that came too late are numbered on where the aggregates have changed', () => {
  const stage = makeStage([tumbling('m', 1000, { late: 'store' })]);
  feed(stage, plant.reading('a/x', 1, 0), plant.reading('a/x', 1, 5000), plant.reading('a/x', 1, 100, { at: 5001 }));
  const next = makeStage([tumbling('m', 1000, { late: 'store', aggregates: ['max'] })]);
  next.restore(throughDisk(stage.snapshot()));
  feed(next, plant.reading('a/x', 1, 6000), plant.reading('a/x', 2, 100, { at: 6001 }));
  expect(results.at(-1)).toMatchObject({ window: 'm:late', start: 100, revision: 1, fields: { value: 2 } });
});
