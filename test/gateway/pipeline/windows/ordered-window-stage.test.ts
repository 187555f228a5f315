import { expect, test } from 'vitest';
import { Fate } from '../../../../gateway/core/stage.ts';
import type { OrderedSettings } from '../../../../gateway/pipeline/windows/ordered-definition.ts';
import { OrderedWindowStage } from '../../../../gateway/pipeline/windows/ordered-window-stage.ts';
import { MAX_QUEUED } from '../../../../gateway/pipeline/windows/reading-queue.ts';
import { throughDisk } from '../make-reading.ts';
import { emit, plant, renewPlant, results } from './fresh-plant.ts';

const THREE: OrderedSettings = { name: 'three', series: 'x', window: { count: 3 }, aggregates: ['count'] };

function makeStage(...windows: OrderedSettings[]): OrderedWindowStage {
  const time = { outOfOrdernessMs: 0, idleTimeoutMs: 60_000 };
  return new OrderedWindowStage({ windows, time, findSeries: (key) => plant.registry.get(key) });
}

function resumed(from: OrderedWindowStage, ...windows: OrderedSettings[]): OrderedWindowStage {
  const stage = makeStage(...windows);
  stage.restore(throughDisk(from.snapshot()));
  return stage;
}

function feed(stage: OrderedWindowStage, series: string, ...times: number[]): void {
  for (const time of times) stage.process(plant.reading(series, 1, time), emit);
}

test('windows go on under their definition, wherever it stands in the configuration, and under other ids of the series', () => {
  const stage = makeStage(THREE);
  feed(stage, 'a/x', 0, 1);
  const next = resumed(stage, { ...THREE, name: 'other' }, THREE);
  feed(next, 'b/x', 0);
  feed(next, 'a/x', 2);
  expect(results.map(({ series, window, start }) => [series.key, window, start])).toEqual([['a/x', 'three', 0]]);
  expect(next.notRestored).toBeUndefined();
});

test('a changed definition drops only its own windows, says so, and its results follow on those of the old one', () => {
  const stage = makeStage(THREE, { ...THREE, name: 'same' });
  feed(stage, 'a/x', 0, 1, 2, 3);
  const next = resumed(stage, { ...THREE, window: { count: 2 } }, { ...THREE, name: 'same' });
  expect(next.notRestored).toContain('1 windows of readings are dropped');
  results.length = 0;
  feed(next, 'a/x', 0, 1);
  expect(results.map(({ window, start, revision }) => [window, start, revision])).toEqual([
    ['three', 0, 1_000_000_000],
    ['same', 3, 0],
  ]);
});

test('windows of series that no definition means any more are dropped', () => {
  const stage = makeStage(THREE);
  feed(stage, 'a/x', 0);
  expect(resumed(stage, { ...THREE, series: 'y' }).notRestored).toContain('1 windows of readings are dropped');
  expect(resumed(stage).notRestored).toContain('1 windows of readings are dropped');
});

test('what is open and how much that can be is told', () => {
  const stage = makeStage({ ...THREE, series: '*', window: { count: 10, every: 3 } });
  feed(stage, 'a/x', 0, 1, 2, 3);
  feed(stage, 'a/y', 0);
  expect(stage.bounds(100)[0]).toEqual({ name: 'windows that readings end', used: 3, max: 400, unit: 'windows' });
});

