import { expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

const WINDOWS = `windows:
  - { name: minute, window: { tumbling: 1m, allowedLateness: 10m }, aggregates: [count, mean, max] }
  - { name: five, window: { hopping: 5m, every: 1m }, aggregates: [mean] }
  - { name: some, window: { count: 100 }, aggregates: [mean] }
  - { name: day, window: { calendar: day, timeZone: Europe/Berlin }, aggregates: [count] }
`;

const withRollups = (...rollups: readonly string[]) =>
  `${WINDOWS}rollups:\n${rollups.map((rollup) => `  - { ${rollup} }\n`).join('')}`;

test('a rollup has what it says, and leaves the rest to what it is made from', () => {
  const file = withRollups(
    'name: hour, from: minute, window: { tumbling: 1h }, keep: 1y',
    'name: daily, from: hour, window: { calendar: day, timeZone: UTC }, aggregates: [sum], early: 1h',
  );
  expect(configurationOf(file).rollups).toEqual([
    {
      name: 'hour',
      from: 'minute',
      window: { tumblingMs: 3_600_000 },
      aggregates: undefined,
      earlyMs: undefined,
      keepMs: 365 * 86_400_000,
    },
    {
      name: 'daily',
      from: 'hour',
      window: { calendar: 'day', timeZone: 'UTC' },
      aggregates: ['sum'],
      earlyMs: 3_600_000,
      keepMs: undefined,
    },
  ]);
});

test.each([
  [
    'a name that nothing has',
    'name: hour, from: minutes, window: { tumbling: 1h }',
    '7:25 rollups[0].from: there is no window or rollup "minutes", did you mean minute?',
    'allowed: minute, five, some, day',
  ],
  [
    'a rollup of itself',
    'name: hour, from: hour, window: { tumbling: 1h }',
    '7:25 rollups[0].from: "hour" is made from itself',
    'it begins with a window',
  ],
  [
    'the name of a window',
    'name: five, from: minute, window: { tumbling: 1h }',
    '7:13 rollups[0].name: the name "five" is taken by windows[1]',
    'each window and rollup needs a name of its own',
  ],
  [
    'windows that do not fill it',
    'name: hour, from: minute, window: { tumbling: 90s }',
    '7:41 rollups[0].window: Cannot make windows of 90000 ms from windows of 60000 ms',
    'The size is a whole multiple of 60000 ms, at least twice that.',
  ],
  [
    'windows that overlap',
    'name: hour, from: five, window: { tumbling: 1h }',
    '7:39 rollups[0].window: Cannot merge windows that do not lie side by side',
    'A rollup is made from tumbling or calendar windows, or from another rollup.',
  ],
  [
    'windows that readings end',
    'name: hour, from: some, window: { tumbling: 1h }',
    '7:39 rollups[0].window: Cannot merge windows that do not lie side by side, or whose ends the readings decide',
    'A rollup is made from tumbling or calendar windows, or from another rollup.',
  ],
  [
    'days of another time zone',
    'name: month, from: day, window: { calendar: month, timeZone: UTC }',
    '7:39 rollups[0].window: Cannot make a month in UTC from windows of a day in Europe/Berlin',
    'Both are in one time zone: timeZone: Europe/Berlin.',
  ],
  [
    'a time zone that is not known',
    'name: d, from: minute, window: { calendar: day, timeZone: Mars/Olympus }',
    '7:38 rollups[0].window: Cannot make windows in the time zone "Mars/Olympus": it is not known',
    'Time zones have names',
  ],
  [
    'aggregates that the windows do not keep',
    'name: hour, from: minute, window: { tumbling: 1h }, aggregates: [mean, p95]',
    '7:71 rollups[0].aggregates: Cannot merge "p95": what it is made from does not keep what it takes',
    'What is kept there gives count, sum, mean, min, max, range; ask there for p95 as well.',
  ],
  [
    'an aggregate twice',
    'name: hour, from: minute, window: { tumbling: 1h }, aggregates: [mean, mean]',
    '7:78 rollups[0].aggregates[1]: "mean" is named twice',
    'leave one out',
  ],
  [
    'results that go before they are right',
    'name: hour, from: minute, window: { tumbling: 1h }, keep: 5m',
    '7:65 rollups[0].keep: a result would be corrected after the history has given it up: it keeps it for 5m, but "minute" takes readings that are 10m late',
    'keep it for at least 10m',
  ],
])('%s is refused', (_, rollup, problem, hint) => {
  const problems = problemsOf(withRollups(rollup));
  expect(briefly(problems)).toEqual([expect.stringContaining(problem)]);
  expect(problems[0]?.hint).toContain(hint);
});

test('what goes round in a ring is refused wherever it begins, and what is made from it is not told of again', () => {
  const file = withRollups(
    'name: a, from: b, window: { tumbling: 1h }',
    'name: b, from: a, window: { tumbling: 2h }',
    'name: hour, from: minute, window: { tumbling: 1h }, aggregates: [p95]',
    'name: day2, from: hour, window: { tumbling: 1d }, aggregates: [p95]',
  );
  expect(briefly(problemsOf(file))).toEqual([
    '7:22 rollups[0].from: "a" is made from itself',
    '8:22 rollups[1].from: "b" is made from itself',
    '9:71 rollups[2].aggregates: Cannot merge "p95": what it is made from does not keep what it takes',
  ]);
});

test('windows keep results for as long as they say, and so late readings may be', () => {
  const window = 'name: minute, window: { tumbling: 1m, allowedLateness: 40d }, aggregates: [mean]';
  expect(problemsOf(`windows:\n  - { ${window}, keep: 1y }\n`)).toEqual([]);
  expect(briefly(problemsOf(`windows:\n  - { ${window} }\n`))[0]).toContain('it keeps results for 30d, got 40d');
});
