import { expect, test } from 'vitest';
import type { ResultSeries } from '../../../../gateway/core/result.ts';
import {
  clearedEvent,
  raisedEvent,
  setBackEvent,
  withdrawnEvent,
} from '../../../../gateway/detect/alarms/alarm-events.ts';

const at = (time: string) => Date.parse(`2026-11-23T${time}Z`);
const series: ResultSeries = { key: 'press-1/oil', device: 'press-1', metric: 'oil', tags: {}, unit: '°C' };
const raisedFacts = {
  series,
  detector: 'novelty',
  ruleName: 'novelty#2',
  severity: 'warning',
  priority: 620,
  time: at('08:15:05'),
  since: at('08:15:00'),
  score: 3.25,
  value: 93.2,
  count: 1,
  expected: 'between 18.2 and 24.9',
} as const;
const raised = raisedEvent(raisedFacts);
const facts = { time: at('08:16:05'), lastedMs: 60_000, lastAnomaly: at('08:15:20'), score: 0.1, value: 21, count: 1 };

test('a raised alarm says what was seen, what was expected, in which unit and since when', () => {
  expect(raised.message).toBe(
    'oil of press-1 is 93.2 °C where between 18.2 and 24.9 was expected, since 2026-11-23T08:15:00.000Z (novelty, score 3.25).',
  );
  expect(raised).toMatchObject({
    kind: 'alarm',
    id: `novelty#2@press-1/oil@${at('08:15:05')}`,
    detector: 'novelty',
    priority: 620,
    state: 'raised',
    time: at('08:15:05'),
    raisedAt: at('08:15:05'),
  });
});

test('a series without a unit is said without one', () => {
  const { unit: _, ...unitless } = series;
  const event = clearedEvent({ ...raised, series: unitless }, { ...facts, time: at('08:16:00') });
  expect(event.message).toContain('oil of press-1 is 21, with no anomaly');
});

test('a cleared alarm says how it is now, the last anomaly and how long it lasted', () => {
  const cleared = clearedEvent(raised, facts);
  expect(cleared.message).toBe(
    'oil of press-1 is 21 °C, with no anomaly since 2026-11-23T08:15:20.000Z; the alarm of 2026-11-23T08:15:05.000Z lasted 1 min.',
  );
  expect(cleared).toMatchObject({ id: raised.id, state: 'cleared', raisedAt: raised.raisedAt, score: 0.1, value: 21 });
});

test('one that chatters says how often it came', () => {
  const chattering = raisedEvent({ ...raisedFacts, count: 3 });
  expect(chattering.count).toBe(3);
  expect(chattering.message).toContain('score 3.25); it came 3 times within a minute, and is one until it was away');
  expect(clearedEvent(chattering, { ...facts, count: 17 })).toMatchObject({
    count: 17,
    message: expect.stringMatching(/lasted 1 min, and came 17 times\.$/),
  });
});

test('every step of an alarm has its id and the time it was raised', () => {
  for (const event of [setBackEvent(raised, 1e12), withdrawnEvent(raised, 1e12)]) {
    expect(event).toMatchObject({ id: raised.id, raisedAt: raised.raisedAt, time: 1e12, value: 93.2, score: 3.25 });
    expect(event.message).toMatch(/^The novelty .* of oil of press-1.*\.$/);
  }
  expect(withdrawnEvent(raised, 1e12).state).toBe('cleared');
});

test('a time no calendar reaches is said too', () => {
  expect(setBackEvent({ ...raised, raisedAt: 1e300 }, 1).message).toContain('1e+300');
});
