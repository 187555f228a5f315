import type { Clock } from '../core/clock.ts';

/**
 * Runs a task again and again with a pause in between, one run at a time, until `signal` aborts. Resolves when the last run has ended.
 *
 * @param onError takes what the task threw; the next run follows all the same
 */
export async function periodically(
  clock: Clock,
  pauseMs: number,
  signal: AbortSignal,
  task: () => void | Promise<void>,
  onError: (error: unknown) => void,
): Promise<void> {
  for (;;) {
    await clock.sleep(pauseMs, signal);
    if (signal.aborted) return;
    try {
      await task();
    } catch (error) {
      onError(error);
    }
  }
}
