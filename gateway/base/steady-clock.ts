import type { Clock, EpochMs } from '../core/clock.ts';

/**
 * A wall clock that goes as evenly as the monotonic one: `anchor + monotonic time since`. Somebody may set the clock of the system at any
 * moment; this one follows only when it is told to, so that all that belongs to one moment has one time.
 */
export class SteadyClock implements Clock {
  readonly #system: Clock;
  /** Wall time less monotonic time. */
  #offsetMs: number;

  /** @param system the clocks of the machine; it begins with what they say */
  constructor(system: Clock) {
    this.#system = system;
    this.#offsetMs = system.now() - system.monotonicMs();
  }

  /** Whole milliseconds, as those of the system are: readings of one moment then share one time. */
  now(): EpochMs {
    return Math.floor(this.#offsetMs + this.#system.monotonicMs());
  }

  monotonicMs(): number {
    return this.#system.monotonicMs();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#system.sleep(ms, signal);
  }

  /** What the wall clock of the system says just now. */
  systemNow(): EpochMs {
    return this.#system.now();
  }

  /** From now on it is `wallTime`. */
  set(wallTime: EpochMs): void {
    this.#offsetMs = wallTime - this.#system.monotonicMs();
  }
}
