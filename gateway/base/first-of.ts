import { followSignal } from './follow-signal.ts';

/**
 * Does several things at once until the first is done, ends the others by their signal, waits for them, and tells which was first.
 * Rejects with the error of the first where that fails.
 */
export async function firstOf(
  signal: AbortSignal,
  tasks: Readonly<Record<string, (until: AbortSignal) => Promise<void>>>,
): Promise<string> {
  const over = new AbortController();
  const unfollow = followSignal(signal, over);
  const running = Object.entries(tasks).map(([name, task]) => task(over.signal).then(() => name));
  try {
    return await Promise.race(running);
  } finally {
    unfollow();
    over.abort();
    await Promise.allSettled(running);
  }
}
