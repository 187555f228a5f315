// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configuration files refer to the environment so
import { expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

/** The problems of one window of this shape. */
function shapeProblems(shape: string, more = ''): readonly string[] {
  return briefly(problemsOf(`${more}windows:\n  - { name: w, window: { ${shape} }, aggregates: [count] }\n`));
}

test.each([
  ['tumbling: 0s', '2:36 windows[0].window.tumbling: must be above 0: got "0s"'],
  ['tumbling: -1m', '2:36 windows[0].window.tumbling: a duration must not be negative: got "-1m"'],
  [
    'tumbling: 101d12w5200w',
    '2:36 windows[0].window.tumbling: a duration must be at most 100 years: got "101d12w5200w"',
  ],
  ['session: 0', '2:35 windows[0].window.session: must be above 0: got 0'],
  ['hopping: 1m, every: 0s', '2:46 windows[0].window.every: must be above 0: got "0s"'],
  ['count: 0', '2:33 windows[0].window.count: must be at least 1: got 0'],
  ['count: 1e400', '2:33 windows[0].window.count: must be a whole number: got Infinity'],
  ['while: { equals: .nan }', '2:43 windows[0].window.while.equals: must be a number: got NaN'],
  ['while: { equals: "" }', '2:43 windows[0].window.while.equals: must not be empty'],
  ['while: { equals: true }', '2:43 windows[0].window.while.equals: must be a number or text: got true'],
  ['count: ten', '2:33 windows[0].window.count: must be a whole number: got "ten"'],
  ['count: 1e9', '2:24 windows[0].window: Cannot make windows of 1000000000 readings'],
  ['count: 10, every: 11', '2:24 windows[0].window: Cannot begin windows of 10 readings with every 11 of them'],
  ['while: { above: hot }', '2:42 windows[0].window.while.above: must be a number: got "hot"'],
  [
    'while: { above: 80, until: 81 }',
    '2:24 windows[0].window: Cannot make windows that begin above 80 and last until the value is below 81',
  ],
  ['while: { until: 75 }', '2:33 windows[0].window.while.above: is missing'],
  ['while: { equals: 3, until: 75 }', '2:46 windows[0].window.while.until: until does not go together with equals'],
  ['while: { unchanged: false }', '2:46 windows[0].window.while.unchanged: must be true: got false'],
  [
    'while: { above: 1 }, allowedLateness: 1s',
    '2:47 windows[0].window.allowedLateness: allowedLateness does not go together with while',
  ],
  ['sliding: 0s', '2:35 windows[0].window.sliding: must be above 0: got "0s"'],
  ['sliding: 0.5ms', '2:24 windows[0].window: Cannot make sliding windows of 0.5 ms'],
  [
    'count: 10, allowedLateness: 1s',
    '2:37 windows[0].window.allowedLateness: allowedLateness does not go together with count',
  ],
])('a window { %s } is refused', (shape, problem) => {
  expect(shapeProblems(shape)).toEqual([problem]);
});

test('lateness beyond what the history keeps is refused', () => {
  const shape = 'tumbling: 1h, allowedLateness: 40d';
  expect(shapeProblems(shape)).toEqual([
    '2:57 windows[0].window.allowedLateness: a result would be corrected after the history has given it up: it keeps results for 30d, got 40d',
  ]);
  expect(shapeProblems(shape, 'storage: { history: { maxAge: 40d } }\n')).toEqual([]);
});

test('lateness for which too many windows of a series would be open is refused', () => {
  const [problem] = shapeProblems('tumbling: 1ms, allowedLateness: 1m', 'time: { outOfOrderness: 40001ms }\n');
  expect(problem).toBe('3:24 windows[0].window: Cannot keep 100001 windows of 1 ms open for what comes 100001 ms late');
  expect(shapeProblems('tumbling: 1ms, allowedLateness: 1m', 'time: { outOfOrderness: 40s }\n')).toEqual([]);
});

test('windows of a state are taken as they stand', () => {
  const ofNumbers = ['{ above: 80, until: 75 }', '{ below: 5 }', '{ equals: 3 }', '{ unchanged: true }'];
  const conditions = [
    ...ofNumbers,
    '{ equals: running }',
    '{ equals: "3" }',
    "{ equals: '${A}' }",
    "{ equals: '${B}' }",
  ];
  const text = conditions.map((one, i) => `  - { name: w${i}, window: { while: ${one} }, aggregates: [count] }\n`);
  const { windows } = configurationOf(`windows:\n${text.join('')}`, { environment: { A: 'idle', B: '7' } });
  expect(windows.map(({ window }) => window)).toEqual([
    { while: { above: 80, until: 75 } },
    { while: { below: 5 } },
    { while: { equals: 3 } },
    { while: { unchanged: true } },
    { while: { equals: 'running' } },
    { while: { equals: '3' } },
    { while: { equals: 'idle' } },
    { while: { equals: 7 } },
  ]);
});

test('of a state that is a text nothing is computed that takes numbers', () => {
  const one = (value: string) =>
    `windows:\n  - { name: w, window: { while: { equals: ${value} } }, aggregates: [count, coverage, mean, p95] }\n`;
  expect(briefly(problemsOf(one('running')))).toEqual([
    '2:86 windows[0].aggregates[2]: Cannot compute mean while the value is "running", which is no number',
    '2:92 windows[0].aggregates[3]: Cannot compute p95 while the value is "running", which is no number',
  ]);
  expect(problemsOf(one('3'))).toEqual([]);
});

test('windows of a number of readings begin where the one before has ended, unless it is said how often', () => {
  const { windows } = configurationOf(
    'windows:\n  - { name: a, window: { count: 100 }, aggregates: [count] }\n  - { name: b, window: { count: 100, every: 10 }, aggregates: [count] }\n',
  );
  expect(windows.map(({ window }) => window)).toEqual([
    { count: 100, every: undefined },
    { count: 100, every: 10 },
  ]);
});

test('readings that come too late are only counted, unless it is said that they are stored, which needs a window that has such', () => {
  const one = (shape: string, late: string) =>
    `windows:\n  - { name: w, window: { ${shape} }, ${late}aggregates: [count] }\n`;
  expect(configurationOf(one('tumbling: 1m', '')).windows[0]?.late).toBe('count');
  expect(configurationOf(one('session: 1m', 'late: store, ')).windows[0]?.late).toBe('store');
  expect(briefly(problemsOf(one('count: 10', 'late: store, ')))).toEqual([
    '2:45 windows[0].late: nothing comes too late for windows of a number of readings',
  ]);
});

test('sliding windows give no early results, as they give one with each reading', () => {
  const text = 'windows:\n  - { name: w, window: { sliding: 10s }, early: 1m, aggregates: [count] }\n';
  expect(briefly(problemsOf(text))).toEqual([
    '2:49 windows[0].early: sliding windows give a result with each reading as it is',
  ]);
  expect(configurationOf(text.replace('early: 1m, ', '')).windows[0]?.window).toEqual({ slidingMs: 10_000 });
});
