import { expect, test } from 'vitest';
import { listOf, numberOf, numbersOf, recordOf, textOf, unreadable } from '../../../gateway/pipeline/snapshot.ts';

test('what has the expected form passes', () => {
  expect(numbersOf([1, Number.POSITIVE_INFINITY], 2, 'a pair')).toEqual([1, Number.POSITIVE_INFINITY]);
  expect(listOf(['a'], 'a list')).toEqual(['a']);
  expect(recordOf({ a: 1 }, 'a record')).toEqual({ a: 1 });
  expect(numberOf(1, 'a number')).toBe(1);
  expect(textOf('a', 'a text')).toBe('a');
});

test('anything else is refused, with what was to be restored and how to recover', () => {
  for (const read of [
    () => numbersOf([1], 2, 'x'),
    () => numbersOf([1, 'a'], 2, 'x'),
    () => listOf({}, 'x'),
    () => recordOf(null, 'x'),
    () => numberOf('1', 'x'),
    () => textOf(1, 'x'),
  ]) {
    expect(read).toThrow(/^Cannot restore x from its snapshot: found /);
  }
  expect(unreadable('x', 5).hint).toContain('start without it');
});
