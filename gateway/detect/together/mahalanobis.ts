import type { Verdict } from '../../core/detector.ts';
import { GatewayError } from '../../core/errors.ts';
import { isNewNormal, NEW_NORMAL_NUMBERS } from '../learning/new-normal.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { numberInWords, rangeInWords } from '../words.ts';
import { type BaselineSnapshot, JointBaseline } from './joint-baseline.ts';
import { type JointDetector, type JointDetectorKind, MAX_CHANNELS } from './joint-detector.ts';
import { JointSpace } from './joint-space.ts';

/** Counts are in vectors: one reading of each channel, more or less. One configuration is meant to serve every group of channels. */
export interface MahalanobisOptions {
  /** Channels are judged by their moving average over about this many readings. @default 20 */
  readonly smooth?: number | undefined;
  /** Spreads and correlations are taken over about this many readings. @default 4000 */
  readonly memory?: number | undefined;
  /** Nothing is called an anomaly before this many readings. @default 200 */
  readonly warmUp?: number | undefined;
  /** How many standard deviations from where the others say it should be a channel scores 1. Above 0. @default 5 */
  readonly threshold?: number | undefined;
  /** What is strange for so long is the new normal, in milliseconds. Above 0. @default 3600000 */
  readonly relearnAfterMs?: number | undefined;
}

type MahalanobisSettings = { readonly [Name in keyof MahalanobisOptions]-?: number };

/** What is beyond this share of the threshold is learnt as if it were there: no anomaly widens what is normal on its way up. */
const LEARNT_UP_TO = 0.44;
/** A reading further away than so many thresholds counts as that far: it is soon forgotten, and what follows seen as it is. */
const FURTHEST = 10;
/** An anomaly is over when the score has been below this … */
const OVER_BELOW = 0.8;
/** … for more than so many readings. */
const OVER_AFTER = 5;
/** After so few readings a channel has a spread; and so little is believed of what was learnt when a new normal begins. */
const SETTLED = 20;
/** By this many readings the threshold of a channel is as large again: what was seen of it yet is less than what it does. */
const INEXPERIENCE = 250;
// Places of the numbers of the detector's own.
/** Moments since it began to learn. */
const COUNT = 0;
/** Those that were normal. */
const NORMAL = 1;
/** Those of the anomaly that lasts, 0 where none does. */
const STRANGE = 2;
/** The last ones of them, of which enough would end it. */
const CALM = 3;
const NEW_NORMAL = 4;
const END = NEW_NORMAL + NEW_NORMAL_NUMBERS;

const STATE_VERSION = 1;

interface JointSnapshot extends BaselineSnapshot {
  readonly version: number;
  readonly numbers: Float64Array;
}

/**
 * Judges channels together, by what each should be as the others say: the largest leave-one-out residual of their moving averages, in units of
 * `threshold` (multivariate EWMA chart after Lowry et al. 1992; the decomposition of T² after Mason, Young and Tracy 1995). The
 * correlations are shrunk towards none while there are few readings behind them.
 *
 * The baseline is gated: what is an anomaly does not join it, and what is nearly one only as far as it is normal. A channel whose moving average
 * wanders more than its noise explains is followed, the others are held: so a slow temperature does not keep an anomaly that a flow has ended.
 * What is strange for `relearnAfterMs`, or for as many readings as were ever normal, is the new normal.
 *
 * While an anomaly lasts its score is at least 1. A constant has no spread: its first step is no anomaly.
 */
export class MahalanobisDetector implements JointDetector {
  readonly #settings: MahalanobisSettings;
  readonly #space: JointSpace;
  readonly #baseline: JointBaseline;
  readonly #numbers = new Float64Array(END);
  readonly #verdict = newVerdict();
  /** What share of the strangeness is whose. */
  readonly #shares = new Float64Array(MAX_CHANNELS);
  #leader = 0;
  #expectedLow = 0;
  #expectedHigh = 0;

  /** @param space shared by detectors that judge one after the other */
  constructor(settings: MahalanobisSettings = mahalanobisSettings({}), space = new JointSpace()) {
    this.#settings = settings;
    this.#space = space;
    this.#baseline = new JointBaseline(settings);
  }

