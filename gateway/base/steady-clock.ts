import type { Clock, EpochMs } from '../core/clock.ts';

/**
 * A wall clock that goes as evenly as the monotonic one: `anchor + monotonic time since`. Somebody may set the clock of the system at any
 * moment; this one follows only when it is told to, so that all that belongs to one moment has one time.
 */
export class SteadyClock implements Clock {
  readonly #system: Clock;
  /** Whether its wall time is only an estimate. */
  isEstimate = false;
  /** The same clock, but that its wall time is 0 while it is an estimate: for records whose age is told by it on another day. */
  readonly certain: Clock;
  /** Wall time less monotonic time. */
  #offsetMs: number;

  /** @param system the clocks of the machine; it begins with what they say */
  constructor(system: Clock) {
    this.#system = system;
    this.#offsetMs = system.now() - system.monotonicMs();
    this.certain = {
      now: () => (this.isEstimate ? 0 : this.now()),
      monotonicMs: () => this.monotonicMs(),
      sleep: (ms, signal) => this.sleep(ms, signal),
    };
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
