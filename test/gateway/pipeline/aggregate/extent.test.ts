import { expect, test } from 'vitest';
import { Extent } from '../../../../gateway/pipeline/aggregate/extent.ts';

const extent = new Extent(1);

function numbersOf(values: readonly number[]): number[] {
  const numbers = [7, ...extent.initial];
  for (const value of values) extent.add(numbers, value);
  return numbers;
}

test('the extent runs from the smallest to the largest value', () => {
  expect(numbersOf([3, -1, 2])).toEqual([7, -1, 3]);
  const numbers = numbersOf([3, -1, 2]);
  expect([extent.min(numbers), extent.max(numbers), extent.range(numbers)]).toEqual([-1, 3, 4]);
});

test('a range beyond the largest double is undefined', () => {
  expect(extent.range(numbersOf([1e308, -1e308]))).toBeUndefined();
});

test('merged extents cover both, and an empty one changes nothing', () => {
  const merged = numbersOf([1, 2]);
  extent.merge(merged, numbersOf([0, 5]), extent.at);
  extent.merge(merged, numbersOf([]), extent.at);
  expect(merged).toEqual([7, 0, 5]);
});
