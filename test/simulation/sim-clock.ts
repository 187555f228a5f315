import type { Clock, EpochMs } from '../../gateway/core/clock.ts';
import type { SimTime } from './sim-time.ts';

/** What a double rounds off of a time must not be slept for again and again while time stands still. */
const SHORTEST_SLEEP_MS = 0.001;

/** The clocks of one boot of the box, as one process sees them. */
export class SimClock implements Clock {
  readonly #time: SimTime;
  readonly #bootedAtMs: number;
  readonly #rate: number;
  #wallAtBoot: EpochMs;
  #dead = false;

  /**
   * @param bootedAtMs when the monotonic clock began
   * @param wall what the wall clock says now
   * @param rate how fast it goes: 1 is right, 1.0001 gains 0.1 s in 1000
   */
  constructor(time: SimTime, bootedAtMs: number, wall: EpochMs, rate = 1) {
    this.#time = time;
    this.#bootedAtMs = bootedAtMs;
    this.#rate = rate;
    this.#wallAtBoot = wall - this.monotonicMs() * rate;
  }

  now(): EpochMs {
    return this.#wallAtBoot + this.monotonicMs() * this.#rate;
  }

  monotonicMs(): number {
    return this.#time.nowMs - this.#bootedAtMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.#dead) return;
      if (signal?.aborted) return resolve();
      const wake = () => {
        cancel();
        signal?.removeEventListener('abort', wake);
        // A dead process never wakes.
        if (!this.#dead) resolve();
      };
      const cancel = this.#time.after(ms > 0 ? Math.max(ms, SHORTEST_SLEEP_MS) : ms, wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wallAtBoot += ms;
  }

  /** The process is gone: whoever sleeps in it never wakes. */
  die(): void {
    this.#dead = true;
  }
}
