import type { Clock, EpochMs } from '../gateway/core/clock.ts';

/** A clock that stands still until a test moves it. Its wall time may be as bad as that of a real box. */
export class ManualClock implements Clock {
  /** Wall time gains so many millionths of the time that passes. */
  driftPpm = 0;
  /** By how much the wall time is wrong this time; asked at each look at it. */
  jitterMs: () => number = () => 0;
  #now: EpochMs;
  #monotonicMs: number;
  #sleepers: { due: number; wake: () => void }[] = [];

  /** @param monotonicMs since the box was switched on */
  constructor(now: EpochMs = Date.UTC(2026, 0, 1), monotonicMs = 0) {
    this.#now = now;
    this.#monotonicMs = monotonicMs;
  }

  now(): EpochMs {
    return this.#now + this.jitterMs();
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** How many wait for this clock just now. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        // A signal looks through all its listeners for each new one: those of past sleeps would make a long run slow.
        signal?.removeEventListener('abort', aborted);
        resolve();
      };
      const sleeper = { due: this.#monotonicMs + ms, wake };
      const aborted = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Somebody sets the wall clock by so much; no time passes. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass, wakes whose time has come in order, and lets them run until they wait again. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms;
    for (;;) {
      await settle();
      const next = this.#sleepers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      this.#pass(next.due - this.#monotonicMs);
      next.wake();
    }
    this.#pass(end - this.#monotonicMs);
    await settle();
  }

  #pass(ms: number): void {
    this.#monotonicMs += ms;
    this.#now += ms * (1 + this.driftPpm / 1e6);
  }
}

/** Lets everything run that needs no time to pass. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await new Promise<void>((resolve) => setImmediate(resolve));
}
