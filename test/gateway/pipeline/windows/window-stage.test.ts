import { expect, test } from 'vitest';
import type { Reading } from '../../../../gateway/core/reading.ts';
import { Fate } from '../../../../gateway/core/stage.ts';
import type { WindowStageOptions } from '../../../../gateway/pipeline/windows/window-options.ts';
import { WindowStage } from '../../../../gateway/pipeline/windows/window-stage.ts';
import { emit, plant, results } from './fresh-plant.ts';

type Change = Partial<WindowStageOptions['time']> & {
  tumblingMs?: number;
  allowedLatenessMs?: number;
  series?: string;
  aggregates?: string[];
  maxOpenWindows?: number;
  earlyMs?: number;
};

function makeStage(change: Change = {}): WindowStage {
  const { tumblingMs = 1000, allowedLatenessMs = 0, series = '*', aggregates = ['count', 'sum'], ...others } = change;
  const { maxOpenWindows = 1_000_000, earlyMs, ...time } = others;
  return new WindowStage({
    windows: [{ name: 'second', series, window: { tumblingMs, allowedLatenessMs }, aggregates, earlyMs }],
    time: { outOfOrdernessMs: 0, idleTimeoutMs: 60_000, ...time },
    findSeries: (key) => plant.registry.get(key),
    maxOpenWindows,
  });
}

function feed(stage: WindowStage, ...readings: Reading[]): Fate[] {
  return readings.map((reading) => stage.process(reading, emit));
}

test('a late reading re-emits its window with the next revision', () => {
  const stage = makeStage({ allowedLatenessMs: 5000 });
  feed(stage, plant.reading('a/x', 1, 0), plant.reading('a/x', 2, 1500), plant.reading('a/x', 4, 500, { at: 1600 }));
  stage.advance(2600, emit);
  expect(results.map(({ start, revision, fields }) => [start, revision, fields['sum']])).toEqual([
    [0, 0, 1],
    [0, 1, 5],
  ]);
});

test('how long corrections are gathered can be chosen', () => {
  const stage = makeStage({ allowedLatenessMs: 5000, correctionDelayMs: 1 });
  feed(stage, plant.reading('a/x', 2, 1500), plant.reading('a/x', 4, 500, { at: 1600 }));
  stage.advance(1601, emit);
  expect(results).toHaveLength(1);
});

test('a result names its series in full, with the unit of that moment', () => {
  const stage = makeStage();
  const series = plant.series('plant-7/a/x');
  series.unit = 'bar';
  feed(stage, plant.reading('plant-7/a/x', 1, 0), plant.reading('plant-7/a/x', 2, 1000));
  expect(results[0]?.series).toEqual({
    key: 'plant-7/a/x',
    device: 'a',
    metric: 'x',
    tags: { site: 'plant-7' },
    unit: 'bar',
  });
});

test('the watermark of a device can be asked for, also by a series without windows', () => {
  const stage = makeStage({ series: 'x', outOfOrdernessMs: 100 });
  expect(stage.watermarkOf(plant.series('a/x'))).toBeUndefined();
  feed(stage, plant.reading('a/x', 1, 5000));
  expect(stage.watermarkOf(plant.series('a/x'))).toBe(4900);
  expect(stage.watermarkOf(plant.series('a/other'))).toBe(4900);
  expect(stage.watermarkOf(plant.series('b/x'))).toBeUndefined();
});

test('a late reading does not move or hold the watermark', () => {
  const stage = makeStage();
  feed(stage, plant.reading('a/x', 1, 5000));
  expect(feed(stage, plant.reading('a/x', 1, 100, { at: 5001 }))).toEqual([Fate.late]);
  feed(stage, plant.reading('a/x', 1, 7000, { at: 5002 }));
  expect(stage.watermarkOf(plant.series('a/x'))).toBe(7000);
});

test('a series that joins its device behind the watermark loses nothing until it has caught up', () => {
  const stage = makeStage();
  feed(stage, plant.reading('a/x', 1, 5000));
  const fates = [100, 1100, 4100, 900].map((time) => feed(stage, plant.reading('a/y', 1, time, { at: 5001 }))[0]);
  expect(fates).toEqual([Fate.aggregated, Fate.aggregated, Fate.aggregated, Fate.aggregated]);
  // Having caught up, it is judged like the others.
  feed(stage, plant.reading('a/y', 1, 6000, { at: 5002 }), plant.reading('a/x', 1, 6000, { at: 5002 }));
  expect(feed(stage, plant.reading('a/y', 1, 100, { at: 5003 }))).toEqual([Fate.late]);
});

