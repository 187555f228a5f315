import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  RECENT_BYTES,
  RECENT_NUMBERS,
  RECENT_WINDOWS,
  RecentValues,
} from '../../../../gateway/detect/learning/recent-values.ts';

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1]!;
  return sorted.length % 2 === 1 ? upper : upper / 2 + sorted[(sorted.length >> 1) - 1]! / 2;
}

test('medians of what came before and extremes of what is there equal those of sorting, after every value', () => {
  const seed = Date.now() & 0x7fffffff;
  process.stdout.write(`recent-values seed ${seed}\n`);
  const value = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.double({ min: -1e300, max: 1e300, noNaN: true }));
  const [short, long] = RECENT_WINDOWS;
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 350 }), (values) => {
      const recent = new RecentValues();
      const numbers = new Float64Array(RECENT_NUMBERS);
      const orders = new Uint8Array(RECENT_BYTES);
      values.forEach((next, i) => {
        recent.add(numbers, orders, next);
        const before = (window: number) => (i === 0 ? [next] : values.slice(Math.max(0, i - window), i));
        expect(recent.shortMedian + 0).toBe(median(before(short)) + 0);
        expect(recent.longMedian + 0).toBe(median(before(long)) + 0);
        const last = values.slice(Math.max(0, i + 1 - long), i + 1);
        expect(recent.lowest + 0).toBe(Math.min(...last) + 0);
        expect(recent.highest + 0).toBe(Math.max(...last) + 0);
      });
    }),
    { seed, numRuns: 100 },
  );
});