  get size(): number {
    return this.#baseline.size;
  }

  addChannel(): void {
    this.#baseline.addChannel();
  }

  judge(values: Float64Array, time: number): Verdict {
    const verdict = this.#verdict;
    verdict.score = 0;
    verdict.anomaly = false;
    verdict.learning = true;
    if (!this.#baseline.takeIn(values, this.#furthestOf)) return verdict;
    const numbers = this.#numbers;
    const count = numbers[COUNT]! + 1;
    numbers[COUNT] = count;
    const distance = this.#distance();
    verdict.learning = count <= this.#settings.warmUp;
    if (!verdict.learning) {
      const score = boundedScore(this.#score());
      verdict.anomaly = this.#lasts(score);
      verdict.score = verdict.anomaly ? Math.max(1, score) : score;
    }
    if (verdict.anomaly) this.#follow();
    else this.#learn(distance);
    this.#baseline.pass();
    const isNew = isNewNormal(numbers, NEW_NORMAL, verdict.anomaly, time, this.#settings.relearnAfterMs);
    if (isNew || numbers[STRANGE]! > numbers[NORMAL]! + 1) this.#beginAnew();
    return verdict;
  }

  get leader(): number {
    return this.#leader;
  }

  shareOf(place: number): number {
    return this.#shares[place]!;
  }

  expected(): string {
    return rangeInWords(this.#expectedLow, this.#expectedHigh);
  }

  seen(unit: string | undefined): string {
    if (this.size === 0) return 'says nothing';
    const [last, average] = [this.#baseline.lastOf(this.#leader), this.#baseline.averageOf(this.#leader, 0)];
    const now = unit === undefined ? numberInWords(last) : `${numberInWords(last)} ${unit}`;
    return `is ${now}, on average ${numberInWords(average)}`;
  }

  /** What is strange just now is the new normal at once. */
  accept(): boolean {
    if (this.#numbers[STRANGE] === 0) return false;
    this.#beginAnew();
    return true;
  }

  snapshot(): unknown {
    const snapshot: JointSnapshot = {
      version: STATE_VERSION,
      numbers: this.#numbers.slice(),
      ...this.#baseline.snapshot(),
    };
    return snapshot;
  }

  restore(snapshot: unknown): void {
    const { version, numbers } = (snapshot ?? {}) as Partial<JointSnapshot>;
    const fits = version === STATE_VERSION && numbers instanceof Float64Array && numbers.length === END;
    if (!fits || !this.#baseline.restore(snapshot)) {
      throw new GatewayError('Cannot restore a mahalanobis detector: its snapshot is of another version or size', {
        hint: 'it was written by another version; let it learn anew',
      });
    }
    this.#numbers.set(numbers);
  }

  /** The largest residual, in standard deviations; of all channels that say something and have settled. */
  #distance(): number {
    const { threshold, memory } = this.#settings;
    const space = this.#space;
    const baseline = this.#baseline;
    space.clear();
    let readings = 2 * memory;
    for (let place = 0; place < baseline.size; place++) {
      const offset = baseline.offsetOf(place);
      const seen = baseline.seenOf(place);
      if (Number.isNaN(offset) || seen <= SETTLED) continue;
      const spread = baseline.spreadOf(place, threshold);
      if (!(spread > 0)) continue;
      space.add(place, offset, spread);
      readings = Math.min(readings, seen);
    }
    space.resolve(baseline.covariances, readings);
    let most = 0;
    for (let rank = 0; rank < space.count; rank++) most = Math.max(most, Math.abs(space.residual[rank]!));
    return most;
  }

  /** The largest residual in units of its channel's threshold; takes note of whose it is, and of what would have been normal. */
  #score(): number {
    const { count, places, residual } = this.#space;
    this.#shares.fill(0);
    let highest = 0;
    let leader = 0;
    for (let rank = 0; rank < count; rank++) {
      const score = Math.abs(residual[rank]!) / this.#thresholdOf(places[rank]!);
      if (score > highest) {
        highest = score;
        leader = rank;
      }
    }
    if (highest === 0) return 0;
    let sum = 0;
    for (let rank = 0; rank < count; rank++) {
      // As a part of the highest, whose own square may be too small for a number.
      const part = Math.abs(residual[rank]!) / this.#thresholdOf(places[rank]!) / highest;
      this.#shares[places[rank]!] = part * part;
      sum += part * part;
    }
    for (let rank = 0; rank < count; rank++) this.#shares[places[rank]!]! /= sum;
    this.#noteExpected(leader);
    return highest;
  }

  #noteExpected(rank: number): void {
    const { places, residual, residualSpread, spread } = this.#space;
    const place = places[rank]!;
    const unit = residualSpread[rank]! * spread[rank]!;
    const middle = -residual[rank]! * unit;
    const margin = this.#thresholdOf(place) * unit;
    this.#leader = place;
    this.#expectedLow = this.#baseline.averageOf(place, middle - margin);
    this.#expectedHigh = this.#baseline.averageOf(place, middle + margin);
  }

  /** An arrow, as it is handed on for every moment. */
  readonly #furthestOf = (place: number): number => {
    const { threshold } = this.#settings;
    const spread = this.#baseline.seenOf(place) < 2 ? 0 : this.#baseline.spreadOf(place, threshold);
    return spread > 0 ? FURTHEST * threshold * spread : Number.POSITIVE_INFINITY;
  };

  #thresholdOf(place: number): number {
    return this.#settings.threshold * (1 + INEXPERIENCE / this.#baseline.seenOf(place));
  }

  /** Whether an anomaly begins, or the one that there is goes on. */
  #lasts(score: number): boolean {
    const numbers = this.#numbers;
    const calm = score < OVER_BELOW ? numbers[CALM]! + 1 : 0;
    numbers[CALM] = calm;
    const lasts = numbers[STRANGE] === 0 ? score >= 1 : calm <= OVER_AFTER;
    numbers[STRANGE] = lasts ? numbers[STRANGE]! + 1 : 0;
    return lasts;
  }

