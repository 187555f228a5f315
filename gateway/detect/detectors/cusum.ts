import type { Detector, Verdict } from '../../core/detector.ts';
import {
  addToBatch,
  BATCH_NUMBERS,
  BATCHES,
  batchMean,
  batchSize,
  keepBatch,
  learnBatches,
} from '../learning/batch-means.ts';
import { sumOfLines } from '../learning/lines.ts';
import { learnMoving, MOVING_NUMBERS, movingMean, movingSpread } from '../learning/moving-spread.ts';
import { learnStep, SMALLEST_STEP_NUMBERS, smallestStep } from '../learning/smallest-step.ts';
import { restoreState, snapshotOf } from '../learning/state-snapshot.ts';
import { newVerdict } from '../verdict.ts';
import { numberInWords, rangeInWords } from '../words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** What counts as a drift, in standard deviations of a batch. */
export interface CusumOptions {
  /** How far the mean of a batch may be off for ever. At least 0. @default 0.5 */
  readonly slack?: number | undefined;
  /** How much may add up beyond that to score 1. Above 0. @default 15 */
  readonly threshold?: number | undefined;
  /** For how long it learns at the least, in milliseconds, so that it knows the seasons. Above 0. @default 86400000 */
  readonly learnForMs?: number | undefined;
}

// Places of the numbers of a series in its block of memory.
const SEEN = 0;
/** Batches that the baseline is made of; 0 while it is learning. */
const COUNT = 1;
/** What has added up above and below the mean. */
const ABOVE = 2;
const BELOW = 3;
/** Batches in a row that were strange. */
const STRANGE = 4;
const EXPECTED_LOW = 5;
const EXPECTED_HIGH = 6;
const LAST_MEAN = 7;
const LAST_TIME = 8;
/** For how long it was learning. */
const WATCHED = 9;
const STEP = 10;
const BASELINE = STEP + SMALLEST_STEP_NUMBERS;
const BATCH = BASELINE + MOVING_NUMBERS;
const END = BATCH + BATCH_NUMBERS;

/** Values are kept at an eighth, so that no difference of finite numbers overflows. */
const SCALE = 1 / 8;
/** Batches that mean and spread are taken over. */
const MEMORY = 500;
/** No batch counts for more standard deviations: a wild reading is no drift. */
const MOST_OF_A_BATCH = 3;
/** Not more than so many thresholds add up: when the drift is over, it takes a while until that is seen, but not for ever. */
const MOST_IN_ALL = 1.5;
/** From this score on a batch does not join the baseline. */
const SUSPICIOUS = 0.5;
/** A shift of the mean by less than so many of the smallest steps may be rounding. */
const SMALLEST_STEPS = 2;
const STATE_VERSION = 1;

/**
 * Two-sided CUSUM (E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954; tabular form as in Montgomery, Statistical Quality Control, 9.1) of
 * batch means, standardised by learnt mean and spread: what the means are off beyond `slack`, added up, in units of `threshold`. For drifts
 * and small shifts that stay.
 *
 * A batch is as long as it takes for batches hardly to depend on each other, see `keepBatch`; until 40 of such are there, and `learnForMs` has passed, it
 * is learning: for a series with a strong daily season for weeks. A drift that lasts for 40 batches beyond the threshold is the new normal, and learnt anew.
 */
export class CusumDetector implements Detector {
  readonly #slack: number;
  readonly #threshold: number;
  readonly #learnForMs: number;
  readonly #numbers = new Float64Array(END);
  readonly #verdict = newVerdict();

  constructor(options: CusumOptions = {}) {
    this.#slack = options.slack ?? 0.5;
    this.#threshold = options.threshold ?? 15;
    this.#learnForMs = options.learnForMs ?? 86_400_000;
  }

