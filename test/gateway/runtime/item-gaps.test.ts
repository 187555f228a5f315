import { expect, test } from 'vitest';
import type { LogRecord } from '../../../gateway/core/log.ts';
import { ItemGaps } from '../../../gateway/runtime/item-gaps.ts';

function record(ordinal: number, items: number): LogRecord {
  return { offset: 0, ordinal, items, time: 0, payload: new Uint8Array() };
}

test.each([
  { what: 'nothing', expected: 10, records: [record(10, 5), record(15, 5)], appended: 20, lost: 0 },
  { what: 'the first', expected: 10, records: [record(15, 5)], appended: 20, lost: 5 },
  { what: 'one in between', expected: 10, records: [record(10, 5), record(17, 3)], appended: 20, lost: 2 },
  { what: 'the last', expected: 10, records: [record(10, 5)], appended: 20, lost: 5 },
  { what: 'everything', expected: 10, records: [], appended: 20, lost: 10 },
  { what: 'the journal itself', expected: 10, records: [], appended: 0, lost: 0 },
  { what: 'what a lost checkpoint had covered', expected: undefined, records: [record(10, 5)], appended: 15, lost: 0 },
  {
    what: 'one, without a checkpoint',
    expected: undefined,
    records: [record(0, 5), record(8, 2)],
    appended: 10,
    lost: 3,
  },
])('where damage has taken $what, $lost items are lost', ({ expected, records, appended, lost }) => {
  const told: number[] = [];
  const gaps = new ItemGaps(expected, (items) => told.push(items));
  for (const one of records) gaps.pass(one);
  gaps.end(appended);
  expect(gaps.items).toBe(lost);
  expect(told.reduce((sum, items) => sum + items, 0)).toBe(lost);
  expect(told).not.toContain(0);
});

test('a record that is there, and cannot be understood, is lost once', () => {
  const told: number[] = [];
  const gaps = new ItemGaps(10, (items) => told.push(items));
  gaps.pass(record(10, 5));
  gaps.unreadable(record(10, 5));
  gaps.pass(record(15, 5));
  gaps.end(20);
  expect(gaps.items).toBe(5);
  expect(told).toEqual([5]);
});
