import type { Clock, EpochMs } from '../core/clock.ts';

/** Wall times before this are those of a box that does not know the time yet: September 2001. */
const EARLIEST_TIME = 1_000_000_000_000;

/**
 * How long the oldest of a backlog has been waiting. By the wall clock, when it was appended and now; but a wall clock may be set, by
 * 56 years where a box has no battery, so what it says is believed only as far as the monotonic clock allows.
 */
export class BacklogAge {
  readonly #clock: Clock;
  /** Monotonic time since when there is a backlog, as far as is known. */
  #sinceMs: number;
  #oldestTime: EpochMs | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** After a start: something waits that was appended at a wall time, in an earlier life of the process. */
  begin(time: EpochMs): void {
    this.#oldestTime = time;
    const now = this.#clock.now();
    const age = time > EARLIEST_TIME && now > EARLIEST_TIME ? Math.max(0, now - time) : 0;
    this.#sinceMs = this.#clock.monotonicMs() - age;
  }

  /** The oldest that waits was appended at a wall time. */
  oldest(time: EpochMs): void {
    this.#oldestTime = time;
  }

  /** Nothing waits. */
  caughtUp(): void {
    this.#oldestTime = undefined;
    this.#sinceMs = this.#clock.monotonicMs();
  }

  /** In milliseconds, never negative. */
  ms(): number {
    const most = this.#clock.monotonicMs() - this.#sinceMs;
    if (this.#oldestTime === undefined) return most;
    const age = this.#clock.now() - this.#oldestTime;
    return age >= 0 && age <= most ? age : most;
  }
}
