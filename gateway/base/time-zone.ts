import { createRequire } from 'node:module';
import type { EpochMs } from '../core/clock.ts';

type TemporalLibrary = typeof import('temporal-polyfill');

/** A moment as the calendar and the clocks of a time zone show it. */
export type ZonedTime = InstanceType<TemporalLibrary['Temporal']['ZonedDateTime']>;

/** What may be in the place of an unknown time zone, for a person. */
export const TIME_ZONES_HINT = 'Time zones have names as in Europe/Berlin, America/New_York or UTC.';

/**
 * Shows moments as they are in a time zone. The library that knows the calendar is loaded when this is called first, as it takes 6 MB of memory.
 *
 * @throws RangeError for a time zone that is not known
 */
export function zonedTime(timeZone: string): (time: EpochMs) => ZonedTime {
  const { Temporal } = createRequire(import.meta.url)('temporal-polyfill') as TemporalLibrary;
  const show = (time: EpochMs) => Temporal.Instant.fromEpochMilliseconds(Math.floor(time)).toZonedDateTimeISO(timeZone);
  show(0);
  return show;
}

/**
 * How far the clocks of a time zone are ahead of UTC at a time, in milliseconds. Asked for times that are close to each other it looks nothing up: clocks
 * are changed twice a year.
 *
 * @throws RangeError for a time zone that is not known
 */
export function zoneOffset(timeZone: string): (time: EpochMs) => number {
  if (timeZone === 'UTC') return () => 0;
  const show = zonedTime(timeZone);
  let from: EpochMs = Number.POSITIVE_INFINITY;
  let to: EpochMs = Number.NEGATIVE_INFINITY;
  let offsetMs = 0;
  return (time) => {
    if (time >= from && time < to) return offsetMs;
    const shown = show(time);
    offsetMs = shown.offsetNanoseconds / 1e6;
    from = shown.getTimeZoneTransition('previous')?.epochMilliseconds ?? Number.NEGATIVE_INFINITY;
    // The previous one of a moment at which clocks are changed is earlier still: from there another offset holds.
    if (show(from === Number.NEGATIVE_INFINITY ? time : from).offsetNanoseconds / 1e6 !== offsetMs) from = time;
    to = shown.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
    return offsetMs;
  };
}
