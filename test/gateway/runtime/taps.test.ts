import { expect, test } from 'vitest';
import type { TapListener } from '../../../gateway/core/inspection.ts';
import { Taps } from '../../../gateway/runtime/taps.ts';
import { Plant } from '../pipeline/make-reading.ts';
import { aggregate, alarm } from '../sinks/results.ts';

const plant = new Plant();
const hot = plant.reading('press-1/temperature', 21, 1000);
const slow = plant.reading('pump-2/speed', 3, 1000);

function listener() {
  const seen: unknown[] = [];
  let ended = false;
  const one: TapListener = { passed: (item, outcome) => seen.push([item, outcome]), end: () => (ended = true) };
  return { ...one, seen, hasEnded: () => ended };
}

test('who watches a stage sees what passes there, of the series meant by key or by pattern', () => {
  const taps = new Taps([]);
  const [all, byKey, byPattern] = [listener(), listener(), listener()];
  taps.open({ stage: 'accepted' }, all);
  taps.open({ stage: 'accepted', series: 'pump-2/speed' }, byKey);
  taps.open({ stage: 'accepted', series: '*/temperature' }, byPattern);
  taps.reading('accepted', hot);
  taps.reading('accepted', slow, 'late');
  taps.reading('fates', slow, 'late');
  expect(all.seen).toEqual([
    [hot, undefined],
    [slow, 'late'],
  ]);
  expect(byKey.seen).toEqual([[slow, 'late']]);
  expect(byPattern.seen).toEqual([[hot, undefined]]);
});

test('results are seen by the window, the rollup or the detector they are of', () => {
  const taps = new Taps([]);
  const stages = ['results', 'window:minute', 'rollup:hour', 'detect:novelty'].map((stage) => {
    const one = listener();
    taps.open({ stage }, one);
    return one;
  });
  const [minute, hour, raised] = [aggregate(), aggregate({ window: 'hour' }), alarm()];
  taps.results([minute, hour, raised]);
  expect(stages.map(({ seen }) => seen.map((entry) => (entry as unknown[])[0]))).toEqual([
    [minute, hour, raised],
    [minute],
    [hour],
    [raised],
  ]);
});

test('nothing is looked at while nobody watches', () => {
  const taps = new Taps([]);
  expect(taps.isOpen).toBe(false);
  const close = taps.open({ stage: 'accepted' }, listener());
  expect(taps.isOpen).toBe(true);
  close?.();
  expect(taps.isOpen).toBe(false);
});

test('while memory is short everybody is sent away, and nobody taken', () => {
  const taps = new Taps([]);
  const one = listener();
  taps.open({ stage: 'accepted' }, one);
  taps.isGivenUp = true;
  expect(one.hasEnded()).toBe(true);
  expect(taps.isOpen).toBe(false);
  expect(taps.open({ stage: 'accepted' }, listener())).toBeUndefined();
  taps.isGivenUp = false;
  expect(taps.open({ stage: 'accepted' }, listener())).toBeDefined();
});