test('how far a series has come is told: by its newest reading less its disorder, after a silence all of it, and of what there is no room for', () => {
  const state = { ...THREE, window: { while: { above: 0 } } } as const;
  const time = { outOfOrdernessMs: 500, maxOutOfOrdernessMs: 5000, idleTimeoutMs: 60_000 };
  const make = () =>
    new OrderedWindowStage({ windows: [state], time, findSeries: (key) => plant.registry.get(key), maxWaiting: 2 });
  const stage = make();
  const x = plant.series('a/x');
  expect([stage.uses(x), stage.watermarkOf(x), stage.outOfOrdernessOf(x)]).toEqual([false, undefined, undefined]);
  feed(stage, 'a/x', 10_000, 9_000, 12_000);
  expect([stage.uses(x), stage.watermarkOf(x), stage.outOfOrdernessOf(x)]).toEqual([true, 11_000, 1_000]);
  const next = make();
  next.restore(throughDisk(stage.snapshot()));
  expect([next.watermarkOf(x), next.outOfOrdernessOf(x)]).toEqual([11_000, 1_000]);
  feed(stage, 'a/x', 11_900, 11_800);
  expect(stage.watermarkOf(x)).toBe(11_800);
  next.advance(72_000, emit);
  expect(next.watermarkOf(x)).toBe(12_000);
  feed(stage, 'b/y', 0);
  expect([stage.uses(plant.series('b/y')), stage.watermarkOf(plant.series('b/y'))]).toEqual([false, undefined]);
});

test('early results that are asked for while a window is open come as soon as they are due', () => {
  const stage = makeStage(THREE);
  feed(stage, 'a/x', 0);
  const next = resumed(stage, { ...THREE, earlyMs: 1000 });
  next.advance(1000, emit);
  expect(results.map(({ fields }) => fields)).toEqual([{ count: 1, partial: 1 }]);
});

test('a series that is not known any more makes the snapshot unreadable', () => {
  const stage = makeStage(THREE);
  feed(stage, 'a/x', 0);
  const snapshot = stage.snapshot();
  renewPlant();
  expect(() => makeStage(THREE).restore(snapshot)).toThrow('Cannot restore the windows of a/x');
});

test('a stage that has seen readings cannot be restored into', () => {
  const stage = makeStage(THREE);
  feed(stage, 'a/x', 0);
  expect(() => stage.restore(stage.snapshot())).toThrow('has seen readings');
});

test('a snapshot does not change when the stage goes on', () => {
  const stage = makeStage({ ...THREE, aggregates: ['count', 'p95', 'mean'] });
  feed(stage, 'a/x', 0);
  const snapshot = stage.snapshot();
  const then = throughDisk(snapshot);
  feed(stage, 'a/x', 1);
  expect(snapshot).toEqual(then);
});

test('a damaged snapshot is refused, whichever part of it is damaged', () => {
  const stage = makeStage(THREE);
  feed(stage, 'a/x', 0);
  const whole = stage.snapshot() as Record<string, unknown>;
  for (const part of Object.keys(whole)) {
    for (const damage of [
      undefined,
      'x',
      { a: 1 },
      [[]],
      [['a/x', [0, 0, 0], true, [[], [], []], [['three', [0, 0, 0, 1, [0, [['x']]]]]], [0, 0, 0]]],
    ]) {
      const damaged = { ...whole, [part]: damage };
      const restore = () => makeStage(THREE).restore(damaged);
      // A definition that cannot be made out is one that has changed.
      if (part === 'definitions' && Array.isArray(damage)) restore();
      else expect(restore, `${part} ${JSON.stringify(damage)}`).toThrow('Cannot restore');
    }
  }
  for (const nothing of [undefined, null, 5, 'x', []]) {
    expect(() => makeStage(THREE).restore(nothing)).toThrow('Cannot restore the windows');
  }
});

const HOT: OrderedSettings = { name: 'hot', series: '*', window: { while: { above: 0 } }, aggregates: ['count'] };

test('more readings than may wait do not: the oldest of the series has its turn, and what is older is late', () => {
  const time = { outOfOrdernessMs: 1_000_000, idleTimeoutMs: 60_000 };
  const stage = new OrderedWindowStage({ windows: [HOT], time, findSeries: (key) => plant.registry.get(key) });
  for (let i = 0; i <= MAX_QUEUED; i++) stage.process(plant.reading('a/x', 1, 10 + i, { at: 0 }), emit);
  expect(stage.bounds(10)[1]).toEqual({
    name: 'readings that wait for older ones',
    used: MAX_QUEUED,
    max: 10 * MAX_QUEUED,
    unit: 'readings',
  });
  expect(stage.process(plant.reading('a/x', 1, 9, { at: 0 }), emit)).toBe(Fate.late);
  expect(stage.process(plant.reading('a/x', 1, 11, { at: 0 }), emit)).toBe(Fate.aggregated);
});

