import { expect, test } from 'vitest';
import { Quality } from '../../../../gateway/core/quality.ts';
import type { Accumulator } from '../../../../gateway/pipeline/aggregate/accumulator.ts';
import { AggregatePlan } from '../../../../gateway/pipeline/aggregate/aggregates.ts';
import { throughDisk } from '../make-reading.ts';

const plan = new AggregatePlan(['count', 'sum', 'stddev', 'min', 'last', 'p50']);
const minute = { start: 0, end: 60_000 };

function accumulatorOf(...readings: [value: number, quality: Quality][]): Accumulator {
  const accumulator = plan.accumulator();
  readings.forEach(([value, quality], time) => {
    accumulator.add(value, quality, time);
  });
  return accumulator;
}

test('a bad reading is counted and its value left out, an uncertain one takes part', () => {
  const accumulator = accumulatorOf([1, Quality.good], [99, Quality.bad], [3, Quality.uncertain]);
  expect([accumulator.readings, accumulator.good, accumulator.count]).toEqual([3, 1, 2]);
  expect(plan.fields(accumulator, minute)).toMatchObject({ count: 2, sum: 4, min: 1, last: 3, p50: 2 });
});

test('only the parts that are asked for exist', () => {
  const { numbers, quantiles, timeline } = new AggregatePlan(['count', 'mean']).accumulator();
  expect(numbers).toEqual([0, 0, 0, 0, 0, 1]);
  expect([quantiles, timeline]).toEqual([undefined, undefined]);
});

test('merging is as if all readings had come to one', () => {
  const merged = accumulatorOf([1, Quality.good], [2, Quality.bad]);
  merged.merge(accumulatorOf([4, Quality.good], [8, Quality.uncertain]));
  const whole = accumulatorOf([1, Quality.good], [2, Quality.bad], [4, Quality.good], [8, Quality.uncertain]);
  expect([merged.readings, merged.good, merged.count]).toEqual([4, 2, 3]);
  expect(plan.fields(merged, minute)).toMatchObject({ count: 3, sum: 13, min: 1, p50: 4, last: 8 });
  expect(plan.fields(merged, minute)['stddev']).toBeCloseTo(plan.fields(whole, minute)['stddev']!, 12);
});

test('one with more parts can be merged into one with fewer, and stays as it is', () => {
  const fewer = new AggregatePlan(['last', 'mean'], {}, plan);
  const merged = fewer.accumulator();
  for (const readings of [[3], [8, 4]]) {
    const part = accumulatorOf(...readings.map((value): [number, Quality] => [value, Quality.good]));
    const before = part.snapshot();
    merged.merge(part);
    expect(part.snapshot()).toEqual(before);
  }
  expect(fewer.fields(merged, minute)).toEqual({ last: 4, mean: 5 });
});

test('a restored accumulator goes on equally', () => {
  const resumed = plan.accumulator();
  resumed.restore(throughDisk(accumulatorOf([1, Quality.good], [2, Quality.bad]).snapshot()));
  resumed.add(5, Quality.good, 2);
  const whole = accumulatorOf([1, Quality.good], [2, Quality.bad], [5, Quality.good]);
  expect(plan.fields(resumed, minute)).toEqual(plan.fields(whole, minute));
  expect(resumed.snapshot()).toEqual(whole.snapshot());
});

test('a snapshot of another form is refused', () => {
  expect(() => plan.accumulator().restore([[1, 1, 1]])).toThrow('Cannot restore the numbers of a window');
  expect(() => plan.accumulator().restore('nothing')).toThrow('Cannot restore a window');
});
