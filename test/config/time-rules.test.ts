import { expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

test('what may be learnt of disorder is not less than what is given', () => {
  expect(briefly(problemsOf('time:\n  outOfOrderness: 5s\n  maxOutOfOrderness: 4s\n'))).toEqual([
    '3:22 time.maxOutOfOrderness: it is 4s, less than time.outOfOrderness, which is allowed in any case: 5s',
  ]);
  expect(configurationOf('time: { outOfOrderness: 5s, maxOutOfOrderness: 5s }').time.maxOutOfOrdernessMs).toBe(5_000);
});

test('without a most nothing is learnt', () => {
  expect(configurationOf('time: { outOfOrderness: 5s }').time.maxOutOfOrdernessMs).toBe(5_000);
});

test('a window has to have room for all the disorder that may be learnt', () => {
  const windows = 'windows: [{ name: w, series: "*", window: { tumbling: 1ms }, aggregates: [count] }]\n';
  expect(problemsOf(`${windows}time: { maxOutOfOrderness: 1m }\n`)).toEqual([]);
  const [problem] = problemsOf(`${windows}time: { maxOutOfOrderness: 2m }\n`);
  expect(problem?.path).toBe('windows[0].window');
});
