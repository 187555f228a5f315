import { expect, test } from 'vitest';
import type { Reading } from '../../../../gateway/core/reading.ts';
import type { RollupSettings } from '../../../../gateway/pipeline/windows/rollup-settings.ts';
import type { WindowSettings } from '../../../../gateway/pipeline/windows/window-definition.ts';
import { WindowStage } from '../../../../gateway/pipeline/windows/window-stage.ts';
import { throughDisk } from '../make-reading.ts';
import { emit, plant, results } from './fresh-plant.ts';

const PART: WindowSettings = {
  name: 'part',
  series: '*',
  window: { tumblingMs: 1000, allowedLatenessMs: 0 },
  aggregates: ['count', 'sum'],
};
const WHOLE: RollupSettings = { name: 'whole', from: 'part', window: { tumblingMs: 10_000 } };

interface Making {
  readonly part?: Partial<WindowSettings>;
  readonly rollups?: readonly RollupSettings[];
  readonly maxOpenWindows?: number;
}

function makeStage({ part = {}, rollups = [WHOLE], ...more }: Making = {}): WindowStage {
  return new WindowStage({
    windows: [{ ...PART, ...part }],
    rollups,
    time: { outOfOrdernessMs: 0, idleTimeoutMs: 600_000 },
    findSeries: (key) => plant.registry.get(key),
    ...more,
  });
}

function feed(stage: WindowStage, ...readings: Reading[]): void {
  for (const reading of readings) stage.process(reading, emit);
}

const at = (time: number, value = 1) => plant.reading('a/x', value, time);
const of = (window: string) => results.filter((one) => one.window === window);
const counts = (window: string) => of(window).map(({ start, fields }) => [start, fields['count']]);

function resumed(stage: WindowStage, making: Making): WindowStage {
  const next = makeStage(making);
  next.restore(throughDisk(stage.snapshot()));
  return next;
}

test('a rollup that is new in the configuration begins with the windows that are open', () => {
  const old = makeStage({ rollups: [] });
  feed(old, at(500), at(1500), at(1600));
  const stage = resumed(old, {});
  feed(stage, at(1700), at(2500), at(10_000));
  expect(counts('whole')).toEqual([[0, 4]]);
});

test('a rollup goes on with what had closed when its windows are defined anew, and what was open of them is dropped', () => {
  const old = makeStage();
  feed(old, at(500), at(1500), at(2500));
  const stage = resumed(old, { part: { window: { tumblingMs: 500, allowedLatenessMs: 0 } } });
  expect(stage.notRestored).toContain('1 open windows are dropped');
  feed(stage, at(3500), at(10_000));
  expect(counts('whole')).toEqual([[0, 3]]);
});

test('a rollup that is defined anew follows on its results with those that have not ended: a part must not replace a whole', () => {
  const part = { window: { tumblingMs: 1000, allowedLatenessMs: 3000 } };
  const old = makeStage({ part });
  feed(old, at(500), at(9500), at(10_500));
  const stage = resumed(old, { part, rollups: [{ ...WHOLE, aggregates: ['sum'] }] });
  feed(stage, at(9600), at(21_000));
  expect(of('part').filter(({ start }) => start === 9000)).toMatchObject([
    { fields: { count: 1 } },
    { fields: { count: 2 } },
  ]);
  expect(of('whole').map(({ start, revision, fields }) => [start, revision, fields])).toEqual([
    [0, 0, { count: 2, sum: 2 }],
    [10_000, 1_000_000_000, { sum: 1 }],
  ]);
});

test('where too many windows are open, the oldest close with their rollups, and each reading is in one of each', () => {
  const stage = makeStage({
    part: { window: { tumblingMs: 1000, allowedLatenessMs: 1_000_000 } },
    rollups: [WHOLE, { name: 'all', from: 'whole', window: { tumblingMs: 100_000 } }],
    maxOpenWindows: 30,
  });
  for (let time = 0; time < 300_000; time += 500) {
    feed(stage, at(time), plant.reading('a/y', 1, time));
    const [{ used, max } = { used: 0, max: 0 }] = stage.bounds(2);
    expect(used).toBeLessThanOrEqual(max);
  }
  stage.advance(10_000_000, emit);
  for (const [window, sizeMs] of [
    ['part', 1000],
    ['whole', 10_000],
    ['all', 100_000],
  ] as const) {
    const last = new Map(of(window).map((one) => [`${one.series.key} ${one.start}`, one.fields['count']]));
    expect(last.size, window).toBe((2 * 300_000) / sizeMs);
    for (const count of last.values()) expect(count, window).toBe(sizeMs / 500);
  }
});

test('several rollups are made from the same windows', () => {
  const stage = makeStage({ rollups: [WHOLE, { name: 'pair', from: 'part', window: { tumblingMs: 2000 } }] });
  feed(stage, at(500), at(1500), at(2500), at(10_000));
  expect(counts('pair')).toEqual([
    [0, 2],
    [2000, 1],
  ]);
  expect(counts('whole')).toEqual([[0, 3]]);
});

test('a rollup of a series that its windows do not mean is never opened', () => {
  const stage = makeStage({ part: { series: '*/y' } });
  feed(stage, at(500), at(20_000));
  expect(results).toEqual([]);
  expect(stage.bounds(1)[0]?.used).toBe(0);
});

test('a reading of bad quality counts for the share of good ones in the rollup too', () => {
  const stage = makeStage();
  feed(stage, at(500), plant.reading('a/x', 9, 600, { quality: 2 }), at(1500), at(1600), at(10_000));
  expect(of('whole')).toMatchObject([{ fields: { count: 3, sum: 3 }, good: 0.75 }]);
});
