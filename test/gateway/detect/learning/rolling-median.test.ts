import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  growOrder,
  joinWindow,
  medianDistanceOf,
  medianOf,
  newMedianBlock,
  slideOrder,
} from '../../../../gateway/detect/learning/rolling-median.ts';

test('the order of each window on a ring equals that of sorting its last values, after every value', () => {
  const seed = Date.now() & 0x7fffffff;
  process.stdout.write(`rolling-median seed ${seed}\n`);
  const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(value, { maxLength: 200 }), (window, values) => {
      // A shorter window shares the ring of a longer one, and its order stands behind the longer one's.
      const short = Math.ceil(window / 2);
      const ring = new Float64Array(window);
      const orders = new Uint8Array(window + short);
      const windows = [
        [0, window],
        [window, short],
      ] as const;
      values.forEach((next, i) => {
        const slot = i % window;
        for (const [at, size] of windows) {
          if (i < size) growOrder(ring, orders, at, i, slot, next);
          else slideOrder(ring, orders, at, size, (i - size) % window, slot, next);
        }
        ring[slot] = next;
        for (const [at, size] of windows) {
          const length = Math.min(i + 1, size);
          const sorted = Array.from(orders.subarray(at, at + length), (place) => ring[place]! + 0);
          const last = values.slice(i + 1 - length, i + 1).map((recent) => recent + 0);
          expect(sorted).toEqual(last.sort((a, b) => a - b));
          const centre = medianOf(ring, orders, at, length);
          const distances = sorted.map((one) => Math.abs(one - centre)).sort((a, b) => a - b);
          expect(medianDistanceOf(ring, orders, at, length, centre)).toBe(distances[length >> 1]);
        }
      });
    }),
    { seed, numRuns: 300 },
  );
});

test('a window of its own holds the last values, and leaves the numbers of its block alone', () => {
  const series = newMedianBlock(2, 3);
  series.numbers.set([7, 8]);
  let oldest = 0;
  const medians = [5, 1, 9, 4, 4, 0].map((value, seen) => {
    oldest = joinWindow(series, 3, seen, oldest, value);
    return medianOf(series.ring, series.order, 0, Math.min(seen + 1, 3));
  });
  expect(medians).toEqual([5, 3, 5, 4, 4, 4]);
  expect([...series.numbers]).toEqual([7, 8]);
  const block = series.numbers.buffer;
  expect([series.ring.buffer, series.order.buffer, block.byteLength]).toEqual([block, block, 2 * 8 + 3 * 8 + 3]);
});

test('the median of an even number of values is the mean of the two in the middle', () => {
  const ring = Float64Array.of(4, 1, 3, 2);
  const order = Uint8Array.of(1, 3, 2, 0);
  expect(medianOf(ring, order, 0, 4)).toBe(2.5);
  expect(medianOf(Float64Array.of(7), Uint8Array.of(0), 0, 1)).toBe(7);
  expect(medianOf(Float64Array.of(3, 1, 2), Uint8Array.of(9, 1, 2, 0), 1, 3)).toBe(2);
});
