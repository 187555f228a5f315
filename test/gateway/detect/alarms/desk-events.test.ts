import { expect, test } from 'vitest';
import { acknowledgedEvent, shelvedEvent, unshelvedEvent } from '../../../../gateway/detect/alarms/desk-events.ts';
import { raise } from './alarm-steps.ts';

const raised = raise('press-1', Date.parse('2026-11-23T08:15:00Z'));
const time = Date.parse('2026-11-23T08:20:00Z');
const what = 'The range alarm of load of press-1, raised 2026-11-23T08:15:00.000Z';
const seen = 'load of press-1 is 40 where at most 20 was expected.';

test('an acknowledgement tells who, when, and what of', () => {
  const event = acknowledgedEvent(raised, { time, by: 'Ada', isActive: true });
  expect(event.message).toBe(`${what}, was acknowledged at 2026-11-23T08:20:00.000Z by Ada: ${seen}`);
  expect(event).toMatchObject({ id: raised.id, state: 'acknowledged', time, by: 'Ada', active: true, value: 40 });
});

test('shelving tells until when and why, and is for nobody', () => {
  const event = shelvedEvent({ raised, by: 'Ada', reason: 'a loose wire', until: time }, time - 1, false);
  expect(event.message).toBe(`${what}, is shelved by Ada until 2026-11-23T08:20:00.000Z (a loose wire): ${seen}`);
  expect(event).toMatchObject({ state: 'shelved', suppressed: 'shelved', active: false, time: time - 1, until: time });
});

test('what is no longer shelved tells whether it is active', () => {
  const over = unshelvedEvent(raised, { time, by: undefined, isActive: false });
  expect(over.message).toBe(
    `${what}, is no longer shelved since 2026-11-23T08:20:00.000Z, as its time is up; it is not active.`,
  );
  const active = unshelvedEvent(raised, { time, by: 'Ada', isActive: true });
  expect(active.message).toContain(`, by Ada; it is still active: ${seen}`);
  expect(active).toMatchObject({ state: 'unshelved', active: true, suppressed: undefined });
});
