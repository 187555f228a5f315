import type { EpochMs } from '../../core/clock.ts';
import { listOf, numberOf } from '../snapshot.ts';

/** Leaps that are remembered: whoever sets a clock ahead more often is not mending a mistake. */
const MAX_LEAPS = 16;
const WHAT = 'the times that have been';

/**
 * Which wall times there have been: all since the first, but for those that the clock was set across. For who has set it ahead by
 * mistake sets it back again.
 */
export class PastTimes {
  #from: EpochMs = Number.POSITIVE_INFINITY;
  #leaps: readonly { readonly from: EpochMs; readonly to: EpochMs }[] = [];

  /** Time has reached `now`. */
  reach(now: EpochMs): void {
    if (this.#from === Number.POSITIVE_INFINITY) this.#from = now;
  }

  /** The clock was set to `now`, by `byMs`. */
  step(now: EpochMs, byMs: number): void {
    this.#from = Math.min(this.#from, now);
    if (byMs > 0) {
      this.#leaps = [...this.#leaps, { from: now - byMs, to: now }].slice(-MAX_LEAPS);
      return;
    }
    // What lies ahead will have been: how much of it, nobody counts.
    this.#leaps = this.#leaps.filter(({ from }) => from < now).map(({ from, to }) => ({ from, to: Math.min(to, now) }));
  }

  /** Whether any moment of `[start, end)` has been. */
  meets(start: EpochMs, end: EpochMs): boolean {
    return end > this.#from && !this.#leaps.some(({ from, to }) => start >= from && end <= to);
  }

  snapshot(): unknown {
    return [this.#from, this.#leaps.map(({ from, to }) => [from, to])];
  }

  restore(snapshot: unknown): void {
    const [from, leaps] = listOf(snapshot, WHAT);
    this.#from = numberOf(from, WHAT);
    this.#leaps = listOf(leaps, WHAT).map((leap) => {
      const [leapFrom, leapTo] = listOf(leap, WHAT);
      return { from: numberOf(leapFrom, WHAT), to: numberOf(leapTo, WHAT) };
    });
  }
}
