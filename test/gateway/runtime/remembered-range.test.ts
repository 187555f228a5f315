import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RememberedRange } from '../../../gateway/runtime/remembered-range.ts';

test('without readings nothing has to be kept for remembering', () => {
  expect(new RememberedRange(10).start(5, 42)).toEqual({ offset: 42, skip: 0 });
});

test('the start leaves exactly the readings asked for, or all where there are fewer', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(9), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 30 }),
      fc.nat(30),
      (records, capacity, wanted) => {
        const range = new RememberedRange(capacity);
        for (const [offset, readings] of records.entries()) range.add(offset, readings);
        const asked = Math.min(wanted, capacity);
        const { offset, skip } = range.start(asked, records.length);
        expect(sum(records.slice(offset)) - skip).toBe(Math.min(asked, sum(records)));
      },
    ),
    { verbose: 1 },
  );
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
