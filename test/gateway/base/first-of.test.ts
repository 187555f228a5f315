import { expect, test } from 'vitest';
import { firstOf } from '../../../gateway/base/first-of.ts';
import { ManualClock } from '../../manual-clock.ts';

const never = new AbortController().signal;

test('the first that is done is told, and the others are ended and waited for', async () => {
  const clock = new ManualClock();
  const ended: string[] = [];
  const sleep = (name: string, ms: number) => (until: AbortSignal) =>
    clock.sleep(ms, until).then(() => void ended.push(name));
  const first = firstOf(never, { slow: sleep('slow', 1_000), quick: sleep('quick', 10) });
  await clock.advance(10);
  expect(await first).toBe('quick');
  expect(ended.sort()).toEqual(['quick', 'slow']);
  expect(clock.sleeping).toBe(0);
});

test('a signal that aborts ends them all', async () => {
  const clock = new ManualClock();
  const stopping = new AbortController();
  const first = firstOf(stopping.signal, { only: (until) => clock.sleep(1_000, until) });
  stopping.abort();
  expect(await first).toBe('only');
  expect(clock.sleeping).toBe(0);
});

test('the error of the first is not swallowed', async () => {
  const failing = firstOf(never, { bad: () => Promise.reject(new Error('no')), never: (until) => aborted(until) });
  await expect(failing).rejects.toThrow('no');
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