test('a sensor that reports every five minutes gives its hour once, when the hour is over', () => {
  const stage = makeStage({ tumblingMs: 3_600_000, idleTimeoutMs: 10_000 });
  for (let minute = 0; minute < 60; minute += 5) feed(stage, plant.reading('a/x', 1, minute * 60_000));
  stage.advance(3_599_999, emit);
  expect(results).toHaveLength(0);
  stage.advance(3_600_000, emit);
  expect(results.map(({ start, revision, fields }) => [start, revision, fields['count']])).toEqual([[0, 0, 12]]);
});

test('a receive time that goes back moves no deadline', () => {
  const stage = makeStage({ idleTimeoutMs: 1000 });
  feed(stage, plant.reading('a/x', 1, 100, { at: 10_000 }), plant.reading('a/x', 2, 200, { at: 4000 }));
  stage.advance(10_999, emit);
  expect(results).toHaveLength(0);
  stage.advance(11_000, emit);
  expect(results).toHaveLength(1);
});

test('a series far ahead of another of its device keeps a bounded number of windows open', () => {
  const stage = makeStage({ aggregates: ['count'] });
  feed(stage, plant.reading('a/slow', 1, 0));
  for (let i = 0; i < 300; i++) feed(stage, plant.reading('a/fast', 1, i * 1000, { at: 0 }));
  expect(results.map(({ start }) => start)).toEqual(Array.from({ length: 300 - 256 }, (_, i) => i * 1000));
  expect(feed(stage, plant.reading('a/fast', 1, 43_999, { at: 0 }))).toEqual([Fate.late]);
  expect(feed(stage, plant.reading('a/fast', 1, 44_000, { at: 0 }))).toEqual([Fate.aggregated]);
});

test('where the windows of all series together are too many, who opens another gives up its oldest, before and after a restart', () => {
  const options = { allowedLatenessMs: 3_600_000, aggregates: ['count'], maxOpenWindows: 100 };
  let stage = makeStage(options);
  const bound = () => stage.bounds(10)[0];
  feed(stage, plant.reading('early/x', 1, 0), plant.reading('early/x', 1, 1000));
  for (let i = 0; i < 100; i++) feed(stage, plant.reading('a/x', 1, i * 1000, { at: 0 }));
  expect(bound()).toEqual({ name: 'open windows', used: 100, max: 110, unit: 'windows' });
  const snapshot = stage.snapshot();
  stage = makeStage(options);
  stage.restore(snapshot);
  expect(bound()).toMatchObject({ used: 100 });
  // Two of its windows had to go for those of the other one, and would be late now.
  expect(feed(stage, plant.reading('a/x', 1, 1_999, { at: 0 }))).toEqual([Fate.late]);
  expect(feed(stage, plant.reading('a/x', 1, 2_000, { at: 0 }))).toEqual([Fate.aggregated]);
  // Everybody keeps one window, and nobody's goes for that of another.
  for (let i = 0; i < 10; i++) {
    expect(feed(stage, plant.reading(`new-${i}/x`, 1, 50_000, { at: 0 }))).toEqual([Fate.aggregated]);
    expect(feed(stage, plant.reading(`new-${i}/x`, 1, 51_000, { at: 0 }))).toEqual([Fate.aggregated]);
  }
  expect(bound()).toMatchObject({ used: 110 });
  expect(feed(stage, plant.reading('early/x', 1, 0, { at: 0 }))).toEqual([Fate.aggregated]);
});

test('a restored stage remembers which windows it closed for want of room', () => {
  const stage = makeStage({ aggregates: ['count'] });
  feed(stage, plant.reading('a/slow', 1, 0));
  for (let i = 0; i < 300; i++) feed(stage, plant.reading('a/fast', 1, i * 1000, { at: 0 }));
  const resumed = makeStage({ aggregates: ['count'] });
  resumed.restore(stage.snapshot());
  expect(feed(resumed, plant.reading('a/fast', 1, 43_999, { at: 0 }))).toEqual([Fate.late]);
});

test('what takes no part in any window is filtered', () => {
  const stage = makeStage({ series: 'x' });
  expect(feed(stage, plant.reading('a/y', 1, 0), plant.reading('a/x', 'text', 0))).toEqual([
    Fate.filtered,
    Fate.filtered,
  ]);
});

