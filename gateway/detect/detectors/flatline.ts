import type { EpochMs } from '../../core/clock.ts';
import type { Detector, Verdict } from '../../core/detector.ts';
import { GatewayError } from '../../core/errors.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { durationInWords, numberInWords } from '../words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** What a flatline is. */
export interface FlatlineOptions {
  /** A value that has not changed for this long, in milliseconds, is an anomaly. Above 0. */
  readonly forMs: number;
  /** Changes of at most this much count as none, in the unit of the series. @default 0 */
  readonly tolerance?: number | undefined;
}

/** One interval between readings is at most this share of the evidence. */
const LARGEST_SHARE = 1 / 4;

/**
 * A sensor that keeps sending one value is often stuck. Score: how long the value has not changed, over `forMs`.
 *
 * Only time in which readings came counts: an interval without readings adds at most a quarter of `forMs`, so that two equal
 * values around a gap prove nothing and at least five equal readings are needed. The first of them is the reference: a slow drift
 * is a change as soon as it has left the tolerance.
 */
export class FlatlineDetector implements Detector {
  readonly #forMs: number;
  readonly #tolerance: number;
  readonly #verdict = newVerdict();
  #reference = Number.NaN;
  #lastTime = 0;
  #unchangedMs = 0;

  constructor(options: FlatlineOptions) {
    this.#forMs = options.forMs;
    this.#tolerance = options.tolerance ?? 0;
  }

  judge(value: number, time: EpochMs): Verdict {
    // Halves, so that the difference of two huge values cannot overflow; with no reference yet the comparison is false.
    if (Math.abs(value / 2 - this.#reference / 2) <= this.#tolerance / 2) {
      this.#unchangedMs += Math.min(time - this.#lastTime, this.#forMs * LARGEST_SHARE);
    } else {
      this.#reference = value;
      this.#unchangedMs = 0;
    }
    this.#lastTime = time;
    const verdict = this.#verdict;
    verdict.learning = false;
    verdict.score = boundedScore(this.#unchangedMs / this.#forMs);
    verdict.anomaly = verdict.score >= 1;
    return verdict;
  }

  expected(): string {
    const change = this.#tolerance === 0 ? 'a change' : `a change of more than ${numberInWords(this.#tolerance)}`;
    return `${change} within ${durationInWords(this.#forMs)}`;
  }

  snapshot(): unknown {
    return [this.#reference, this.#lastTime, this.#unchangedMs];
  }

  restore(snapshot: unknown): void {
    if (!Array.isArray(snapshot) || snapshot.length !== 3 || !snapshot.every((part) => typeof part === 'number')) {
      throw new GatewayError('Cannot restore a flatline detector: its snapshot is not three numbers');
    }
    const [reference, lastTime, unchangedMs] = snapshot as [number, number, number];
    this.#reference = reference;
    this.#lastTime = lastTime;
    this.#unchangedMs = unchangedMs;
  }
}

/** How a rule names and sets the flatline detector. */
export const flatlineKind: DetectorKind = {
  name: 'flatline',
  description: 'a value that does not change while readings come',
  onsetOnly: false,
  options: {
    forMs: { description: 'how long without a change', required: true, min: 0, above: true },
    tolerance: { description: 'changes of at most this much count as none', default: 0, min: 0 },
  },
  factory: (options) => () => new FlatlineDetector({ forMs: options['forMs']!, tolerance: options['tolerance'] }),
};
