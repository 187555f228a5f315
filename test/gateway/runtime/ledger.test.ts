import { expect, test } from 'vitest';
import { Fate } from '../../../gateway/core/stage.ts';
import { countFate, imbalance, Ledger } from '../../../gateway/runtime/ledger.ts';

test('a ledger balances when every received reading has a fate or is in flight', () => {
  const ledger = new Ledger();
  const row = ledger.row('floor');
  row.received += 6;
  for (const fate of Object.values(Fate)) countFate(row, fate);
  row.inFlight++;
  expect(imbalance(ledger.total())).toBe(1);
  row.rejected++;
  expect(imbalance(ledger.total())).toBe(0);
  expect(ledger.total()).toMatchObject({ aggregated: 1, late: 1, duplicate: 1, filtered: 1 });
});

test('a snapshot leaves out what is in flight, because a replay counts it again', () => {
  const ledger = new Ledger();
  Object.assign(ledger.row('floor'), { received: 10, inFlight: 3, aggregated: 7 });
  const restored = new Ledger();
  restored.restore(ledger.snapshot());
  expect(restored.total()).toMatchObject({ received: 7, inFlight: 0, aggregated: 7 });
  expect(imbalance(restored.total())).toBe(0);
});

test('a row that was taken before the restore goes on counting after it', () => {
  const before = new Ledger();
  before.row('floor').received = 5;
  const ledger = new Ledger();
  const row = ledger.row('floor');
  ledger.restore(before.snapshot());
  row.received++;
  expect(ledger.total().received).toBe(6);
});
