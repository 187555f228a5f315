import { expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

test('a flood that would be over while it goes on is refused, where it stands', () => {
  expect(briefly(problemsOf('alarms: { flood: { above: 4, below: 5 } }'))).toEqual([
    '1:37 alarms.flood.below: a flood begins with more than 4 alarms and is over with fewer than 5: it would never be over, or begin at once',
  ]);
  expect(problemsOf('alarms: { flood: { above: 4, below: 4 } }')).toEqual([]);
});

test('without floods it does not matter when one is over', () => {
  expect(configurationOf('alarms: { flood: { above: 0 } }').alarms).toEqual({
    maxShelvingMs: 86_400_000,
    maxMaintenanceMs: 604_800_000,
    groupWithinMs: 60_000,
    flood: { above: 0, below: 5, withinMs: 600_000 },
  });
});

test('maintenance is planned once or every week, in a time zone', () => {
  const text = `maintenance:
  - { series: "press-1/*", from: 2026-12-01T06:00:00+01:00, to: 2026-12-02 }
  - { series: "*", on: [saturday], at: 22:00, for: 8h, timeZone: Europe/Berlin, reason: cleaning }`;
  expect(configurationOf(text).maintenance).toEqual([
    { series: 'press-1/*', reason: undefined, schedule: { from: Date.UTC(2026, 11, 1, 5), to: Date.UTC(2026, 11, 2) } },
    {
      series: '*',
      reason: 'cleaning',
      schedule: { on: ['saturday'], at: '22:00', forMs: 28_800_000, timeZone: 'Europe/Berlin' },
    },
  ]);
});

test.each([
  ['from: 2026-12-02, to: 2026-12-01', 'over before it begins'],
  ['on: [saturday], at: "25:00", for: 8h, timeZone: UTC', 'Cannot plan maintenance at "25:00"'],
  ['on: [saturday], at: "22:00", for: 8d, timeZone: UTC', 'a weekly maintenance of 8 days'],
  ['on: [saturday], at: "22:00", for: 8h, timeZone: Mars', 'the time zone "Mars"'],
  ['on: [someday], at: "22:00", for: 8h, timeZone: UTC', 'someday'],
  ['on: [], at: "22:00", for: 8h, timeZone: UTC', 'on'],
  ['on: [monday], at: "22:00", for: 8h', 'timeZone'],
])('a maintenance with %s is refused', (words, problem) => {
  const problems = briefly(problemsOf(`maintenance: [{ series: "*", ${words} }]`));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});
