import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Spread } from '../../../../gateway/pipeline/aggregate/spread.ts';

const spread = new Spread(1);

function numbersOf(values: readonly number[]): number[] {
  const numbers = [7, ...spread.initial];
  for (const value of values) spread.add(numbers, value);
  return numbers;
}

const varianceOf = (values: readonly number[]) => spread.variance(numbersOf(values));
const stddevOf = (values: readonly number[]) => spread.stddev(numbersOf(values));

/** In two passes, as it is defined. */
function variance(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((all, value) => all + (value - mean) ** 2, 0) / (values.length - 1);
}

test('the spread is that of a sample, divided by n − 1', () => {
  expect(varianceOf([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(32 / 7, 14);
  expect(stddevOf([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 14);
});

test('a single value has no spread', () => {
  expect(stddevOf([5])).toBe(0);
  expect(varianceOf([])).toBe(0);
});

test('a small spread around a large mean does not cancel out', () => {
  expect(varianceOf([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])).toBe(30);
});

test('huge values have a standard deviation as long as a double can hold it', () => {
  expect(stddevOf([1e200, -1e200])! / (Math.SQRT2 * 1e200)).toBeCloseTo(1, 14);
  expect(varianceOf([1e200, -1e200])).toBeUndefined();
  expect(stddevOf([1.7e308, -1.7e308])).toBeUndefined();
});

test('merged parts have the spread of the whole', () => {
  const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(values, values, (left, right) => {
      const merged = numbersOf(left);
      spread.merge(merged, numbersOf(right), spread.at);
      expect(spread.variance(merged)).toBeCloseTo(variance([...left, ...right]), 6);
    }),
  );
});

test('an empty part and a huge part can be merged', () => {
  const merged = numbersOf([1, 2]);
  spread.merge(merged, numbersOf([]), spread.at);
  expect(spread.variance(merged)).toBeCloseTo(0.5, 14);
  spread.merge(merged, numbersOf([1e200]), spread.at);
  expect(spread.stddev(merged)! / (1e200 / Math.sqrt(3))).toBeCloseTo(1, 12);
});

test('a spread keeps to its own numbers', () => {
  expect(numbersOf([1, 1e200])[0]).toBe(7);
  expect(numbersOf([1, 1e200])).toHaveLength(1 + spread.initial.length);
});
