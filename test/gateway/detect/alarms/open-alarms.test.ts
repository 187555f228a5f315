import { expect, test } from 'vitest';
import { alarmRow, MAX_RETURNED, OpenAlarms } from '../../../../gateway/detect/alarms/open-alarms.ts';
import { raise } from './alarm-steps.ts';

test('an alarm is open until it is over and acknowledged, in whichever order', () => {
  const open = new OpenAlarms();
  const [first, second] = [raise('a', 1), raise('b', 2, 'critical')];
  open.add({ raised: first });
  open.add({ raised: second });
  expect(open.activeBySeverity).toEqual({ info: 0, warning: 1, critical: 1 });
  expect(open.acknowledge(first.id, 10, 'Ada')).toBe(true);
  expect(open.acknowledge(first.id, 11, 'Bob')).toBe(false);
  expect([open.activeCount, open.unacknowledgedCount]).toEqual([2, 1]);
  open.clear(first.id, 20);
  open.clear(second.id, 21);
  expect([open.activeCount, open.returnedCount, open.unacknowledgedCount]).toEqual([0, 1, 1]);
  expect(open.get(first.id)).toBeUndefined();
  expect(open.get(second.id)).toMatchObject({ clearedAt: 21 });
  expect(open.acknowledge(second.id, 30, 'Ada')).toBe(true);
  expect([...open.all()]).toEqual([]);
  expect(open.activeBySeverity).toEqual({ info: 0, warning: 0, critical: 0 });
});

test('of those that are over and seen by nobody the oldest is forgotten for a further one, an active one never is', () => {
  const open = new OpenAlarms();
  open.add({ raised: raise('active', 0) });
  for (let i = 1; i <= MAX_RETURNED + 1; i++) {
    open.add({ raised: raise('d', i) });
    expect(open.clear(raise('d', i).id, i)).toBe(i > MAX_RETURNED);
  }
  expect(open.returnedCount).toBe(MAX_RETURNED);
  expect(open.get(raise('d', 1).id)).toBeUndefined();
  expect(open.isActive(raise('active', 0).id)).toBe(true);
  const resumed = new OpenAlarms();
  resumed.restore(structuredClone(open.snapshot()));
  expect([...resumed.all()]).toEqual([...open.all()]);
  expect(resumed.unacknowledgedCount).toBe(MAX_RETURNED + 1);
});

test('a row has the state that ISA-18.2 has for it', () => {
  const plain = { state: undefined, shelvedUntil: null };
  const raised = raise('a', 1);
  const states = [{ raised }, { raised, acknowledgedAt: 2 }, { raised, clearedAt: 3 }].map(
    (alarm) => alarmRow(alarm, plain).state,
  );
  expect(states).toEqual(['unacknowledged', 'acknowledged', 'returned']);
  expect(alarmRow({ raised }, { state: 'shelved', shelvedUntil: 9 })).toMatchObject({
    state: 'shelved',
    shelvedUntil: 9,
    priority: 500,
    count: 1,
    series: 'a/load',
  });
});