test('sparse windows of many series close together, series by series in order of appearance', () => {
  const stage = makeStage();
  for (const metric of ['c', 'a', 'b']) feed(stage, plant.reading(`d/${metric}`, 1, 500));
  for (const metric of ['b', 'a', 'c']) feed(stage, plant.reading(`d/${metric}`, 1, 1000));
  expect(results.map(({ series }) => series.metric)).toEqual(['c', 'a', 'b']);
});

test('advancing to where it is, or to no number, does nothing', () => {
  const stage = makeStage({ idleTimeoutMs: 10 });
  feed(stage, plant.reading('a/x', 1, 0));
  for (const now of [0, -5, Number.NaN]) stage.advance(now, emit);
  expect(results).toEqual([]);
});

test('settings that cannot work are refused', () => {
  expect(() => makeStage({ tumblingMs: 0 })).toThrow('Cannot make windows of 0 ms');
  expect(() => makeStage({ aggregates: ['avg'] })).toThrow('Cannot aggregate "avg"');
  expect(() => makeStage({ idleTimeoutMs: 0 })).toThrow('time.idleTimeout is 0 ms');
  expect(() => makeStage({ outOfOrdernessMs: -1 })).toThrow('time.outOfOrderness is -1 ms');
  expect(() => makeStage({ correctionDelayMs: Number.NaN })).toThrow('time.correctionDelay is NaN ms');
  const window = { name: 'a', series: '*', window: { tumblingMs: 1, allowedLatenessMs: 0 }, aggregates: ['count'] };
  const time = { outOfOrdernessMs: 0, idleTimeoutMs: 1 };
  expect(() => new WindowStage({ windows: [window, window], time, findSeries: () => undefined })).toThrow(
    '"a" is given twice',
  );
});

test('a window gives early what it has, as long as that changes, and at its end what it has become', () => {
  const stage = makeStage({ tumblingMs: 10_000, aggregates: ['count'], earlyMs: 2000 });
  feed(stage, plant.reading('a/x', 1, 0), plant.reading('a/x', 1, 1000));
  expect(results).toEqual([]);
  stage.advance(2000, emit);
  stage.advance(6000, emit);
  feed(stage, plant.reading('a/x', 1, 6500), plant.reading('a/x', 1, 9000), plant.reading('a/x', 1, 10_000));
  expect(results.map(({ revision, fields }) => [revision, fields])).toEqual([
    [0, { count: 2, partial: 1 }],
    [1, { count: 3, partial: 1 }],
    [2, { count: 4, partial: 0 }],
  ]);
});

test('of a session that moves, what was given is taken back', () => {
  const stage = new WindowStage({
    windows: [
      {
        name: 's',
        series: '*',
        window: { sessionGapMs: 1000, allowedLatenessMs: 0 },
        aggregates: ['sum'],
        earlyMs: 100,
      },
    ],
    time: { outOfOrdernessMs: 5000, idleTimeoutMs: 60_000 },
    findSeries: (key) => plant.registry.get(key),
  });
  feed(stage, plant.reading('a/x', 1, 3000));
  stage.advance(3100, emit);
  feed(stage, plant.reading('a/x', 2, 2500, { at: 3150 }));
  stage.advance(3300, emit);
  expect(results.map(({ start, end, fields, good }) => [start, end, fields, good])).toEqual([
    [3000, 4000, { count: 1, sum: 1, partial: 1 }, 1],
    [3000, 4000, { count: 0, sum: 0, partial: 0 }, 0],
    [2500, 4000, { count: 2, sum: 3, partial: 1 }, 1],
  ]);
});

test('a session that has ended and goes on gives no correction, but its result at its new end', () => {
  const stage = new WindowStage({
    windows: [
      { name: 's', series: '*', window: { sessionGapMs: 1000, allowedLatenessMs: 60_000 }, aggregates: ['sum'] },
    ],
    time: { outOfOrdernessMs: 0, idleTimeoutMs: 600_000, correctionDelayMs: 500 },
    findSeries: (key) => plant.registry.get(key),
  });
  feed(stage, plant.reading('a/x', 1, 0), plant.reading('a/x', 2, 1001), plant.reading('a/x', 4, 500, { at: 1100 }));
  stage.advance(5000, emit);
  feed(stage, plant.reading('a/x', 8, 4000, { at: 5000 }));
  expect(results.map(({ start, end, revision, fields }) => [start, end, revision, fields['sum']])).toEqual([
    [0, 1000, 0, 1],
    [0, 2001, 1, 7],
  ]);
});
