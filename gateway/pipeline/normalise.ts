import { isoTime } from '../base/iso-time.ts';
import { type SeriesPattern, seriesPattern } from '../base/series-pattern.ts';
import type { EpochMs } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import { Quality } from '../core/quality.ts';
import type { Series, Value } from '../core/reading.ts';

/** What to do with the readings of the series that a pattern names. */
export interface NormaliseSetting {
  /** See `seriesPattern`. */
  readonly series: string;
  /** The unit after scaling; replaces what the source says. */
  readonly unit?: string | undefined;
  /** The value is multiplied by this. @default 1 */
  readonly scale?: number | undefined;
  /** Added after scaling. @default 0 */
  readonly offset?: number | undefined;
}

/** Which source times are taken. */
export interface NormaliseLimits {
  /** Source times before this are refused. @default 2000-01-01 */
  readonly earliest?: EpochMs | undefined;
  /** Source times further ahead of the wall clock are not believed, in milliseconds. @default 3600000 */
  readonly maxFutureMs?: number | undefined;
}

/** Longest text taken as a value, in UTF-16 code units. */
export const MAX_TEXT_LENGTH = 16_384;

const DEFAULT_EARLIEST: EpochMs = 946_684_800_000;
/** Where nobody knows what time it is: no calendar of windows reaches much further. */
const LATEST: EpochMs = Date.UTC(9999, 11, 31);
const DEFAULT_MAX_FUTURE_MS = 3_600_000;

interface Compiled {
  readonly scale: number;
  readonly offset: number;
}

interface Rule extends Compiled {
  readonly matches: SeriesPattern;
  readonly unit: string | undefined;
}

const UNCHANGED: Compiled = { scale: 1, offset: 0 };

/**
 * Checks and scales readings before they are written to the journal: `value · scale + offset`. The first setting whose pattern
 * matches a series decides for it. Numbers are finite before and after, and never −0. Booleans and texts pass as they are.
 */
export class Normaliser {
  readonly #rules: readonly Rule[];
  readonly #earliest: EpochMs;
  readonly #maxFutureMs: number;
  /** By series id. */
  readonly #compiled: (Compiled | undefined)[] = [];
  #isAhead = false;
  #isNumber = true;
  #number = 0;
  #other: Value = false;

  /** @throws GatewayError where a number in the settings is not finite or a scale is 0 */
  constructor(settings: readonly NormaliseSetting[], limits: NormaliseLimits = {}) {
    this.#rules = settings.map(compileSetting);
    this.#earliest = limits.earliest ?? DEFAULT_EARLIEST;
    this.#maxFutureMs = limits.maxFutureMs ?? DEFAULT_MAX_FUTURE_MS;
  }

  /**
   * Checks a reading; afterwards `value` is what it has become. Allocates nothing unless it refuses.
   * @param sourceTime undefined where the source has none
   * @param now receive time, which the future is judged by; undefined where nobody knows what time it is
   * @returns why the reading is refused, as a sentence for a person; undefined when it is taken
   */
  normalise(
    series: Series,
    value: Value,
    quality: Quality,
    sourceTime: EpochMs | undefined,
    now: EpochMs | undefined,
  ): string | undefined {
    const compiled = this.#compiled[series.id] ?? this.#compile(series);
    if (typeof value === 'number') {
      // The sum with an offset of 0 also turns −0 into 0.
      const scaled = value * compiled.scale + compiled.offset;
      if (!(scaled - scaled === 0)) return refusedNumber(value, scaled, compiled);
      this.#isNumber = true;
      this.#number = scaled;
    } else {
      if (typeof value === 'string' && value.length > MAX_TEXT_LENGTH) return refusedText(value);
      this.#isNumber = false;
      this.#other = value;
    }
    if (quality !== Quality.good && quality !== Quality.uncertain && quality !== Quality.bad) {
      return `the quality ${String(quality)} is none of 0 (good), 1 (uncertain) and 2 (bad)`;
    }
    this.#isAhead = false;
    return sourceTime === undefined ? undefined : this.#checkTime(sourceTime, now);
  }

  /** Whether the source time of the last reading that was taken is too far ahead to be believed. */
  get isAhead(): boolean {
    return this.#isAhead;
  }

  /** The value of the last reading that was taken, scaled. */
  get value(): Value {
    return this.#isNumber ? this.#number : this.#other;
  }

  #compile(series: Series): Compiled {
    const rule = this.#rules.find((candidate) => candidate.matches(series));
    if (rule?.unit !== undefined) series.unit = rule.unit;
    const compiled = rule ?? UNCHANGED;
    this.#compiled[series.id] = compiled;
    return compiled;
  }

  #checkTime(time: EpochMs, now: EpochMs | undefined): string | undefined {
    const latest = now === undefined ? LATEST : now + this.#maxFutureMs;
    if (time >= this.#earliest && time <= latest) return undefined;
    if (!Number.isFinite(time)) return `the source time ${time} is not a finite number of milliseconds`;
    if (time < this.#earliest) {
      return `the source time is ${isoTime(time)}, before ${isoTime(this.#earliest)}, the earliest allowed`;
    }
    if (now === undefined) return `the source time is ${isoTime(time)}, after ${isoTime(LATEST)}, the latest allowed`;
    this.#isAhead = true;
    return undefined;
  }
}

function compileSetting(setting: NormaliseSetting): Rule {
  const { series, unit, scale = 1, offset = 0 } = setting;
  if (!Number.isFinite(scale) || scale === 0) {
    throw new GatewayError(`Cannot normalise ${series}: the scale is ${scale}`, {
      hint: 'A scale is a finite number other than 0.',
    });
  }
  if (!Number.isFinite(offset)) {
    throw new GatewayError(`Cannot normalise ${series}: the offset is ${offset}`, {
      hint: 'An offset is a finite number.',
    });
  }
  return { matches: seriesPattern(series), unit, scale, offset: offset + 0 };
}

function refusedNumber(value: number, scaled: number, compiled: Compiled): string {
  if (!Number.isFinite(value)) return `the value ${value} is not a finite number`;
  return `the value ${value} becomes ${scaled} by scale ${compiled.scale} and offset ${compiled.offset}; only finite numbers are allowed`;
}

function refusedText(value: string): string {
  return `the text ${JSON.stringify(value.slice(0, 32))}… has ${value.length} characters; at most ${MAX_TEXT_LENGTH} are allowed`;
}
