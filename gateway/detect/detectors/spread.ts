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
import { learnStep, ROUNDING, SMALLEST_STEP_NUMBERS, smallestStep } from '../learning/smallest-step.ts';
import { restoreState, snapshotOf } from '../learning/state-snapshot.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { numberInWords, rangeInWords } from '../words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** Counts are in readings. */
export interface SpreadOptions {
  /** The mean step is taken over about this many readings. @default 50 */
  readonly window?: number | undefined;
  /** What is usual is taken over about this many readings. @default 4000 */
  readonly memory?: number | undefined;
  /** Nothing is called an anomaly before this many readings since the series moved for the first time. @default 400 */
  readonly warmUp?: number | undefined;
  /** How many of its standard deviations the logarithm of the mean step must be off to score 1. Above 0. @default 5 */
  readonly threshold?: number | undefined;
  /** What is strange for so long is the new normal, in milliseconds. Above 0. @default 3600000 */
  readonly relearnAfterMs?: number | undefined;
}

/** Every option, filled in: made once and shared by all detectors of a rule. */
type SpreadSettings = { readonly [Name in keyof SpreadOptions]-?: number };

// Places of the numbers of a series in its block of memory.
const SEEN = 0;
const MEAN_STEP = 1;
const EXPECTED_LOW = 2;
const EXPECTED_HIGH = 3;
const STEP = 4;
/** Of what came since the series moved for the first time. */
const BASELINE = STEP + SMALLEST_STEP_NUMBERS;
const END = BASELINE + GATED_NUMBERS;

/** Values are kept at an eighth, so that no difference of finite numbers overflows. */
const SCALE = 1 / 8;
/**
 * So many of the smallest steps count as being there all the time: a sensor that rounds is still for hours, then flickers between two neighbouring
 * values, and is no more restless for that.
 */
const UNSEEN = 1.5;
/** No single step counts for more than so many usual ones: a spike is no restlessness. */
const MOST_OF_A_STEP = 8;
/** However steady it was, twice or half as restless is the least that scores 1. */
const LEAST_RATIO = Math.log(2);
const STATE_VERSION = 1;

/**
 * Tells when a series is much more restless than usual, or suspiciously calm: the exponentially weighted mean of its absolute steps (as the moving range
 * of a control chart for single values, Shewhart 1931; trends and levels hardly enter it), its logarithm, and the distance of that from its own moving mean in
 * moving standard deviations, in units of `threshold`.
 *
 * A series that never moved is being learnt. Anomalies do not join the baseline; what is strange for `relearnAfterMs` is the new normal.
 */
export class SpreadDetector implements Detector {
  readonly #settings: SpreadSettings;
  readonly #numbers = new Float64Array(END);
  readonly #verdict = newVerdict();

  constructor(settings: SpreadSettings = spreadSettings({})) {
    this.#settings = settings;
  }

  warm(): number {
    return sumOfLines(this.#numbers);
  }

  judge(value: number, time: number): Verdict {
    const { warmUp, threshold } = this.#settings;
    const numbers = this.#numbers;
    const scaled = value * SCALE;
    const step = learnStep(numbers, STEP, scaled, numbers[SEEN] === 0);
    numbers[SEEN] = 1;
    const smallest = smallestStep(numbers, STEP);
    const verdict = this.#verdict;
    if (smallest === 0) {
      verdict.learning = true;
      verdict.score = 0;
      verdict.anomaly = false;
      return verdict;
    }
    const count = gatedCount(numbers, BASELINE) + 1;
    const unseen = Math.max(UNSEEN * smallest, Math.abs(scaled) * ROUNDING, Number.MIN_VALUE);
    const logStep = Math.log(this.#meanStep(step, count) + unseen);
    const usual = gatedMean(numbers, BASELINE, logStep);
    const unit = Math.max(threshold * gatedSpread(numbers, BASELINE), LEAST_RATIO);
    numbers[EXPECTED_LOW] = Math.max(0, Math.exp(usual - unit) - unseen);
    numbers[EXPECTED_HIGH] = Math.exp(usual + unit) - unseen;

    verdict.learning = count <= warmUp;
    verdict.score = verdict.learning ? 0 : boundedScore(Math.abs(logStep - usual) / unit);
    verdict.anomaly = verdict.score >= 1;
    learnGated(numbers, BASELINE, logStep, unit, verdict, time, this.#settings);
    return verdict;
  }

  seen(): string {
    return `steps by ${numberInWords(this.#numbers[MEAN_STEP]! / SCALE)} on average`;
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
    restoreState('spread', STATE_VERSION, this.#numbers, snapshot);
  }

  #meanStep(step: number, count: number): number {
    const numbers = this.#numbers;
    const most = count > 1 ? MOST_OF_A_STEP * Math.exp(gatedMean(numbers, BASELINE, 0)) : step;
    numbers[MEAN_STEP]! += (Math.min(step, most) - numbers[MEAN_STEP]!) / Math.min(count, this.#settings.window);
    return numbers[MEAN_STEP]!;
  }
}

/** The options with their defaults. */
export function spreadSettings(options: SpreadOptions): SpreadSettings {
  const { window = 50, memory = 4000, warmUp = 400, threshold = 5, relearnAfterMs = 3_600_000 } = options;
  return { window, memory, warmUp, threshold, relearnAfterMs };
}

/** How a rule names and sets the spread detector. */
export const spreadKind: DetectorKind = {
  name: 'spread',
  description: 'a series that is much more restless than usual, or suspiciously calm; learns',
  onsetOnly: false,
  options: {
    window: { description: 'readings the mean step is taken over', default: 50, min: 2, whole: true },
    memory: { description: 'readings that what is usual is taken over', default: 4000, min: 10, whole: true },
    warmUp: {
      description: 'readings, from the first that moved, before anything is called an anomaly',
      default: 400,
      min: 2,
      whole: true,
    },
    threshold: {
      description:
        'how many of its standard deviations the logarithm of the mean step must be off to score 1; larger is calmer',
      default: 5,
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
    const settings = spreadSettings(options);
    return () => new SpreadDetector(settings);
  },
};
