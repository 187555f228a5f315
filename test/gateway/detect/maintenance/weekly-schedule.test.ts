import { expect, test } from 'vitest';
import { WeeklySchedule } from '../../../../gateway/detect/maintenance/weekly-schedule.ts';

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(text);

test('it comes every week on its days, from a time of the day in its time zone', () => {
  const schedule = new WeeklySchedule(['saturday'], '22:00', 8 * HOUR, 'Europe/Berlin');
  const covered = [
    '2026-11-28T20:59:59Z', // Saturday
    '2026-11-28T21:00:00Z',
    '2026-11-29T04:59:59Z',
    '2026-11-29T05:00:00Z',
    '2026-11-29T21:30:00Z', // Sunday
    '2026-12-05T21:30:00Z',
  ].map((time) => schedule.covers(at(time)));
  expect(covered).toEqual([false, true, true, false, false, true]);
});

test('it begins at the same time of the day in summer, and lasts as long over a change of the clocks', () => {
  const schedule = new WeeklySchedule(['saturday'], '22:00', 8 * HOUR, 'Europe/Berlin');
  // The clocks are set ahead on 2026-03-29 at two, back on 2026-10-25 at three.
  for (const [from, until] of [
    ['2026-07-04T20:00:00Z', '2026-07-05T04:00:00Z'],
    ['2026-03-28T21:00:00Z', '2026-03-29T05:00:00Z'],
    ['2026-10-24T20:00:00Z', '2026-10-25T04:00:00Z'],
  ] as const) {
    expect(schedule.nextAt(at(from) - 1)).toEqual({ from: at(from), until: at(until) });
    expect([at(from) - 1, at(from), at(until) - 1, at(until)].map((time) => schedule.covers(time))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  }
});

test('asked in any order it answers as one that is asked for the first time', () => {
  const make = () => new WeeklySchedule(['monday', 'friday'], '6:30', 30 * HOUR, 'America/New_York');
  const schedule = make();
  for (let i = 0; i < 400; i++) {
    const time = at('2026-03-01T00:00:00Z') + ((i * 7919) % 1500) * HOUR;
    expect(schedule.covers(time)).toBe(make().covers(time));
  }
});

test('stretches that follow each other all week long leave no gap', () => {
  const all = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
  const schedule = new WeeklySchedule(all, '00:00', 25 * HOUR, 'UTC');
  for (let hour = 0; hour < 500; hour++) expect(schedule.covers(at('2026-03-01T00:00:00Z') + hour * HOUR)).toBe(true);
});

test('what cannot be is refused', () => {
  expect(() => new WeeklySchedule(['monday'], '24:00', HOUR, 'UTC')).toThrow('maintenance at "24:00"');
  expect(() => new WeeklySchedule(['monday'], '12:00', 200 * HOUR, 'UTC')).toThrow('weekly maintenance of');
  expect(() => new WeeklySchedule(['monday'], '12:00', HOUR, 'Mars')).toThrow('the time zone "Mars"');
});
