/** Milliseconds since 1970-01-01T00:00Z. A double: fractions down to about 0.2 µs are kept. */
export type EpochMs = number;

/** The only way to learn the time or to wait: passed in, so that tests and replay can bring their own. */
export interface Clock {
  /** Wall time. It may jump, backwards too: never measure a duration with it. */
  now(): EpochMs;
  /** Milliseconds from an arbitrary start, never going back: for durations, time-outs and rates. */
  monotonicMs(): number;
  /** Resolves after `ms` monotonic milliseconds, or at once when `signal` aborts; it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