test('where the readings of all series are too many, the one that brings another lets its oldest have its turn', () => {
  const time = { outOfOrdernessMs: 1000, idleTimeoutMs: 60_000 };
  const findSeries = (key: string) => plant.registry.get(key);
  const stage = new OrderedWindowStage({ windows: [HOT], time, findSeries, maxWaiting: 2 });
  feed(stage, 'a/x', 0, 1);
  feed(stage, 'b/x', 1);
  feed(stage, 'b/x', 2);
  expect(stage.bounds(100)[1]).toMatchObject({ used: 3, max: 102 });
  expect(stage.process(plant.reading('b/x', 1, 0, { at: 2 }), emit)).toBe(Fate.late);
  expect(stage.process(plant.reading('a/x', 1, 0, { at: 2 }), emit)).toBe(Fate.aggregated);
});

test('what waits goes on to wait after a restart, and a series that is silent meanwhile does not wait longer', () => {
  const time = { outOfOrdernessMs: 1000, idleTimeoutMs: 5000 };
  const make = () => new OrderedWindowStage({ windows: [HOT], time, findSeries: (key) => plant.registry.get(key) });
  const stage = make();
  feed(stage, 'a/x', 1000, 1500);
  stage.process(plant.reading('a/x', 0, 1700), emit);
  const next = make();
  next.restore(throughDisk(stage.snapshot()));
  expect(next.isDue(6699)).toBe(false);
  expect(next.isDue(6700)).toBe(true);
  next.advance(6700, emit);
  expect(results.map(({ start, end, fields }) => [start, end, fields['count']])).toEqual([[1000, 1700, 2]]);
});

test('nothing waits any more where no window takes readings in the order of time', () => {
  const time = { outOfOrdernessMs: 1000, idleTimeoutMs: 5000 };
  const findSeries = (key: string) => plant.registry.get(key);
  const stage = new OrderedWindowStage({ windows: [HOT], time, findSeries });
  feed(stage, 'a/x', 1000, 1500);
  const next = new OrderedWindowStage({ windows: [{ ...THREE, name: 'hot' }], time, findSeries });
  next.restore(throughDisk(stage.snapshot()));
  expect(next.bounds(1)[1]).toMatchObject({ used: 0 });
});

test('how many readings are in sliding windows is told, and dropping them too', () => {
  const last: OrderedSettings = { name: 'last', series: '*', window: { slidingMs: 10 }, aggregates: ['count'] };
  const stage = makeStage(last);
  feed(stage, 'a/x', 0, 5, 9);
  feed(stage, 'b/x', 9);
  expect(stage.bounds(100)[2]).toEqual({
    name: 'readings in sliding windows',
    used: 4,
    max: 100 * MAX_QUEUED,
    unit: 'readings',
  });
  expect(resumed(stage, { ...last, window: { slidingMs: 11 } }).notRestored).toContain('2 windows of readings');
});

test('a series is allowed as much disorder as it was seen to have, which others do not wait for', () => {
  const time = { outOfOrdernessMs: 0, maxOutOfOrdernessMs: 1000, idleTimeoutMs: 60_000 };
  const make = () => new OrderedWindowStage({ windows: [HOT], time, findSeries: (key) => plant.registry.get(key) });
  const stage = make();
  const fates = [1000, 600, 2000, 1700, 1599].map((at) =>
    stage.process(plant.reading('a/x', 1, at, { at: 2000 }), emit),
  );
  expect(fates).toEqual([Fate.aggregated, Fate.late, Fate.aggregated, Fate.aggregated, Fate.aggregated]);
  feed(stage, 'a/y', 2000, 2100);
  expect(stage.process(plant.reading('a/y', 1, 2050, { at: 2100 }), emit)).toBe(Fate.late);
  const next = make();
  next.restore(throughDisk(stage.snapshot()));
  expect(next.process(plant.reading('a/x', 1, 1650, { at: 2100 }), emit)).toBe(Fate.aggregated);
});
