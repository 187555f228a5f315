import type { Detector, Verdict } from '../../core/detector.ts';
import {
  acceptStrange,
  GATED_NUMBERS,
  gatedCount,
  gatedMean,
  gatedSpread,
  learnGated,
} from '../learning/gated-baseline.ts';
import { sumOfLines } from '../learning/lines.ts';
import { learnStep, ROUNDING, SMALLEST_STEP_NUMBERS, SMALLEST_STEPS, smallestStep } from '../learning/smallest-step.ts';
import { restoreState, snapshotOf } from '../learning/state-snapshot.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { rangeInWords } from '../words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** Counts are in readings. */
export interface ZscoreOptions {
  /** Mean and spread are taken over about this many readings. @default 1000 */
  readonly memory?: number | undefined;
  /** Nothing is called an anomaly before this many readings. @default 200 */
  readonly warmUp?: number | undefined;
  /** How many standard deviations score 1. Above 0. @default 6 */
  readonly threshold?: number | undefined;
  /** What is strange for so long is the new normal, in milliseconds. Above 0. @default 3600000 */
  readonly relearnAfterMs?: number | undefined;
}

/** Every option, filled in: made once and shared by all detectors of a rule. */
type ZscoreSettings = { readonly [Name in keyof ZscoreOptions]-?: number };

// Places of the numbers of a series in its block of memory.
const SEEN = 0;
const EXPECTED_LOW = 1;
const EXPECTED_HIGH = 2;
const STEP = 3;
const BASELINE = STEP + SMALLEST_STEP_NUMBERS;
const END = BASELINE + GATED_NUMBERS;

/** Values are kept at an eighth, so that no difference of finite numbers overflows. */
const SCALE = 1 / 8;
const STATE_VERSION = 1;

/**
 * The distance from the exponentially weighted mean in exponentially weighted standard deviations (control chart with moving limits; see
 * `learnMoving` for the recursion), in units of `threshold`.
 *
 * The baseline is gated: an anomaly does not join it, so it does not blind the detector. What is strange for `relearnAfterMs` is the new normal:
 * everything but the resolution of the sensor is learnt anew from there. A value joins as if it were half way to the threshold at the
 * most, so a wild one among the first is soon forgotten. What is within three of the smallest steps that the series ever made scores
 * below 1: a switch, a sensor that rounds coarsely and the first step of a constant are no anomalies.
 */
export class ZscoreDetector implements Detector {
  readonly #settings: ZscoreSettings;
  readonly #numbers = new Float64Array(END);
  readonly #verdict = newVerdict();

  constructor(settings: ZscoreSettings = zscoreSettings({})) {
    this.#settings = settings;
  }

  warm(): number {
    return sumOfLines(this.#numbers);
  }

  judge(value: number, time: number): Verdict {
    const { warmUp, threshold } = this.#settings;
    const numbers = this.#numbers;
    const scaled = value * SCALE;
    learnStep(numbers, STEP, scaled, numbers[SEEN] === 0);
    numbers[SEEN] = 1;
    const mean = gatedMean(numbers, BASELINE, scaled);
    const smallest = Math.max(SMALLEST_STEPS * smallestStep(numbers, STEP), Math.abs(scaled) * ROUNDING);
    const unit = Math.max(threshold * gatedSpread(numbers, BASELINE), smallest);
    numbers[EXPECTED_LOW] = mean - unit;
    numbers[EXPECTED_HIGH] = mean + unit;

    const verdict = this.#verdict;
    verdict.learning = gatedCount(numbers, BASELINE) < warmUp;
    verdict.score = verdict.learning || unit === 0 ? 0 : boundedScore(Math.abs(scaled - mean) / unit);
    verdict.anomaly = verdict.score >= 1;
    learnGated(numbers, BASELINE, scaled, unit, verdict, time, this.#settings);
    return verdict;
  }

  expected(): string {
    return rangeInWords(this.#numbers[EXPECTED_LOW]! / SCALE, this.#numbers[EXPECTED_HIGH]! / SCALE);
  }

  /** What is strange just now is the new normal at once. */
  accept(): boolean {
    return acceptStrange(this.#numbers, BASELINE);
  }

  snapshot(): unknown {
    return snapshotOf(STATE_VERSION, this.#numbers);
  }

  restore(snapshot: unknown): void {
    restoreState('zscore', STATE_VERSION, this.#numbers, snapshot);
  }
}

/** The options with their defaults. */
export function zscoreSettings(options: ZscoreOptions): ZscoreSettings {
  const { memory = 1000, warmUp = 200, threshold = 6, relearnAfterMs = 3_600_000 } = options;
  return { memory, warmUp, threshold, relearnAfterMs };
}

/** How a rule names and sets the zscore detector. */
export const zscoreKind: DetectorKind = {
  name: 'zscore',
  description: 'a value many standard deviations from the moving mean; learns',
  onsetOnly: false,
  options: {
    memory: { description: 'readings the mean and the spread are taken over', default: 1000, min: 10, whole: true },
    warmUp: { description: 'readings before anything is called an anomaly', default: 200, min: 2, whole: true },
    threshold: {
      description: 'how many standard deviations score 1; larger is calmer',
      default: 6,
      min: 0,
      above: true,
    },
    relearnAfterMs: {
      description: 'how long something strange must last to be the new normal',
      default: 3_600_000,
      min: 0,
      above: true,
    },
  },
  factory: (options) => {
    const settings = zscoreSettings(options);
    return () => new ZscoreDetector(settings);
  },
};
