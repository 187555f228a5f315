import type { Detector, Verdict } from '../../core/detector.ts';
import { sumOfLines } from '../learning/lines.ts';
import { shareOf } from '../learning/moving-spread.ts';
import {
  joinWindow,
  MAX_MEDIAN_WINDOW,
  type MedianBlock,
  medianDistanceOf,
  medianOf,
  newMedianBlock,
} from '../learning/rolling-median.ts';
import { learnStep, ROUNDING, SMALLEST_STEP_NUMBERS, SMALLEST_STEPS, smallestStep } from '../learning/smallest-step.ts';
import { restoreState, snapshotOf } from '../learning/state-snapshot.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { rangeInWords } from '../words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** Counts are in readings. */
export interface MadOptions {
  /** Median and MAD are taken over this many earlier values, 5 to 255. @default 100 */
  readonly window?: number | undefined;
  /** Nothing is called an anomaly before this many readings. @default 200 */
  readonly warmUp?: number | undefined;
  /** How many standard deviations, as the MAD tells them, score 1. Above 0. @default 6 */
  readonly threshold?: number | undefined;
}

/** Every option, filled in: made once and shared by all detectors of a rule. */
type MadSettings = { readonly [Name in keyof MadOptions]-?: number };

// Places of the numbers of a series in its block of memory; the ring of values comes after them, then the order of the ring.
const COUNT = 0;
const OLDEST_SLOT = 1;
const USUAL = 2;
const EXPECTED_LOW = 3;
const EXPECTED_HIGH = 4;
const STEP = 5;
const NUMBERS = STEP + SMALLEST_STEP_NUMBERS;

/** Values are kept at an eighth, so that no difference of finite numbers overflows. */
const SCALE = 1 / 8;
/** The standard deviation of normal noise over its MAD. */
const SIGMAS_A_MAD = 1.4826;
/** The standard deviation of normal noise over its mean absolute deviation. */
const SIGMAS_A_MEAN = Math.sqrt(Math.PI / 2);
/** Readings that the usual deviation is taken over. */
const MEMORY = 1000;
const STATE_VERSION = 1;

/**
 * Hampel identifier (F. R. Hampel 1974; Davies and Gather, "The identification of multiple outliers", 1993), causal: the distance from the median of
 * the last values in median absolute deviations, scaled to standard deviations of normal noise, in units of `threshold`.
 *
 * Median and MAD stay what they are while less than half of the window is strange, so an anomaly cannot poison them; a new level is learnt
 * when half of the window has seen it. But the MAD of a window is small by luck now and then, and says nothing of what a third of the readings are: so no
 * smaller unit measures than the usual mean deviation, in which no reading counts for more than what scores 1; what comes as often as every eighth time
 * is not strange. And what is within three of the smallest steps that the series ever made scores below 1.
 */
export class MadDetector implements Detector {
  readonly #settings: MadSettings;
  readonly #series: MedianBlock;
  readonly #verdict = newVerdict();

  constructor(settings: MadSettings = madSettings({})) {
    this.#settings = settings;
    this.#series = newMedianBlock(NUMBERS, settings.window);
  }

  warm(): number {
    const { numbers, ring, order } = this.#series;
    return numbers[COUNT]! + order[0]! + sumOfLines(ring);
  }

  judge(value: number, _time: number): Verdict {
    const { window, warmUp, threshold } = this.#settings;
    const { numbers, ring, order } = this.#series;
    const scaled = value * SCALE;
    const seen = numbers[COUNT]!;
    learnStep(numbers, STEP, scaled, seen === 0);
    const size = Math.min(seen, window);
    const median = seen === 0 ? scaled : medianOf(ring, order, 0, size);
    const mad = seen === 0 ? 0 : medianDistanceOf(ring, order, 0, size, median);
    const smallest = Math.max(SMALLEST_STEPS * smallestStep(numbers, STEP), Math.abs(scaled) * ROUNDING);
    const sigma = Math.max(SIGMAS_A_MAD * mad, SIGMAS_A_MEAN * numbers[USUAL]!);
    const unit = Math.max(threshold * sigma, smallest);
    const distance = Math.abs(scaled - median);
    numbers[USUAL]! += (Math.min(distance, unit) - numbers[USUAL]!) * shareOf(seen + 1, MEMORY);
    numbers[OLDEST_SLOT] = joinWindow(this.#series, window, seen, numbers[OLDEST_SLOT]!, scaled);
    numbers[COUNT] = seen + 1;
    numbers[EXPECTED_LOW] = median - unit;
    numbers[EXPECTED_HIGH] = median + unit;

    const verdict = this.#verdict;
    verdict.learning = seen < warmUp;
    verdict.score = verdict.learning || unit === 0 ? 0 : boundedScore(distance / unit);
    verdict.anomaly = verdict.score >= 1;
    return verdict;
  }

  expected(): string {
    return rangeInWords(this.#series.numbers[EXPECTED_LOW]! / SCALE, this.#series.numbers[EXPECTED_HIGH]! / SCALE);
  }

  snapshot(): unknown {
    return snapshotOf(STATE_VERSION, this.#series.numbers);
  }

  restore(snapshot: unknown): void {
    restoreState('mad', STATE_VERSION, this.#series.numbers, snapshot);
  }
}

/** The options with their defaults. */
export function madSettings(options: MadOptions): MadSettings {
  const { window = 100, warmUp = 200, threshold = 6 } = options;
  return { window, warmUp, threshold };
}

/** How a rule names and sets the mad detector. */
export const madKind: DetectorKind = {
  name: 'mad',
  description: 'a value many median absolute deviations from the rolling median (Hampel identifier); learns',
  onsetOnly: false,
  options: {
    window: {
      description: 'readings the median and the median absolute deviation are taken over',
      default: 100,
      min: 5,
      max: MAX_MEDIAN_WINDOW,
      whole: true,
    },
    warmUp: { description: 'readings before anything is called an anomaly', default: 200, min: 5, whole: true },
    threshold: {
      description:
        'how many standard deviations, as the median absolute deviation tells them, score 1; larger is calmer',
      default: 6,
      min: 0,
      above: true,
    },
  },
  factory: (options) => {
    const settings = madSettings(options);
    return () => new MadDetector(settings);
  },
};
