import { expect, test } from 'vitest';
import { Extent } from '../../../../gateway/pipeline/aggregate/extent.ts';
import { throughDisk } from '../make-reading.ts';

function extentOf(values: readonly number[]): Extent {
  const extent = new Extent();
  for (const value of values) extent.add(value);
  return extent;
}

test('the extent runs from the smallest to the largest value', () => {
  const { min, max } = extentOf([3, -1, 2]);
  expect([min, max]).toEqual([-1, 3]);
  expect(extentOf([3, -1, 2]).range()).toBe(4);
});

test('a range beyond the largest double is undefined', () => {
  expect(extentOf([1e308, -1e308]).range()).toBeUndefined();
});

test('merged extents cover both, and an empty one changes nothing', () => {
  const merged = extentOf([1, 2]);
  merged.merge(extentOf([0, 5]));
  merged.merge(new Extent());
  expect([merged.min, merged.max]).toEqual([0, 5]);
});

test('a restored extent goes on equally', () => {
  const resumed = new Extent();
  resumed.restore(throughDisk(new Extent().snapshot()));
  resumed.add(4);
  expect([resumed.min, resumed.max]).toEqual([4, 4]);
});
