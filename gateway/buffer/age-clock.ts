import type { Clock } from '../core/clock.ts';
import type { Offset } from '../core/log.ts';
import type { Segment } from './segment.ts';

/** The wall clock went ahead by so many milliseconds, or back, without as much time having passed. */
export interface ClockLeap {
  /** Records before this have times of before the leap. */
  readonly before: Offset;
  readonly ms: number;
}

/** Smaller steps are those of a clock that is kept right. */
const SMALLEST_LEAP_MS = 60_000;
/** A shorter time between two runs counts as if the log had been open. */
const SHORT_PAUSE_MS = 3_600_000;
/** Leaps that are remembered. */
const MAX_LEAPS = 100;
/** Thirty years: the wall time of a box that did not know the time yet, and learned it in a leap whose note the disk has refused or lost. */
const NO_AGE_MS = 1e12;

/**
 * How old records are, in time that has passed while the log was open: neither a clock that leaps, be it by years when a box without a battery
 * learns the time, nor a long time without power makes anything old. So whoever is to take the records had as long a time to do it.
 */
export class AgeClock {
  readonly #clock: Clock;
  readonly #leaps: ClockLeap[];
  /** Wall time less monotonic time, when it was looked at last. */
  #offsetMs: number;

  /** @param leaps those of earlier runs; new ones are added to it */
  constructor(clock: Clock, leaps: ClockLeap[]) {
    this.#clock = clock;
    this.#leaps = leaps;
    this.#offsetMs = clock.now() - clock.monotonicMs();
  }

  /** The log is open again. @param lastTime wall time of its last record, NaN without any @param nextOffset its next record */
  resume(lastTime: number, nextOffset: Offset): void {
    // An earlier start has seen a part of it, where no record came since.
    const pauseMs = this.#passedMs(lastTime, nextOffset);
    if (pauseMs < 0 || pauseMs > SHORT_PAUSE_MS) this.#add({ before: nextOffset, ms: pauseMs });
  }

  /** Notices a leap of the clock. @param nextOffset the next record of the log @returns true when there was one */
  look(nextOffset: Offset): boolean {
    const offsetMs = this.#clock.now() - this.#clock.monotonicMs();
    const ms = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(ms) < SMALLEST_LEAP_MS) return false;
    this.#add({ before: nextOffset, ms });
    return true;
  }

  /** Milliseconds since the last record of a segment; NaN without any, or where nobody knows. */
  ageMs({ endOffset, lastTime }: Segment): number {
    const age = this.#passedMs(lastTime, endOffset);
    return age < NO_AGE_MS ? age : Number.NaN;
  }

  /** Since a wall time of before all leaps that `endOffset` has not seen. */
  #passedMs(time: number, endOffset: Offset): number {
    let passedMs = this.#clock.now() - time;
    for (const { before, ms } of this.#leaps) if (endOffset <= before) passedMs -= ms;
    return passedMs;
  }

  #add(leap: ClockLeap): void {
    this.#leaps.push(leap);
    if (this.#leaps.length <= MAX_LEAPS) return;
    // What lies between the two oldest seems younger than it is, which does no harm.
    const [first, second] = this.#leaps.splice(0, 2) as [ClockLeap, ClockLeap];
    this.#leaps.unshift({ before: second.before, ms: Math.max(0, first.ms) + second.ms });
  }
}
