import { expect, test } from 'vitest';
import type { AlarmRow } from '../../../gateway/core/sink.ts';
import { FreshAcknowledgements } from '../../../gateway/runtime/fresh-acknowledgements.ts';

function row(id: string, acknowledgedAt: number | null = null): AlarmRow {
  const names = { series: 'd/m', device: 'd', metric: 'm', detector: 'range', severity: 'critical', message: '' };
  return { id, ...names, score: 1, value: 1, raisedAt: 1, clearedAt: null, acknowledgedAt };
}

test('an acknowledgement shows at once, before the history has it, and on its own alarm only', () => {
  const fresh = new FreshAcknowledgements();
  fresh.add('a', 5);
  expect(fresh.applyTo([row('a'), row('b')]).map(({ acknowledgedAt }) => acknowledgedAt)).toEqual([5, null]);
});

test('once the history shows it, the history counts', () => {
  const fresh = new FreshAcknowledgements();
  fresh.add('a', 5);
  expect(fresh.applyTo([row('a', 4)])[0]?.acknowledgedAt).toBe(4);
  expect(fresh.applyTo([row('a')])[0]?.acknowledgedAt).toBeNull();
});

test('no more than a thousand are kept', () => {
  const fresh = new FreshAcknowledgements();
  for (let i = 0; i < 1_001; i++) fresh.add(String(i), 5);
  expect(fresh.applyTo([row('0'), row('1')]).map(({ acknowledgedAt }) => acknowledgedAt)).toEqual([null, 5]);
});
