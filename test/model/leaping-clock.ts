import type { Clock } from '../../gateway/core/clock.ts';

/** A clock whose sleeps end at once and move it by as much: nothing waits, and time passes all the same. */
export class LeapingClock implements Clock {
  #ms: number;
  #setMs = 0;

  constructor(now = 1_800_000_000_000) {
    this.#ms = now;
  }

  now(): number {
    return this.#ms + this.#setMs;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  /** Somebody sets the wall clock by so much; no time passes. */
  jump(ms: number): void {
    this.#setMs += ms;
  }

  /** Time passes. */
  advance(ms: number): void {
    this.#ms += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    // One turn of the event loop, so that a loop that waits for something lets it happen.
    await new Promise((resolve) => setImmediate(resolve));
    this.#ms += ms;
  }
}