  warm(): number {
    return sumOfLines(this.#numbers);
  }

  judge(value: number, time: number): Verdict {
    const numbers = this.#numbers;
    const scaled = value * SCALE;
    learnStep(numbers, STEP, scaled, numbers[SEEN] === 0);
    if (numbers[SEEN] === 1) numbers[WATCHED]! += Math.min(time - numbers[LAST_TIME]!, this.#learnForMs / BATCHES);
    numbers[SEEN] = 1;
    numbers[LAST_TIME] = time;
    if (addToBatch(numbers, BATCH, scaled)) this.#close(batchMean(numbers, BATCH));
    const verdict = this.#verdict;
    verdict.learning = numbers[COUNT] === 0;
    verdict.score = this.#score();
    verdict.anomaly = verdict.score >= 1;
    return verdict;
  }

  seen(): string {
    const size = batchSize(this.#numbers, BATCH);
    return `drifts: ${numberInWords(this.#numbers[LAST_MEAN]! / SCALE)} on average over ${size} readings`;
  }

  expected(): string {
    return rangeInWords(this.#numbers[EXPECTED_LOW]! / SCALE, this.#numbers[EXPECTED_HIGH]! / SCALE);
  }

  /** What it drifts to is learnt anew at once. */
  accept(): boolean {
    if (this.#numbers[STRANGE] === 0) return false;
    this.#forget();
    return true;
  }

  snapshot(): unknown {
    return snapshotOf(STATE_VERSION, this.#numbers);
  }

  restore(snapshot: unknown): void {
    restoreState('cusum', STATE_VERSION, this.#numbers, snapshot);
  }

  #score(): number {
    return Math.max(this.#numbers[ABOVE]!, this.#numbers[BELOW]!) / this.#threshold;
  }

  #close(mean: number): void {
    const numbers = this.#numbers;
    numbers[LAST_MEAN] = mean;
    if (numbers[COUNT] === 0) {
      if (keepBatch(numbers, BATCH, numbers[WATCHED]! >= this.#learnForMs)) this.#learn();
      return;
    }
    const usual = movingMean(numbers, BASELINE);
    const unit = Math.max(movingSpread(numbers, BASELINE), SMALLEST_STEPS * smallestStep(numbers, STEP));
    const offset = unit > 0 ? (mean - usual) / unit : 0;
    const counted = Math.max(-MOST_OF_A_BATCH, Math.min(MOST_OF_A_BATCH, offset));
    const most = MOST_IN_ALL * this.#threshold;
    numbers[ABOVE] = Math.min(most, Math.max(0, numbers[ABOVE]! + counted - this.#slack));
    numbers[BELOW] = Math.min(most, Math.max(0, numbers[BELOW]! - counted - this.#slack));
    numbers[EXPECTED_LOW] = usual - this.#slack * unit;
    numbers[EXPECTED_HIGH] = usual + this.#slack * unit;

    const score = this.#score();
    if (score < SUSPICIOUS) {
      numbers[COUNT]!++;
      learnMoving(numbers, BASELINE, usual + counted * unit, 1 / Math.min(numbers[COUNT]!, MEMORY));
    }
    numbers[STRANGE] = score >= 1 ? numbers[STRANGE]! + 1 : 0;
    if (numbers[STRANGE]! >= BATCHES) this.#forget();
  }

  #learn(): void {
    const numbers = this.#numbers;
    learnBatches(numbers, BATCH, (mean, count) => {
      learnMoving(numbers, BASELINE, mean, 1 / count);
    });
    numbers[COUNT] = BATCHES;
  }

  #forget(): void {
    this.#numbers[WATCHED] = 0;
    this.#numbers.fill(0, COUNT, STRANGE + 1);
    this.#numbers.fill(0, BASELINE, BASELINE + MOVING_NUMBERS);
  }
}

/** How a rule names and sets the cusum detector. */
export const cusumKind: DetectorKind = {
  name: 'cusum',
  description: 'a slow drift, or a small shift that stays (two-sided CUSUM of batch means); learns',
  onsetOnly: false,
  options: {
    slack: {
      description: 'how far the mean of a batch may be off for ever, in standard deviations of a batch',
      default: 0.5,
      min: 0,
    },
    threshold: {
      description: 'how many standard deviations of a batch must add up beyond that to score 1; larger is calmer',
      default: 15,
      min: 0,
      above: true,
    },
    learnForMs: {
      description: 'for how long it learns at the least, so that it knows the seasons',
      default: 86_400_000,
      min: 0,
      above: true,
    },
  },
  factory: (options) => () => new CusumDetector(options),
};
