import { TIME_ZONES_HINT, zoneOffset } from '../../base/time-zone.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Detector, Verdict } from '../../core/detector.ts';
import { GatewayError } from '../../core/errors.ts';
import { sumOfLines } from '../learning/lines.ts';
import { learntOf, shareOf } from '../learning/moving-spread.ts';
import { endTrouble, isNewNormal, isTroubled, NEW_NORMAL_NUMBERS } from '../learning/new-normal.ts';
import { PROFILE_NUMBERS, SeasonalProfile, type SeriesMemory } from '../learning/seasonal-profile.ts';
import { learnStep, ROUNDING, SMALLEST_STEP_NUMBERS, SMALLEST_STEPS, smallestStep } from '../learning/smallest-step.ts';
import { restoreState, snapshotOf } from '../learning/state-snapshot.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { rangeInWords } from '../words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** How a series is compared with its week. */
export interface SeasonalOptions {
  /** In so many weeks an hour must have been seen before anything in it is called an anomaly, 2 to 10. @default 3 */
  readonly weeks?: number | undefined;
  /** How many mean deviations of its hour score 1. Above 0. @default 10 */
  readonly threshold?: number | undefined;
  /** What is strange for so long is a new level, in milliseconds. Above 0. @default 86400000 */
  readonly relearnAfterMs?: number | undefined;
  /** Whose clocks tell the hours. @default 'UTC' */
  readonly timeZone?: string | undefined;
}

/** Every option, filled in: made once by `seasonalSettings` and shared by all detectors of a rule. */
export interface SeasonalSettings {
  readonly weeks: number;
  readonly threshold: number;
  readonly relearnAfterMs: number;
  readonly offsetMs: (time: EpochMs) => number;
}

const HOUR_MS = 3_600_000;
const HOURS = 168;
/** 1970 began on a Thursday: so long before it a week did. */
const MONDAY_MS = 3 * 24 * HOUR_MS;

// Places of the numbers of a series in its block of memory; two floats and a byte for each hour come after them.
const SEEN = 0;
const FIRST_VALUE = 1;
/** What the level has moved by since the profile was begun. */
const LEVEL = 2;
/** By how much strange values are off on average, and how many of them there were since it was normal. */
const STRANGE_OFFSET = 3;
const STRANGE = 4;
const EXPECTED_LOW = 5;
const EXPECTED_HIGH = 6;
const STEP = 7;
const NEW_NORMAL = STEP + SMALLEST_STEP_NUMBERS;
const PROFILE = NEW_NORMAL + NEW_NORMAL_NUMBERS;
const END = PROFILE + PROFILE_NUMBERS;

/** Values are kept at a small part, so that no difference or sum of finite numbers overflows. */
const SCALE = 1 / 64;
/** The offset of a new level is taken over about this many readings. */
const MEMORY = 1000;
const STATE_VERSION = 1;

// What it finds of a series is taken at once: it serves all series.
const profile = new SeasonalProfile(HOUR_MS, HOURS, { numbersAt: PROFILE, floatsAt: 0, bytesAt: 0 });

/**
 * The distance from what is usual at this hour of the week in the mean deviation that is usual there, in units of `threshold` (a seasonal profile, as
 * the seasonal component of a decomposition, learnt online: see `SeasonalProfile`). Hours are those of the clocks of `timeZone`, so a shift that begins at
 * six begins at six in summer and in winter.
 *
 * A value joins its hour as if it were half way to the threshold at the most, so a week that was strange hardly changes what is usual. What is
 * strange for `relearnAfterMs` is a new level: the week keeps its shape and moves there. About 1.7 kB a series.
 */
export class SeasonalDetector implements Detector {
  readonly #settings: SeasonalSettings;
  readonly #series: SeriesMemory;
  readonly #verdict = newVerdict();

