import { expect, test } from 'vitest';
import { groupAlarms } from '../../../../gateway/api/ui/alarm-groups.ts';
import { alarmRow } from '../../../../gateway/detect/alarms/open-alarms.ts';
import { raise } from '../../detect/alarms/alarm-steps.ts';

const plain = { state: undefined, shelvedUntil: null };

test('alarms of one group are together, with the highest severity and one sentence', () => {
  const group = 'press-1@0';
  const rows = [
    alarmRow({ raised: { ...raise('press-1', 2000, 'info', 'oil'), group } }, plain),
    alarmRow({ raised: raise('pump-1', 1000) }, plain),
    alarmRow({ raised: { ...raise('press-1', 0, 'critical'), group }, clearedAt: 500, acknowledgedAt: 9 }, plain),
  ];
  const [press, pump] = groupAlarms(rows);
  expect(press).toMatchObject({
    id: group,
    device: 'press-1',
    severity: 'critical',
    priority: 900,
    since: 0,
    active: 1,
  });
  expect(press?.unacknowledged).toBe(1);
  expect(press?.alarms.map(({ metric }) => metric)).toEqual(['oil', 'load']);
  expect(press?.message).toBe(
    '2 alarms of press-1 since 1970-01-01T00:00:00.000Z, 1 of them active; the gravest (critical): load of press-1 is 40 where at most 20 was expected.',
  );
  expect(pump).toMatchObject({ id: rows[1]?.id, message: rows[1]?.message });
});
