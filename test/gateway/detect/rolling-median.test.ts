import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addValue, medianOf, replaceOldest } from '../../../gateway/detect/rolling-median.ts';

test('the order of the ring equals that of sorting the last values, after every value', () => {
  const seed = Date.now() & 0x7fffffff;
  process.stdout.write(`rolling-median seed ${seed}\n`);
  const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(value, { maxLength: 200 }), (window, values) => {
      const ring = new Float64Array(window);
      const order = new Uint8Array(window);
      values.forEach((next, i) => {
        if (i < window) addValue(ring, order, i, next);
        else replaceOldest(ring, order, window, i % window, next);
        const size = Math.min(i + 1, window);
        const sorted = Array.from(order.subarray(0, size), (slot) => ring[slot]! + 0);
        const last = values.slice(i + 1 - size, i + 1).map((recent) => recent + 0);
        expect(sorted).toEqual(last.sort((a, b) => a - b));
      });
    }),
    { seed, numRuns: 300 },
  );
});

test('the median of an even number of values is the mean of the two in the middle', () => {
  const ring = Float64Array.of(4, 1, 3, 2);
  const order = Uint8Array.of(1, 3, 2, 0);
  expect(medianOf(ring, order, 4)).toBe(2.5);
  expect(medianOf(Float64Array.of(7), Uint8Array.of(0), 1)).toBe(7);
  expect(medianOf(Float64Array.of(3, 1, 2), Uint8Array.of(1, 2, 0), 3)).toBe(2);
});
