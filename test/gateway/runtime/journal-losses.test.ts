import { expect, test } from 'vitest';
import type { LogRecord } from '../../../gateway/core/log.ts';
import { JOURNAL_SOURCE, JournalLosses } from '../../../gateway/runtime/journal-losses.ts';
import { imbalance, Ledger } from '../../../gateway/runtime/ledger.ts';

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
])('where damage has taken $what, $lost readings are received and dropped', ({ expected, records, appended, lost }) => {
  const ledger = new Ledger();
  const losses = new JournalLosses(ledger, expected);
  for (const one of records) losses.pass(one);
  losses.end(appended);
  expect(losses.lost).toBe(lost);
  expect(ledger.total()).toMatchObject({ received: lost, dropped: lost });
  expect([...ledger.sources().keys()]).toEqual(lost === 0 ? [] : [JOURNAL_SOURCE]);
});

test('a record that is there, and cannot be understood, is lost once', () => {
  const ledger = new Ledger();
  const losses = new JournalLosses(ledger, 10);
  losses.pass(record(10, 5));
  losses.unreadable(record(10, 5));
  losses.pass(record(15, 5));
  losses.end(20);
  expect(losses.lost).toBe(5);
  expect(imbalance(ledger.total())).toBe(0);
});
