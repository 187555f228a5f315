import { expect, test } from 'vitest';
import { Fate } from '../../../../gateway/core/stage.ts';
import type { WindowSettings } from '../../../../gateway/pipeline/windows/window-definition.ts';
import { WindowStage } from '../../../../gateway/pipeline/windows/window-stage.ts';
import { throughDisk } from '../make-reading.ts';
import { emit, plant, renewPlant, results } from './fresh-plant.ts';

const SECOND: WindowSettings = {
  name: 'second',
  series: '*',
  window: { tumblingMs: 1000, allowedLatenessMs: 0 },
  aggregates: ['count'],
};

function makeStage(...windows: WindowSettings[]): WindowStage {
  const time = { outOfOrdernessMs: 0, idleTimeoutMs: 60_000 };
  return new WindowStage({ windows, time, findSeries: (key) => plant.registry.get(key) });
}

function resumed(from: WindowStage, ...windows: WindowSettings[]): WindowStage {
  const stage = makeStage(...windows);
  stage.restore(throughDisk(from.snapshot()));
  return stage;
}

test('a snapshot does not change when the stage goes on', () => {
  const stage = makeStage({ ...SECOND, aggregates: ['count', 'p95', 'mean'] });
  stage.process(plant.reading('a/x', 1, 0), emit);
  const snapshot = stage.snapshot();
  const then = throughDisk(snapshot);
  stage.process(plant.reading('a/x', 2, 100), emit);
  expect(snapshot).toEqual(then);
});

test('series may have other ids after a restart', () => {
  const stage = makeStage(SECOND);
  stage.process(plant.reading('a/x', 1, 0), emit);
  stage.process(plant.reading('b/x', 1, 0), emit);
  const snapshot = throughDisk(stage.snapshot());
  renewPlant();
  plant.series('new/x');
  plant.series('b/x');
  plant.series('a/x');
  const next = makeStage(SECOND);
  next.restore(snapshot);
  next.process(plant.reading('b/x', 1, 1000), emit);
  expect(results.map(({ series, fields }) => [series.key, fields['count']])).toEqual([['b/x', 1]]);
});

test('windows go on under their definition, wherever it stands in the configuration', () => {
  const stage = makeStage(SECOND);
  stage.process(plant.reading('a/x', 1, 0), emit);
  const next = resumed(stage, { ...SECOND, name: 'other' }, SECOND);
  next.process(plant.reading('a/x', 1, 1000), emit);
  expect(results.map(({ window, start }) => [window, start])).toEqual([['second', 0]]);
  expect(next.notRestored).toBeUndefined();
});

test('windows of a definition that has changed are dropped and counted', () => {
  const stage = makeStage(SECOND);
  stage.process(plant.reading('a/x', 1, 0), emit);
  stage.process(plant.reading('a/y', 1, 0), emit);
  expect(resumed(stage, { ...SECOND, aggregates: ['max'] }).notRestored).toContain('2 open windows are dropped');
  expect(resumed(stage, { ...SECOND, series: 'y' }).notRestored).toContain('1 open windows are dropped');
  expect(resumed(stage).notRestored).toContain('2 open windows are dropped');
});

test('more allowed lateness does not open again what had closed', () => {
  const stage = makeStage(SECOND);
  stage.process(plant.reading('a/x', 1, 0), emit);
  stage.process(plant.reading('a/x', 1, 1500), emit);
  const next = resumed(stage, { ...SECOND, window: { tumblingMs: 1000, allowedLatenessMs: 10_000 } });
  expect(next.process(plant.reading('a/x', 1, 500, { at: 1600 }), emit)).toBe(Fate.late);
  expect(next.process(plant.reading('a/x', 1, 1600), emit)).toBe(Fate.aggregated);
});

test('more allowed lateness does not open again what was closed for want of room', () => {
  const stage = makeStage(SECOND);
  stage.process(plant.reading('a/slow', 1, 0), emit);
  for (let i = 0; i < 300; i++) stage.process(plant.reading('a/fast', 1, i * 1000, { at: 0 }), emit);
  const next = resumed(stage, { ...SECOND, window: { tumblingMs: 1000, allowedLatenessMs: 100_000 } });
  expect(next.process(plant.reading('a/fast', 1, 43_999, { at: 0 }), emit)).toBe(Fate.late);
  expect(next.process(plant.reading('a/fast', 1, 44_000, { at: 0 }), emit)).toBe(Fate.aggregated);
});

test('less allowed lateness closes windows with the next step of the watermark', () => {
  const late = { ...SECOND, window: { tumblingMs: 1000, allowedLatenessMs: 10_000 } };
  const stage = makeStage(late);
  stage.process(plant.reading('a/x', 1, 0), emit);
  stage.process(plant.reading('a/x', 1, 1500), emit);
  const next = resumed(stage, SECOND);
  next.process(plant.reading('a/x', 1, 1600), emit);
  expect(next.process(plant.reading('a/x', 1, 500, { at: 1700 }), emit)).toBe(Fate.late);
});

test('a series that is not known any more makes the snapshot unreadable', () => {
  const stage = makeStage(SECOND);
  stage.process(plant.reading('a/x', 1, 0), emit);
  const snapshot = stage.snapshot();
  renewPlant();
  expect(() => makeStage(SECOND).restore(snapshot)).toThrow('Cannot restore the windows of a/x');
});

test('a stage that has seen readings cannot be restored into', () => {
  const stage = makeStage(SECOND);
  stage.process(plant.reading('a/x', 1, 0), emit);
  expect(() => stage.restore(stage.snapshot())).toThrow('has seen readings');
});

test('a damaged snapshot is refused, whichever part of it is damaged', () => {
  const settings = { ...SECOND, aggregates: ['mean', 'p95', 'last', 'stddev', 'min'] };
  const stage = makeStage(settings);
  stage.process(plant.reading('a/x', 1, 0), emit);
  const whole = stage.snapshot() as Record<string, unknown>;
  for (const part of Object.keys(whole)) {
    for (const damage of [undefined, 'x', { a: 1 }, [[]], [['a/x', [[0, 0, [[0, 1000, 'x', true, false, []]]]]]]]) {
      // Snapshots of an earlier release do not say which times there have been.
      if ((part === 'past' || part === 'early') && damage === undefined) continue;
      const damaged = { ...whole, [part]: damage };
      expect(() => makeStage(settings).restore(damaged), `${part} ${JSON.stringify(damage)}`).toThrow('Cannot restore');
    }
  }
  for (const nothing of [undefined, null, 5, 'x', []]) {
    expect(() => makeStage(settings).restore(nothing)).toThrow('Cannot restore the windows');
  }
});
