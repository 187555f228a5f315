import type { EpochMs } from './clock.ts';

/** A half-open stretch of event time, `[start, end)`. */
export interface Window {
  readonly start: EpochMs;
  readonly end: EpochMs;
}
