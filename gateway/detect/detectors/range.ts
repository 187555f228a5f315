import type { Detector, Verdict } from '../../core/detector.ts';
import { GatewayError } from '../../core/errors.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { numberInWords } from '../words.ts';
import type { DetectorKind, NumberOptions } from './detector-kind.ts';

/** What is normal, in the unit of the series: at least one bound, `min` at most `max`; `detectors.ts` checks it. */
export interface RangeOptions {
  /** Lowest normal value; itself normal. No lower bound when left out. */
  readonly min?: number | undefined;
  /** Highest normal value; itself normal. No upper bound when left out. */
  readonly max?: number | undefined;
}

/**
 * Calls every value below `min` or above `max` an anomaly. Needs no learning.
 *
 * Score: 0 in the middle of the range, 1 at either bound, one more for each half of the span beyond it. With one bound only, the
 * distance is measured in units of the bound itself (of 1 where the bound is 0).
 */
export class RangeDetector implements Detector {
  readonly #min: number;
  readonly #max: number;
  /** Where the score is 1, and the distance over which it changes by 1, both at an eighth so that 1e308 cannot overflow. */
  readonly #centre: number;
  readonly #scale: number;
  readonly #verdict = newVerdict();

  constructor(options: RangeOptions) {
    this.#min = options.min ?? Number.NEGATIVE_INFINITY;
    this.#max = options.max ?? Number.POSITIVE_INFINITY;
    const both = options.min !== undefined && options.max !== undefined;
    this.#centre = both ? this.#min / 16 + this.#max / 16 : (options.min ?? options.max ?? 0) / 8;
    this.#scale = (both ? this.#max / 16 - this.#min / 16 : Math.abs(this.#centre)) || 1 / 8;
    this.#verdict.learning = false;
  }

  judge(value: number, _time: number): Verdict {
    const verdict = this.#verdict;
    verdict.anomaly = value < this.#min || value > this.#max;
    // Rounding must not put an anomaly below the threshold, or a normal value above it.
    const score = this.#distance(value);
    verdict.score = verdict.anomaly ? Math.max(1, score) : Math.min(1, score);
    return verdict;
  }

  expected(): string {
    if (this.#min === Number.NEGATIVE_INFINITY) return `at most ${numberInWords(this.#max)}`;
    if (this.#max === Number.POSITIVE_INFINITY) return `at least ${numberInWords(this.#min)}`;
    return `between ${numberInWords(this.#min)} and ${numberInWords(this.#max)}`;
  }

  /** Nothing is learnt, so there is nothing to keep. */
  snapshot(): unknown {
    return null;
  }

  restore(_snapshot: unknown): void {
    // Nothing is learnt: a restored detector is equal to a new one.
  }

  #distance(value: number): number {
    const offset = value / 8 - this.#centre;
    if (this.#min === Number.NEGATIVE_INFINITY) return boundedScore(1 + offset / this.#scale);
    if (this.#max === Number.POSITIVE_INFINITY) return boundedScore(1 - offset / this.#scale);
    return boundedScore(Math.abs(offset) / this.#scale);
  }
}

/** How a rule names and sets the range detector. */
export const rangeKind: DetectorKind = {
  name: 'range',
  description: 'a value below min or above max',
  onsetOnly: false,
  options: {
    min: { description: 'lowest normal value, in the unit of the series' },
    max: { description: 'highest normal value, in the unit of the series' },
  },
  factory: (options) => {
    const { min, max } = checkedRange(options);
    return () => new RangeDetector({ min, max });
  },
};

function checkedRange(options: NumberOptions): { min: number | undefined; max: number | undefined } {
  const min = options['min'];
  const max = options['max'];
  if (min === undefined && max === undefined) {
    throw new GatewayError('Cannot make the detector range: it has neither min nor max', {
      hint: 'give the lowest normal value as min, the highest as max, or both',
    });
  }
  if (min !== undefined && max !== undefined && min > max) {
    throw new GatewayError(`Cannot make the detector range: its min ${min} is above its max ${max}`, {
      hint: 'min must be at most max',
    });
  }
  return { min, max };
}
