import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Spread } from '../../../../gateway/pipeline/aggregate/spread.ts';
import { throughDisk } from '../make-reading.ts';

function spreadOf(values: readonly number[]): Spread {
  const spread = new Spread();
  for (const value of values) spread.add(value);
  return spread;
}

/** In two passes, as it is defined. */
function variance(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((all, value) => all + (value - mean) ** 2, 0) / (values.length - 1);
}

test('the spread is that of a sample, divided by n − 1', () => {
  expect(spreadOf([2, 4, 4, 4, 5, 5, 7, 9]).variance()).toBeCloseTo(32 / 7, 14);
  expect(spreadOf([2, 4, 4, 4, 5, 5, 7, 9]).stddev()).toBeCloseTo(Math.sqrt(32 / 7), 14);
});

test('a single value has no spread', () => {
  expect(spreadOf([5]).stddev()).toBe(0);
  expect(spreadOf([]).variance()).toBe(0);
});

test('a small spread around a large mean does not cancel out', () => {
  expect(spreadOf([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]).variance()).toBe(30);
});

test('huge values have a standard deviation as long as a double can hold it', () => {
  expect(spreadOf([1e200, -1e200]).stddev()! / (Math.SQRT2 * 1e200)).toBeCloseTo(1, 14);
  expect(spreadOf([1e200, -1e200]).variance()).toBeUndefined();
  expect(spreadOf([1.7e308, -1.7e308]).stddev()).toBeUndefined();
});

test('merged parts have the spread of the whole', () => {
  const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(values, values, (left, right) => {
      const merged = spreadOf(left);
      merged.merge(spreadOf(right));
      expect(merged.variance()).toBeCloseTo(variance([...left, ...right]), 6);
    }),
  );
});

test('an empty part and a huge part can be merged', () => {
  const merged = spreadOf([1, 2]);
  merged.merge(new Spread());
  expect(merged.variance()).toBeCloseTo(0.5, 14);
  merged.merge(spreadOf([1e200]));
  expect(merged.stddev()! / (1e200 / Math.sqrt(3))).toBeCloseTo(1, 12);
});

test('a restored spread goes on equally', () => {
  const resumed = new Spread();
  resumed.restore(throughDisk(spreadOf([1, 2, 4]).snapshot()));
  resumed.add(8);
  expect(resumed.snapshot()).toEqual(spreadOf([1, 2, 4, 8]).snapshot());
});
