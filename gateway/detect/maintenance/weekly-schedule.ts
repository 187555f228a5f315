import { createRequire } from 'node:module';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { WEEKDAYS, type Weekday } from '../../core/maintenance.ts';
import { durationInWords } from '../words.ts';

type TemporalLibrary = typeof import('temporal-polyfill');
type ZonedDateTime = InstanceType<TemporalLibrary['Temporal']['ZonedDateTime']>;

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** Days that are looked at before a time and after it: a maintenance of a week may have begun a week before. */
const DAYS_AROUND = 8;

/** A stretch of time, `[from, until)`. */
export interface Stretch {
  readonly from: EpochMs;
  readonly until: EpochMs;
}

/**
 * Stretches that come every week, on days and at a time of the day in a time zone. Where the clocks are changed a stretch begins at that time
 * all the same, an hour that is left out moving it on, and lasts as long as ever. The library that knows time zones is loaded by the first one.
 */
export class WeeklySchedule {
  readonly #on: ReadonlySet<number>;
  readonly #hour: number;
  readonly #minute: number;
  readonly #forMs: number;
  readonly #zoned: (time: EpochMs) => ZonedDateTime;
  /** The stretch around the time that was asked for last, or the gap: mostly it is asked for again. */
  #known: Stretch & { readonly isGap: boolean } = { from: 0, until: 0, isGap: true };

  /** @throws GatewayError for a time of the day, a length or a time zone that cannot be */
  constructor(on: readonly Weekday[], at: string, forMs: number, timeZone: string) {
    const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(at) ?? [];
    if (hour === undefined || minute === undefined) {
      throw new GatewayError(`Cannot plan maintenance at ${JSON.stringify(at)}`, {
        hint: 'a time of the day, as 22:00',
      });
    }
    if (!(forMs > 0 && forMs <= WEEK_MS)) {
      throw new GatewayError(`Cannot plan a weekly maintenance of ${durationInWords(forMs)}`, {
        hint: 'it lasts at most a week',
      });
    }
    this.#on = new Set(on.map((day) => WEEKDAYS.indexOf(day) + 1));
    this.#hour = Number(hour);
    this.#minute = Number(minute);
    this.#forMs = forMs;
    const { Temporal } = createRequire(import.meta.url)('temporal-polyfill') as TemporalLibrary;
    this.#zoned = (time) => Temporal.Instant.fromEpochMilliseconds(Math.floor(time)).toZonedDateTimeISO(timeZone);
    try {
      this.#zoned(0);
    } catch (error) {
      throw new GatewayError(`Cannot plan maintenance in the time zone ${JSON.stringify(timeZone)}: it is not known`, {
        hint: 'time zones have names as in Europe/Berlin, America/New_York or UTC',
        cause: error,
      });
    }
  }

  /** Whether a time is in one of the stretches. */
  covers(time: EpochMs): boolean {
    this.#seek(time);
    return !this.#known.isGap;
  }

  /** The stretch that holds a time, or the next one. */
  nextAt(time: EpochMs): Stretch {
    const { from, until } = this.#around(time).find((stretch) => stretch.until > time)!;
    return { from, until };
  }

  #seek(time: EpochMs): void {
    if (time >= this.#known.from && time < this.#known.until) return;
    const around = this.#around(time);
    const held = around.find(({ from, until }) => time >= from && time < until);
    if (held !== undefined) {
      this.#known = { ...held, isGap: false };
      return;
    }
    const before = around.findLast(({ until }) => until <= time);
    const after = around.find(({ from }) => from > time);
    this.#known = { from: before?.until ?? time, until: after?.from ?? time, isGap: true };
  }

  /** The stretches that begin within some days of a time, in order. */
  #around(time: EpochMs): readonly Stretch[] {
    const middle = this.#zoned(time).withPlainTime({ hour: this.#hour, minute: this.#minute });
    return Array.from({ length: 2 * DAYS_AROUND + 1 }, (_, i) => middle.add({ days: i - DAYS_AROUND }))
      .filter(({ dayOfWeek }) => this.#on.has(dayOfWeek))
      .map(({ epochMilliseconds: from }) => ({ from, until: from + this.#forMs }));
  }
}
