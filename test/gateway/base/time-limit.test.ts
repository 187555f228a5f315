import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { finishedWithin, TimeLimitReached, withTimeLimit } from '../../../gateway/base/time-limit.ts';
import type { Clock } from '../../../gateway/core/clock.ts';
import { ManualClock } from '../../manual-clock.ts';

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

describe('finishedWithin', () => {
  const { signal } = new AbortController();

  it('says that work was done in time, and passes on what it throws', async () => {
    const clock = new ManualClock();
    expect(await finishedWithin({ ms: 10, clock, signal }, async () => {})).toBe(true);
    const failing = finishedWithin({ ms: 10, clock, signal }, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(clock.sleeping).toBe(0);
  });

  it('gives work that heeds its signal a moment to end, which is not in time', async () => {
    const clock = new ManualClock();
    let ended = false;
    const working = finishedWithin({ ms: 10, clock, signal }, async (limit) => {
      await untilAborted(limit).catch(() => undefined);
      await clock.sleep(5);
      ended = true;
    });
    await clock.advance(15);
    expect(await working).toBe(false);
    expect(ended).toBe(true);
  });

  it.each([{ early: false }, { early: true }])(
    'leaves work alone that hangs, ended early: $early',
    async ({ early }) => {
      const clock = new ManualClock();
      const ending = new AbortController();
      const working = finishedWithin({ ms: 10_000, clock, signal: ending.signal }, () => new Promise(() => undefined));
      if (early) ending.abort();
      await clock.advance(early ? 1_000 : 11_000);
      expect(await working).toBe(false);
    },
  );
});
