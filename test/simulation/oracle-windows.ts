import { expect } from 'vitest';
import type { Result } from '../../gateway/core/result.ts';
import { distinctReadings, type ExpectedWindow, expectedWindows } from './expected.ts';
import { droppedBefore, expectNone, type Outcome } from './oracle.ts';
import type { SimStore } from './sim-store.ts';
import { isPlainKey } from './workload.ts';

/** Every window of readings with a time of their own is stored as it must be, but for those that a full outbox has cost, by series. */
export function verifyWindows(name: string, store: SimStore, outcome: Outcome): void {
  const { messages, status } = outcome;
  const expected = expectedWindows(distinctReadings(messages.filter(({ sends }) => sends > 0)));
  const wrong = windowProblems(store, outcome);
  const what = `${name}: wrong windows`;
  expectNone(
    wrong.map(({ problem }) => problem),
    droppedBefore(name, outcome),
    what,
  );
  const { droppedBySeries } = status.outbox;
  for (const [series, problems] of Map.groupBy(wrong, (one) => one.series)) {
    const mostDropped = (droppedBySeries[series] ?? 0) + (droppedBySeries['(others)'] ?? 0);
    expect(problems.length, `${what} of ${series}`).toBeLessThanOrEqual(mostDropped);
  }
  const phantoms = [...store.newest.keys()].filter((key) => isPlainKey(key) && !expected.has(key));
  expect(phantoms, `${name}: windows of nothing`).toEqual([]);
}

/** What is wrong with the windows of a store, in words, by series; a window of nothing is not told. */
export function windowProblems(
  store: SimStore,
  { messages, losses }: Outcome,
): readonly { readonly series: string; readonly problem: string }[] {
  const expected = expectedWindows(distinctReadings(messages.filter(({ sends }) => sends > 0)));
  return [...expected].flatMap(([key, window]) => {
    const problem = problemOf(store, key, window, losses.mayCountTwice);
    return problem === undefined ? [] : [{ series: key.slice(0, key.indexOf('@')), problem }];
  });
}

/** What is wrong with a window, in words; undefined when nothing is. */
function problemOf(store: SimStore, key: string, window: ExpectedWindow, mayCountTwice: boolean): string | undefined {
  if (store.isPoisonKey(key)) return store.refused.has(key) ? undefined : `${key} was not refused`;
  for (const held of [store.stored.get(key), store.newest.get(key)]) {
    if (!isRight(key, held, window, mayCountTwice)) {
      return `${key}: ${JSON.stringify(held)} instead of ${JSON.stringify(window)}`;
    }
  }
  return undefined;
}

function isRight(key: string, held: Result | undefined, window: ExpectedWindow, mayCountTwice: boolean): boolean {
  const { count = 0, sum, min, max } = held?.kind === 'aggregate' ? held.fields : {};
  if (key.includes('/fleeting@')) return count <= (mayCountTwice ? window.count * 2 : window.count);
  const isBounded = min === window.min && max === window.max;
  if (mayCountTwice) return isBounded && count >= window.count;
  return isBounded && count === window.count && sum === window.sum;
}