  #learn(distance: number): void {
    const { count, places, spread, deviation } = this.#space;
    const share = Math.min(1, (LEARNT_UP_TO * this.#settings.threshold) / distance);
    this.#numbers[NORMAL]! += 1;
    for (let rank = 0; rank < count; rank++) {
      // From the deviation, as an offset may be further away than that can say.
      this.#baseline.replaceOffset(places[rank]!, deviation[rank]! * spread[rank]! * share);
    }
    this.#baseline.learn();
  }

  /** An anomaly is not learnt; what wanders for itself is followed, so that it does not keep the anomaly. */
  #follow(): void {
    const { count, places, residualSpread } = this.#space;
    for (let rank = 0; rank < count; rank++) this.#baseline.follow(places[rank]!, residualSpread[rank]! ** 2);
  }

  #beginAnew(): void {
    this.#baseline.beginAnew(SETTLED);
    this.#numbers.fill(0);
    this.#numbers[COUNT] = SETTLED;
    this.#numbers[NORMAL] = SETTLED;
  }
}

/** The options with their defaults. */
export function mahalanobisSettings(options: MahalanobisOptions): MahalanobisSettings {
  const { smooth = 20, memory = 4000, warmUp = 200, threshold = 5, relearnAfterMs = 3_600_000 } = options;
  return { smooth, memory, warmUp, threshold, relearnAfterMs };
}

/** How a rule names and sets the mahalanobis detector. */
export const mahalanobisKind: JointDetectorKind = {
  name: 'mahalanobis',
  description: 'a channel that is not where the others say it should be, or all of them where they never were; learns',
  options: {
    smooth: {
      description: 'moments whose moving average is judged',
      default: 20,
      min: 1,
      whole: true,
    },
    memory: {
      description: 'moments that spreads and correlations are taken over',
      default: 4000,
      min: 50,
      whole: true,
    },
    warmUp: { description: 'moments before anything is called an anomaly', default: 200, min: 20, whole: true },
    threshold: {
      description:
        'how many standard deviations from where the others say it should be a channel scores 1; larger is calmer',
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
    const settings = mahalanobisSettings(options);
    const space = new JointSpace();
    return () => new MahalanobisDetector(settings, space);
  },
};
