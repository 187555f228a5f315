import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CalendarUnit, CalendarWindows } from '../../../../gateway/pipeline/windows/calendar-windows.ts';

const HOUR = 3_600_000;
const UNITS: readonly CalendarUnit[] = ['day', 'week', 'month', 'year'];

/** The window that holds a time, as times of the zone. */
function windowAt(unit: CalendarUnit, zone: string, iso: string) {
  const windows = new CalendarWindows(unit, zone);
  const start = windows.startOf(Date.parse(iso));
  return [start, windows.endOf(start)].map((time) => new Date(time).toISOString());
}

test.each([
  ['day', 'Europe/Berlin', '2026-07-01T22:30:00Z', '2026-07-01T22:00:00.000Z', '2026-07-02T22:00:00.000Z'],
  ['week', 'Europe/Berlin', '2026-11-22T22:59:59.999Z', '2026-11-15T23:00:00.000Z', '2026-11-22T23:00:00.000Z'],
  ['month', 'America/New_York', '2026-03-01T04:59:00Z', '2026-02-01T05:00:00.000Z', '2026-03-01T05:00:00.000Z'],
  ['year', 'UTC', '2026-11-25T00:00:00Z', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['day', 'Asia/Kathmandu', '2026-01-01T18:15:00Z', '2026-01-01T18:15:00.000Z', '2026-01-02T18:15:00.000Z'],
] as const)('the %s in %s that holds %s begins and ends there', (unit, zone, time, start, end) => {
  expect(windowAt(unit, zone, time)).toEqual([start, end]);
});

test('a day has 23 hours where clocks go forward, and 25 where they go back', () => {
  const days = new CalendarWindows('day', 'Europe/Berlin');
  const length = (iso: string) => {
    const start = days.startOf(Date.parse(iso));
    return (days.endOf(start) - start) / HOUR;
  };
  expect(length('2026-03-29T12:00:00Z')).toBe(23);
  expect(length('2026-10-25T12:00:00Z')).toBe(25);
});

test('a day without a midnight begins with its first moment, and the day after at midnight again', () => {
  // In Cairo clocks go from 0:00 to 1:00.
  expect(windowAt('day', 'Africa/Cairo', '2026-04-24T12:00:00Z')).toEqual([
    '2026-04-23T22:00:00.000Z',
    '2026-04-24T21:00:00.000Z',
  ]);
});

test('a time zone that is not known is refused', () => {
  expect(() => new CalendarWindows('day', 'Mars/Olympus')).toThrow(
    'Cannot make windows in the time zone "Mars/Olympus"',
  );
});

describe('whatever the time zone', () => {
  // In St. John's clocks were changed one minute after midnight, in Apia a whole day is missing.
  const zone = fc.constantFrom(
    'Europe/London',
    'America/St_Johns',
    'Pacific/Apia',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
  );
  const time = fc.double({ min: Date.parse('1990-01-01'), max: Date.parse('2030-01-01'), noNaN: true });

  test('windows hold the time they are asked for, and stand side by side', () => {
    fc.assert(
      fc.property(zone, fc.constantFrom(...UNITS), time, (timeZone, unit, moment) => {
        const windows = new CalendarWindows(unit, timeZone);
        const start = windows.startOf(moment);
        const end = windows.endOf(start);
        expect(start <= moment && moment < end).toBe(true);
        expect(end - start).toBeGreaterThanOrEqual(
          unit === 'day' ? windows.leastStepMs - 20 * HOUR : windows.leastStepMs,
        );
        const fresh = new CalendarWindows(unit, timeZone);
        expect(fresh.startOf(end)).toBe(end);
        expect(fresh.startOf(end - 0.5)).toBe(start);
        expect(fresh.startOf(moment)).toBe(start);
      }),
      { numRuns: 500 },
    );
  });
});
