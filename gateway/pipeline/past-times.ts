import type { EpochMs } from '../core/clock.ts';
import { listOf, numberOf } from './snapshot.ts';

/**
 * Which wall times there have been: all since the first, but for those that the clock was last set across. For who has set it ahead by
 * mistake sets it back again.
 */
export class PastTimes {
  #from: EpochMs = Number.POSITIVE_INFINITY;
  #leapFrom: EpochMs = Number.POSITIVE_INFINITY;
  #leapTo: EpochMs = Number.POSITIVE_INFINITY;

  /** Time has reached `now`. */
  reach(now: EpochMs): void {
    if (this.#from === Number.POSITIVE_INFINITY) this.#from = now;
  }

  /** The clock was set to `now`, by `byMs`. */
  step(now: EpochMs, byMs: number): void {
    this.#leapFrom = byMs > 0 ? now - byMs : Number.POSITIVE_INFINITY;
    this.#leapTo = byMs > 0 ? now : Number.POSITIVE_INFINITY;
    this.#from = Math.min(this.#from, now);
  }

  /** Whether any moment of `[start, end)` has been. */
  meets(start: EpochMs, end: EpochMs): boolean {
    return end > this.#from && !(start >= this.#leapFrom && end <= this.#leapTo);
  }

  snapshot(): unknown {
    return [this.#from, this.#leapFrom, this.#leapTo];
  }

  restore(snapshot: unknown): void {
    const [from, leapFrom, leapTo] = listOf(snapshot, 'the times that have been');
    this.#from = numberOf(from, 'the times that have been');
    this.#leapFrom = numberOf(leapFrom, 'the times that have been');
    this.#leapTo = numberOf(leapTo, 'the times that have been');
  }
}
