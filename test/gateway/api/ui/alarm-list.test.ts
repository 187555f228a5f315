import { describe, expect, test, vi } from 'vitest';
import { AlarmList, MAX_ALARMS } from '../../../../gateway/api/ui/alarm-list.ts';
import type { AlarmEvent, Severity } from '../../../../gateway/core/result.ts';

function step(id: string, state: AlarmEvent['state'], time = 1000, severity: Severity = 'warning'): AlarmEvent {
  const series = { key: 'a/x', device: 'a', metric: 'x', tags: {} };
  const rest = { detector: 'range', raisedAt: 1000, score: 2, value: 9, message: 'too high' };
  return { kind: 'alarm', id, series, severity, state, time, ...rest };
}

const ids = (list: AlarmList) => list.open().map((row) => row.id);

describe('AlarmList', () => {
  test('follows the life of an alarm from the stream alone', () => {
    const list = new AlarmList();
    list.take(step('1', 'raised'));
    expect(ids(list)).toEqual(['1']);
    list.take(step('1', 'acknowledged', 1500));
    expect(list.open()[0]?.acknowledgedAt).toBe(1500);
    list.take(step('1', 'cleared', 2000));
    expect(ids(list)).toEqual([]);
    expect(list.of('a/x')[0]).toMatchObject({ clearedAt: 2000, acknowledgedAt: 1500 });
  });

  test('what the stream said is not undone by a history that is behind', () => {
    const list = new AlarmList();
    list.take(step('1', 'raised'));
    const behind = list.open();
    list.take(step('2', 'raised'));
    list.take(step('1', 'cleared', 2000));
    list.take(step('1', 'acknowledged', 2500));
    list.load(behind);
    expect(ids(list)).toEqual(['2']);
  });

  test('the history has the last word once it has surely caught up', () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const list = new AlarmList();
    list.take(step('1', 'raised'));
    clock.mockReturnValue(16_000);
    list.load([]);
    clock.mockRestore();
    expect(ids(list)).toEqual([]);
  });

  test('an alarm that is over stays until somebody has seen it, one that is shelved says until when', () => {
    const list = new AlarmList();
    list.take(step('1', 'raised'));
    list.take({ ...step('1', 'shelved', 1200), until: 9000 });
    expect(list.open()[0]).toMatchObject({ state: 'shelved', shelvedUntil: 9000 });
    list.take(step('1', 'unshelved', 1300));
    list.take({ ...step('1', 'cleared', 2000), count: 7 });
    expect(list.open()).toMatchObject([{ state: 'returned', clearedAt: 2000, count: 7, shelvedUntil: null }]);
    list.take({ ...step('1', 'acknowledged', 3000), by: 'Ada' });
    expect(ids(list)).toEqual([]);
    list.take({ ...step('2', 'raised'), suppressed: 'flood' });
    list.take({ ...step('3', 'raised'), suppressed: 'shelved' });
    expect(list.open().map(({ state }) => state)).toEqual(['suppressed', 'shelved']);
  });

  test('is bounded', () => {
    const list = new AlarmList();
    for (let i = 0; i < MAX_ALARMS + 50; i++) list.take(step(String(i), 'raised'));
    expect(list.of('a/x')).toHaveLength(MAX_ALARMS);
    expect(list.of('a/x').at(-1)?.id).toBe(String(MAX_ALARMS + 49));
  });

  test('what waits for a person comes first, and the gravest of that', () => {
    const list = new AlarmList();
    list.take(step('info', 'raised', 1000, 'info'));
    list.take(step('seen', 'raised', 1000, 'critical'));
    list.take(step('seen', 'acknowledged', 1100, 'critical'));
    list.take(step('grave', 'raised', 1000, 'critical'));
    list.take(step('warm', 'raised', 1000, 'warning'));
    expect(ids(list)).toEqual(['grave', 'warm', 'info', 'seen']);
  });
});
