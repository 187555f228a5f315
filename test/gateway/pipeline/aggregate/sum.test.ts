import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sum } from '../../../../gateway/pipeline/aggregate/sum.ts';

const sum = new Sum(2);
const empty = (): number[] => [7, 7, ...sum.initial];

function numbersOf(values: readonly number[]): number[] {
  const numbers = empty();
  for (const value of values) sum.add(numbers, value);
  return numbers;
}

const sumOf = (values: readonly number[]) => sum.sum(numbersOf(values));
const meanOf = (values: readonly number[]) => sum.mean(numbersOf(values), values.length);

test('what rounding loses is not lost', () => {
  expect(sumOf([1, 1e100, 1, -1e100])).toBe(2);
  expect(sumOf(Array.from({ length: 10 }, () => 0.1))).toBe(1);
  expect(meanOf(Array.from({ length: 10 }, () => 0.1))).toBe(0.1);
});

test('a sum beyond the largest double is undefined, its mean is not', () => {
  const huge = [1.7e308, 1.7e308, 1.7e308];
  expect(sumOf(huge)).toBeUndefined();
  expect(meanOf(huge)).toBeCloseTo(1.7e308, -295);
  expect(meanOf([Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Number.MAX_VALUE);
});

test('huge values that cancel leave a finite sum', () => {
  expect(sumOf([3, 1.5e308, 1.5e308, -1.5e308, -1.5e308])).toBe(3);
});

test('merged parts sum up as the whole does, also where only one part is huge', () => {
  for (const [left, right] of [
    [[1, 2], [3]],
    [[1e300, 5], [2]],
    [[2], [1e300, 5]],
    [[], [1e308, 1e308]],
  ] as const) {
    const merged = numbersOf(left);
    sum.merge(merged, numbersOf(right), sum.at);
    expect(sum.sum(merged)).toBe(sumOf([...left, ...right]));
  }
});

test('merging anywhere changes nothing but the last digits', () => {
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }));
  fc.assert(
    fc.property(values, values, (left, right) => {
      const merged = numbersOf(left);
      sum.merge(merged, numbersOf(right), sum.at);
      expect(sum.sum(merged)).toBeCloseTo(sumOf([...left, ...right])!, 9);
    }),
  );
});

test('a sum keeps to its own numbers', () => {
  expect(numbersOf([0.1, 1e200]).slice(0, 2)).toEqual([7, 7]);
  expect(numbersOf([0.1, 1e200])).toHaveLength(2 + sum.initial.length);
});