  constructor(settings: SeasonalSettings = seasonalSettings({})) {
    this.#settings = settings;
    const block = new ArrayBuffer(END * 8 + HOURS * (2 * 4 + 1));
    this.#series = {
      numbers: new Float64Array(block, 0, END),
      floats: new Float32Array(block, END * 8, 2 * HOURS),
      bytes: new Uint8Array(block, END * 8 + HOURS * 2 * 4, HOURS),
    };
  }

  warm(): number {
    return sumOfLines(this.#series.numbers);
  }

  judge(value: number, time: EpochMs): Verdict {
    const { weeks, threshold, relearnAfterMs, offsetMs } = this.#settings;
    const { numbers } = this.#series;
    const scaled = value * SCALE;
    if (numbers[SEEN] === 0) numbers[FIRST_VALUE] = scaled;
    learnStep(numbers, STEP, scaled, numbers[SEEN] === 0);
    numbers[SEEN] = 1;
    const base = numbers[FIRST_VALUE]! + numbers[LEVEL]!;
    const cycles = profile.seek(this.#series, Math.max(0, time + offsetMs(time) + MONDAY_MS));
    const { usual, spread } = profile;
    const smallest = Math.max(SMALLEST_STEPS * smallestStep(numbers, STEP), Math.abs(scaled) * ROUNDING);
    const unit = Math.max(threshold * spread, smallest);
    const offset = cycles === 0 ? 0 : scaled - base - usual;
    numbers[EXPECTED_LOW] = cycles === 0 ? scaled : base + usual - unit;
    numbers[EXPECTED_HIGH] = cycles === 0 ? scaled : base + usual + unit;

    const verdict = this.#verdict;
    verdict.learning = cycles < weeks;
    verdict.score = verdict.learning || unit === 0 ? 0 : boundedScore(Math.abs(offset) / unit);
    verdict.anomaly = verdict.score >= 1;
    // Until its spread is known nothing tells how far a value may be off.
    profile.learn(this.#series, cycles < 2 ? scaled - base : usual + learntOf(offset, unit));
    if (verdict.anomaly) this.#followLevel(offset);
    if (isNewNormal(numbers, NEW_NORMAL, verdict.anomaly, time, relearnAfterMs)) this.#takeLevel();
    return verdict;
  }

  expected(): string {
    const { numbers } = this.#series;
    return `${rangeInWords(numbers[EXPECTED_LOW]! / SCALE, numbers[EXPECTED_HIGH]! / SCALE)} at this hour of the week`;
  }

  /** The level of what is strange just now is the new one at once. */
  accept(): boolean {
    const { numbers } = this.#series;
    if (!endTrouble(numbers, NEW_NORMAL)) return false;
    this.#takeLevel();
    return true;
  }

  snapshot(): unknown {
    return snapshotOf(STATE_VERSION, this.#series.numbers);
  }

  restore(snapshot: unknown): void {
    restoreState('seasonal', STATE_VERSION, this.#series.numbers, snapshot);
  }

  #takeLevel(): void {
    const { numbers } = this.#series;
    numbers[LEVEL]! += numbers[STRANGE_OFFSET]!;
  }

  /** Takes note of how far strange values are off, since the last trouble began. */
  #followLevel(offset: number): void {
    const { numbers } = this.#series;
    const count = isTroubled(numbers, NEW_NORMAL) ? numbers[STRANGE]! + 1 : 1;
    numbers[STRANGE] = count;
    numbers[STRANGE_OFFSET]! += (offset - numbers[STRANGE_OFFSET]!) * shareOf(count, MEMORY);
  }
}

/** The options with their defaults; throws a `GatewayError` for a time zone that is not known. */
export function seasonalSettings(options: SeasonalOptions): SeasonalSettings {
  const { weeks = 3, threshold = 10, relearnAfterMs = 86_400_000, timeZone = 'UTC' } = options;
  try {
    return { weeks, threshold, relearnAfterMs, offsetMs: zoneOffset(timeZone) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new GatewayError(
      `Cannot judge the hours of a week in the time zone ${JSON.stringify(timeZone)}: it is not known`,
      { hint: TIME_ZONES_HINT, cause: error },
    );
  }
}

/** How a rule names and sets the seasonal detector. */
export const seasonalKind: DetectorKind = {
  name: 'seasonal',
  description: 'a value that is unusual for this hour of the week; learns',
  onsetOnly: false,
  options: {
    weeks: {
      description: 'in so many weeks an hour must have been seen before anything in it is called an anomaly',
      default: 3,
      min: 2,
      max: 10,
      whole: true,
    },
    threshold: {
      description: 'how many mean deviations of its hour score 1; larger is calmer',
      default: 10,
      min: 0,
      above: true,
    },
    relearnAfterMs: {
      description: 'how long something strange must last to be a new level',
      default: 86_400_000,
      min: 0,
      above: true,
    },
    timeZone: { description: 'whose clocks tell the hours, as Europe/Berlin', default: 'UTC', text: true },
  },
  factory: (numbers, { timeZone }) => {
    const settings = seasonalSettings({ ...numbers, timeZone });
    return () => new SeasonalDetector(settings);
  },
};
