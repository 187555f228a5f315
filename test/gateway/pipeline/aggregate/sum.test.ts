import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sum } from '../../../../gateway/pipeline/aggregate/sum.ts';
import { throughDisk } from '../make-reading.ts';

function sumOf(values: readonly number[]): Sum {
  const sum = new Sum();
  for (const value of values) sum.add(value);
  return sum;
}

test('what rounding loses is not lost', () => {
  expect(sumOf([1, 1e100, 1, -1e100]).sum()).toBe(2);
  expect(sumOf(Array.from({ length: 10 }, () => 0.1)).sum()).toBe(1);
  expect(sumOf(Array.from({ length: 10 }, () => 0.1)).mean(10)).toBe(0.1);
});

test('a sum beyond the largest double is undefined, its mean is not', () => {
  const sum = sumOf([1.7e308, 1.7e308, 1.7e308]);
  expect(sum.sum()).toBeUndefined();
  expect(sum.mean(3)).toBeCloseTo(1.7e308, -295);
  expect(sumOf([Number.MAX_VALUE, Number.MAX_VALUE]).mean(2)).toBe(Number.MAX_VALUE);
});

test('huge values that cancel leave a finite sum', () => {
  expect(sumOf([3, 1.5e308, 1.5e308, -1.5e308, -1.5e308]).sum()).toBe(3);
});

test('merged parts sum up as the whole does, also where only one part is huge', () => {
  for (const [left, right] of [
    [[1, 2], [3]],
    [[1e300, 5], [2]],
    [[2], [1e300, 5]],
    [[], [1e308, 1e308]],
  ] as const) {
    const merged = sumOf(left);
    merged.merge(sumOf(right));
    expect(merged.sum()).toBe(sumOf([...left, ...right]).sum());
  }
});

test('merging anywhere changes nothing but the last digits', () => {
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }));
  fc.assert(
    fc.property(values, values, (left, right) => {
      const merged = sumOf(left);
      merged.merge(sumOf(right));
      expect(merged.sum()).toBeCloseTo(sumOf([...left, ...right]).sum()!, 9);
    }),
  );
});

test('a restored sum goes on equally', () => {
  const resumed = new Sum();
  resumed.restore(throughDisk(sumOf([0.1, 1e200, 0.2]).snapshot()));
  resumed.add(0.3);
  expect(resumed.snapshot()).toEqual(sumOf([0.1, 1e200, 0.2, 0.3]).snapshot());
});
