import type { EpochMs } from '../core/clock.ts';

/** A time for a person to read: ISO 8601 in UTC, or the bare number where no calendar reaches it. */
export function isoTime(time: EpochMs): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : `${time} ms since 1970`;
}
