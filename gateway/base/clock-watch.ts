import type { Clock } from '../core/clock.ts';

/** A wall clock that gains or loses more than this against the monotonic one was set. */
const SET_MS = 60_000;
/** For so long after it was set it may be a mistake that somebody mends. */
const DOUBT_MS = 3_600_000;

/** Watches whether the wall clock was set, for those who delete what is too old by it: what a mistake has deleted is gone. */
export class ClockWatch {
  readonly #clock: Clock;
  /** Wall time less monotonic time. */
  #offsetMs: number;
  #doubtedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - clock.monotonicMs();
  }

  /** Whether the clock was not set by more than a minute within the last hour, as far as those know who ask again and again. */
  isSettled(): boolean {
    const monotonicMs = this.#clock.monotonicMs();
    const offsetMs = this.#clock.now() - monotonicMs;
    if (Math.abs(offsetMs - this.#offsetMs) > SET_MS) this.#doubtedUntilMs = monotonicMs + DOUBT_MS;
    this.#offsetMs = offsetMs;
    return monotonicMs >= this.#doubtedUntilMs;
  }
}
