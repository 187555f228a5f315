import { TIME_ZONES_HINT, type ZonedTime, zonedTime } from '../../base/time-zone.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Assigner } from './assigners.ts';

/** Stretches of the calendar; a week begins on Monday (ISO 8601). */
export type CalendarUnit = 'day' | 'week' | 'month' | 'year';

const HOUR_MS = 3_600_000;
/** The shortest of each kind; a day in spring lacks an hour, and time zones have changed by more. */
const LEAST_MS: Readonly<Record<CalendarUnit, number>> = {
  day: 20 * HOUR_MS,
  week: 6 * 24 * HOUR_MS,
  month: 27 * 24 * HOUR_MS,
  year: 364 * 24 * HOUR_MS,
};

/**
 * Windows of the calendar in a time zone. A day begins with its first moment there, and has 23 or 25 hours where the clocks are changed.
 * See `zonedTime`.
 */
export class CalendarWindows implements Assigner {
  readonly form: readonly string[];
  readonly overlap = 1;
  readonly leastStepMs: number;
  readonly #unit: CalendarUnit;
  readonly #zoned: (time: EpochMs) => ZonedTime;
  /** The window that was asked for last: mostly it is asked for again. */
  #start: EpochMs = Number.POSITIVE_INFINITY;
  #end: EpochMs = Number.NEGATIVE_INFINITY;

  /** @throws GatewayError for a time zone that is not known */
  constructor(unit: CalendarUnit, timeZone: string) {
    this.form = [unit, timeZone];
    this.leastStepMs = LEAST_MS[unit];
    this.#unit = unit;
    try {
      this.#zoned = zonedTime(timeZone);
    } catch (error) {
      throw new GatewayError(`Cannot make windows in the time zone ${JSON.stringify(timeZone)}: it is not known`, {
        hint: TIME_ZONES_HINT,
        cause: error,
      });
    }
  }

  startOf(time: EpochMs): EpochMs {
    this.#seek(time);
    return this.#start;
  }

  stepBack(start: EpochMs): EpochMs {
    return this.startOf(start - 1);
  }

  endOf(start: EpochMs): EpochMs {
    this.#seek(start);
    return this.#end;
  }

  #seek(time: EpochMs): void {
    if (time >= this.#start && time < this.#end) return;
    let start = firstDay(this.#zoned(time), this.#unit);
    let end = this.#after(start);
    // Clocks that are set back over midnight show the old day again: it is over all the same.
    if (time >= end.epochMilliseconds) [start, end] = [end, this.#after(end)];
    this.#start = start.epochMilliseconds;
    this.#end = end.epochMilliseconds;
  }

  /** From noon, so that a day which begins at one o'clock does not hand that on to the next. */
  #after(start: ZonedTime): ZonedTime {
    return start
      .withPlainTime('12:00')
      .add({ [`${this.#unit}s`]: 1 })
      .startOfDay();
  }
}

function firstDay(moment: ZonedTime, unit: CalendarUnit): ZonedTime {
  const noon = moment.withPlainTime('12:00');
  switch (unit) {
    case 'day':
      return noon.startOfDay();
    case 'week':
      return noon.subtract({ days: moment.dayOfWeek - 1 }).startOfDay();
    case 'month':
      return noon.with({ day: 1 }).startOfDay();
    case 'year':
      return noon.with({ month: 1, day: 1 }).startOfDay();
  }
}
