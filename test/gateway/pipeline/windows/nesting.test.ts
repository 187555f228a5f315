import { expect, test } from 'vitest';
import { type RollupShape, requireNesting } from '../../../../gateway/pipeline/windows/nesting.ts';

const MINUTE = 60_000;
const berlin = (calendar: 'day' | 'week' | 'month' | 'year') => ({ calendar, timeZone: 'Europe/Berlin' });

test.each<[object, RollupShape]>([
  [{ tumblingMs: MINUTE }, { tumblingMs: 2 * MINUTE }],
  [{ hoppingMs: MINUTE, everyMs: MINUTE }, { tumblingMs: 2 * MINUTE }],
  [{ tumblingMs: MINUTE }, berlin('day')],
  [{ tumblingMs: 60 * MINUTE }, berlin('year')],
  [{ tumblingMs: 15 * MINUTE }, { calendar: 'day', timeZone: 'Asia/Kathmandu' }],
  [{ tumblingMs: 30 * MINUTE }, { calendar: 'month', timeZone: 'Australia/Lord_Howe' }],
  [{ tumblingMs: 24 * 60 * MINUTE }, { calendar: 'month', timeZone: 'UTC' }],
  [berlin('day'), berlin('week')],
  [berlin('day'), berlin('month')],
  [berlin('month'), berlin('year')],
])('%j fits into %j', (part, whole) => {
  expect(() => requireNesting(part, whole)).not.toThrow();
});

test.each<[object, RollupShape, string, string]>([
  [{ tumblingMs: 1000 }, { tumblingMs: 1500 }, 'Cannot make windows of 1500 ms from windows of 1000 ms', 'multiple'],
  [{ tumblingMs: 1000 }, { tumblingMs: 1000 }, 'Cannot make windows of 1000 ms', 'at least twice that'],
  [
    { tumblingMs: 60 * MINUTE },
    { calendar: 'day', timeZone: 'Asia/Kolkata' },
    'one that begins at 1999-12-31T18:30:00.000Z cuts through such a window',
    '15m fit into any day',
  ],
  [{ tumblingMs: 60 * MINUTE }, { calendar: 'day', timeZone: 'Australia/Lord_Howe' }, 'cuts through', 'whole hours'],
  [{ tumblingMs: 7 * MINUTE }, { calendar: 'day', timeZone: 'UTC' }, 'from windows of 420000 ms', '1m or 15m'],
  [berlin('day'), { tumblingMs: 7 * 24 * 60 * MINUTE }, 'Cannot make windows of 604800000 ms', 'calendar: week'],
  [berlin('week'), berlin('month'), 'Cannot make a month from windows of a week each', 'shorter windows'],
  [berlin('month'), berlin('day'), 'Cannot make a day from windows of a month each', 'Allowed is calendar: year.'],
  [berlin('day'), { calendar: 'month', timeZone: 'UTC' }, 'in UTC', 'timeZone: Europe/Berlin'],
  [{ hoppingMs: 2000, everyMs: 1000 }, { tumblingMs: 4000 }, 'do not lie side by side', 'tumbling or calendar'],
  [{ sessionGapMs: 1000 }, { tumblingMs: 4000 }, 'do not lie side by side', 'tumbling or calendar'],
  [{ count: 10 }, berlin('day'), 'whose ends the readings decide', 'tumbling or calendar'],
])('%j does not fit into %j', (part, whole, message, hint) => {
  expect(() => requireNesting(part, whole)).toThrow(
    expect.objectContaining({ message: expect.stringContaining(message), hint: expect.stringContaining(hint) }),
  );
});
