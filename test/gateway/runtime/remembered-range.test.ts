import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RememberedRange } from '../../../gateway/runtime/remembered-range.ts';

test('without readings nothing has to be kept for remembering', () => {
  expect(new RememberedRange(10).from(42)).toBe(42);
});

test('the range always holds the capacity and never one record more than it needs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(9), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 30 }),
      (records, capacity) => {
        const range = new RememberedRange(capacity);
        for (const [offset, readings] of records.entries()) range.add(offset, readings);
        const from = range.from(records.length);
        const held = sum(records.slice(from));
        if (sum(records) >= capacity) expect(held).toBeGreaterThanOrEqual(capacity);
        else expect(held).toBe(sum(records));
        expect(held - (records[from] ?? 0)).toBeLessThan(capacity);
      },
    ),
    { verbose: 1 },
  );
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
