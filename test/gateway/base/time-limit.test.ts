import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { TimeLimitReached, withTimeLimit } from '../../../gateway/base/time-limit.ts';
import type { Clock } from '../../../gateway/core/clock.ts';

/** A clock whose sleeps end when told, or when their signal aborts. */
function handClock() {
  const wakes: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    sleep: (_, signal) =>
      new Promise((resolve) => {
        wakes.push(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  return { clock, ring: () => wakes.forEach((wake) => void wake()) };
}

/** Work that ends only when its signal aborts, with the reason. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

describe('withTimeLimit', () => {
  it('gives what the work gives, and leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    expect(await withTimeLimit({ ms: 10, clock: handClock().clock, signal }, async () => 'done')).toBe('done');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('aborts the work when the time is over, and says so by the reason', async () => {
    const { clock, ring } = handClock();
    const { signal } = new AbortController();
    const work = withTimeLimit({ ms: 10, clock, signal }, untilAborted);
    ring();
    await expect(work).rejects.toThrow(TimeLimitReached);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('aborts the work when the given signal aborts, now or before, with its reason', async () => {
    const controller = new AbortController();
    const options = { ms: 10, clock: handClock().clock, signal: controller.signal };
    const early = withTimeLimit(options, untilAborted);
    controller.abort(new Error('enough'));
    await expect(early).rejects.toThrow('enough');
    await expect(withTimeLimit(options, untilAborted)).rejects.toThrow('enough');
  });
});
