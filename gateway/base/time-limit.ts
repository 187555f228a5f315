import type { Clock } from '../core/clock.ts';
import { followSignal } from './follow-signal.ts';
import { untilAborted } from './until-aborted.ts';

/** The reason of a signal that aborted because the time was over. */
export class TimeLimitReached extends Error {
  override readonly name = 'TimeLimitReached';
}

/** How long work may take, and what ends it early. */
export interface TimeLimitOptions {
  /** Longest time for the work, in milliseconds. */
  readonly ms: number;
  readonly clock: Clock;
  /** Aborts the work early. */
  readonly signal: AbortSignal;
}

/** Does work under a signal that aborts when the time is over, or when the given one aborts. Leaves nothing behind. */
export async function withTimeLimit<T>(
  { ms, clock, signal }: TimeLimitOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limited = new AbortController();
  const done = new AbortController();
  const unfollow = followSignal(signal, limited);
  const watch = clock.sleep(ms, done.signal).then(() => {
    if (!done.signal.aborted) limited.abort(new TimeLimitReached(`not done within ${ms} ms`));
  });
  try {
    return await work(limited.signal);
  } finally {
    unfollow();
    done.abort();
    await watch;
  }
}

/** What work gets to end in after its signal has aborted, in milliseconds. */
const GRACE_MS = 50;

/**
 * Does work under a time limit, and leaves it alone where it goes on all the same: whoever stops must not wait for what hangs.
 *
 * @returns whether it was done before its signal aborted; rejects as the work does until it is left alone
 */
export function finishedWithin(
  options: TimeLimitOptions,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  return withTimeLimit(options, async (signal) => {
    const done = new AbortController();
    const leftAlone = async () => {
      await untilAborted(signal);
      await options.clock.sleep(GRACE_MS, done.signal);
      return false;
    };
    const finished = async () => {
      await work(signal);
      return !signal.aborted;
    };
    try {
      return await Promise.race([finished(), leftAlone()]);
    } finally {
      done.abort();
    }
  });
}
