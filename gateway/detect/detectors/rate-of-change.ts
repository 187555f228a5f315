import type { EpochMs } from '../../core/clock.ts';
import type { Detector, Verdict } from '../../core/detector.ts';
import { GatewayError } from '../../core/errors.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { durationInWords, numberInWords } from '../words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** What is too fast. */
export interface RateOfChangeOptions {
  /** Fastest normal change either way, in the unit of the series for each second. Above 0. */
  readonly maxPerSecond: number;
  /** Shortest time over which a change is measured, in milliseconds: quicker ones are divided by this. Above 0. @default 1000 */
  readonly overMs?: number | undefined;
}

/**
 * Calls a value an anomaly when it has moved away from an earlier one faster than allowed. Score: the rate over `maxPerSecond`.
 *
 * The earlier value is an anchor that moves on once it is `overMs` old. So jitter of fast readings is not a rate, while a steady climb
 * in small steps is seen. After a gap the change is spread over the gap.
 */
export class RateOfChangeDetector implements Detector {
  readonly #maxPerMs: number;
  readonly #overMs: number;
  readonly #verdict = newVerdict();
  #anchor = 0;
  #anchorTime = Number.NaN;
  /** Of the last value, an eighth of it for each second; below 0 where it falls. */
  #rate = 0;

  constructor(options: RateOfChangeOptions) {
    this.#maxPerMs = options.maxPerSecond / 1000;
    this.#overMs = options.overMs ?? 1000;
  }

  judge(value: number, time: EpochMs): Verdict {
    const verdict = this.#verdict;
    const elapsedMs = time - this.#anchorTime;
    // An eighth of the change, so that the difference of two huge values cannot overflow. With no anchor yet the age is NaN.
    const change = value / 8 - this.#anchor / 8;
    const overMs = Math.max(elapsedMs, this.#overMs);
    const allowed = (this.#maxPerMs / 8) * overMs;
    this.#rate = change / (overMs / 1000);
    verdict.learning = Number.isNaN(elapsedMs);
    verdict.score = verdict.learning || change === 0 ? 0 : boundedScore(Math.abs(change) / allowed);
    verdict.anomaly = verdict.score > 1;
    if (!(elapsedMs < this.#overMs)) {
      this.#anchor = value;
      this.#anchorTime = time;
    }
    return verdict;
  }

  seen(): string {
    const rate = Math.min(Math.abs(this.#rate) * 8, Number.MAX_VALUE);
    return `${this.#rate < 0 ? 'falls' : 'rises'} by ${numberInWords(rate)} each second`;
  }

  expected(): string {
    const rate = `a change of at most ${numberInWords(this.#maxPerMs * 1000)} each second`;
    return `${rate}, measured over at least ${durationInWords(this.#overMs)}`;
  }

  snapshot(): unknown {
    return [this.#anchor, this.#anchorTime];
  }

  restore(snapshot: unknown): void {
    if (!Array.isArray(snapshot) || snapshot.length !== 2 || !snapshot.every((part) => typeof part === 'number')) {
      throw new GatewayError('Cannot restore a rate-of-change detector: its snapshot is not two numbers');
    }
    const [anchor, anchorTime] = snapshot as [number, number];
    this.#anchor = anchor;
    this.#anchorTime = anchorTime;
  }
}

/** How a rule names and sets the rate-of-change detector. */
export const rateOfChangeKind: DetectorKind = {
  name: 'rate-of-change',
  description: 'a value that moves faster than allowed',
  onsetOnly: false,
  options: {
    maxPerSecond: {
      description: 'fastest normal change either way, in the unit of the series for each second',
      required: true,
      min: 0,
      above: true,
    },
    overMs: {
      description: 'shortest time a change is measured over',
      default: 1000,
      min: 0,
      above: true,
    },
  },
  factory: (options) => () =>
    new RateOfChangeDetector({ maxPerSecond: options['maxPerSecond']!, overMs: options['overMs'] }),
};
