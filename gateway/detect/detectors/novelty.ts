import type { Detector, Verdict } from '../../core/detector.ts';
import { sumOfLines } from '../learning/lines.ts';
import { isOnset, onsetScore } from '../learning/onset.ts';
import {
  joinWindow,
  MAX_MEDIAN_WINDOW,
  type MedianBlock,
  medianOf,
  newMedianBlock,
} from '../learning/rolling-median.ts';
import { restoreWithTeaching, Teaching, withTeaching } from '../learning/teaching.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { rangeInWords } from '../words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** All counts are in readings. One configuration is meant to serve every series: nothing depends on unit, offset or sign. */
export interface NoveltyOptions {
  /** The median is taken over this many earlier values, 3 to 255. @default 100 */
  readonly window?: number | undefined;
  /** Nothing is called an anomaly before this many readings. @default 200 */
  readonly warmUp?: number | undefined;
  /** How far beyond everything seen a value must lie to score 1, in mean deviations. Above 0. @default 3 */
  readonly threshold?: number | undefined;
  /** The bounds of what was seen close by this many mean deviations each reading, so that a record is forgotten. @default 0.001 */
  readonly forget?: number | undefined;
  /** After this many readings `forget` shrinks in proportion to the age: what happens now and then is no news to the old. @default 8000 */
  readonly settleAfter?: number | undefined;
  /** The bounds close by this share of themselves each reading, so that a wild record is forgotten too. @default 1e-7 */
  readonly fade?: number | undefined;
  /** The mean deviation is taken over about this many readings. @default 4000 */
  readonly memory?: number | undefined;
  /** After an onset only a higher score counts, for this many readings. @default 100 */
  readonly quiet?: number | undefined;
}

/** Every option, filled in: made once by `noveltySettings` and shared by all detectors of a rule. */
export type NoveltySettings = { readonly [Name in keyof NoveltyOptions]-?: number };

// Places of the numbers of a series in its block of memory; the ring of values comes after them.
const COUNT = 0;
const LOWEST = 1;
const HIGHEST = 2;
const MEAN_DEVIATION = 3;
const ONSET = 4;
const EXPECTED_LOW = 6;
const EXPECTED_HIGH = 7;
const OLDEST_SLOT = 8;
const NUMBERS = 9;

/** Values are kept at an eighth, so that no difference of finite numbers overflows. */
const SCALE = 1 / 8;

/** Deviations below this share of the value are rounding, not movement. */
const ROUNDING = 1e-12;

/** The one that there is, of the value at hand: serves all series. */
const features = new Float64Array(1);

/**
 * Median novelty: d is the distance of a value from the median of the last hundred. The lowest and the highest d seen so far
 * bound what is known; the score of a value beyond them is its distance to the bound over the mean |d|, in units of `threshold`.
 *
 * Two additions to the plain method. The bounds close slowly (`forget`, `fade`), so that one wild spike years ago does not blind
 * the detector for ever. And only onsets count: while an anomaly lasts, rows that do not top its highest score have score 0.
 *
 * Needs no knowledge of the series: shifting, scaling or mirroring it leaves every score as it is, but for rounding. About
 * 1.1 kB a series, one block of memory, which is also the snapshot.
 */
export class NoveltyDetector implements Detector {
  readonly #settings: NoveltySettings;
  readonly #series: MedianBlock;
  readonly #verdict = newVerdict();
  /** Behind the block in the snapshot. */
  #teaching: Teaching | undefined;

  constructor(settings: NoveltySettings = noveltySettings({})) {
    this.#settings = settings;
    this.#series = newMedianBlock(NUMBERS, settings.window);
  }

  warm(): number {
    const { numbers, ring, order } = this.#series;
    return numbers[COUNT]! + order[0]! + sumOfLines(ring);
  }

  judge(value: number, _time: number): Verdict {
    const { window, warmUp, threshold, forget, settleAfter, fade, memory, quiet } = this.#settings;
    const { numbers, ring, order } = this.#series;
    const scaled = value * SCALE;
    const seen = numbers[COUNT]!;
    // A first value is its own median.
    const median = seen === 0 ? scaled : medianOf(ring, order, 0, Math.min(seen, window));
    numbers[OLDEST_SLOT] = joinWindow(this.#series, window, seen, numbers[OLDEST_SLOT]!, scaled);
    const deviation = scaled - median;
    const lowest = numbers[LOWEST]!;
    const highest = numbers[HIGHEST]!;

    // The mean includes this value: so a first movement after a constant scores at most `memory / threshold`, not infinity.
    const count = seen + 1;
    numbers[COUNT] = count;
    const before = numbers[MEAN_DEVIATION]!;
    const mean = before + (Math.abs(deviation) - before) / Math.min(count, memory);
    numbers[MEAN_DEVIATION] = mean;
    numbers[EXPECTED_LOW] = median + lowest;
    numbers[EXPECTED_HIGH] = median + highest;

    const beyond = deviation > highest ? deviation - highest : deviation < lowest ? lowest - deviation : 0;
    const closing = (count > settleAfter ? (forget * settleAfter) / count : forget) * mean;
    numbers[LOWEST] = Math.min(deviation, lowest + closing - fade * lowest, 0);
    numbers[HIGHEST] = Math.max(deviation, highest - closing - fade * highest, 0);

    const verdict = this.#verdict;
    verdict.learning = count <= warmUp;
    const unit = threshold * Math.max(mean, Math.abs(scaled) * ROUNDING);
    const wasOnset = isOnset(numbers, ONSET);
    const isFine = wasOnset && this.#teaching?.isAccepted === true;
    const score = beyond > 0 && unit > 0 && count > warmUp && !isFine ? boundedScore(beyond / unit) : 0;
    verdict.score = onsetScore(numbers, ONSET, score, quiet);
    verdict.anomaly = verdict.score >= 1;
    if (verdict.anomaly && this.#teaching === undefined) this.#teaching = new Teaching(1);
    if (this.#teaching !== undefined) this.#note(this.#teaching, deviation, wasOnset);
    return verdict;
  }

  accept(): boolean {
    this.#teaching?.accept();
    return this.#teaching !== undefined;
  }

  /** A worse score within an onset is one anomaly with it. */
  #note(teaching: Teaching, deviation: number, wasOnset: boolean): void {
    const numbers = this.#series.numbers;
    if (!wasOnset && this.#verdict.anomaly) teaching.begin();
    features[0] = deviation;
    if (isOnset(numbers, ONSET)) teaching.see(features);
    numbers[LOWEST] = Math.min(numbers[LOWEST]!, teaching.lowest(0));
    numbers[HIGHEST] = Math.max(numbers[HIGHEST]!, teaching.highest(0));
  }

  expected(): string {
    return rangeInWords(this.#series.numbers[EXPECTED_LOW]! / SCALE, this.#series.numbers[EXPECTED_HIGH]! / SCALE);
  }

  snapshot(): unknown {
    return withTeaching(new Uint8Array(this.#series.numbers.buffer), this.#teaching);
  }

  restore(snapshot: unknown): void {
    this.#teaching = restoreWithTeaching('novelty', new Uint8Array(this.#series.numbers.buffer), 1, snapshot);
  }
}

/** The options with their defaults. */
export function noveltySettings(options: NoveltyOptions): NoveltySettings {
  const { window = 100, warmUp = 200, threshold = 3, memory = 4000, quiet = 100 } = options;
  const { forget = 0.001, settleAfter = 8000, fade = 1e-7 } = options;
  return { window, warmUp, threshold, forget, settleAfter, fade, memory, quiet };
}

/** How a rule names and sets the novelty detector. */
export const noveltyKind: DetectorKind = {
  name: 'novelty',
  description: 'a value further from the recent median than anything seen; learns, needs no tuning',
  onsetOnly: true,
  options: {
    window: {
      description: 'readings the median is taken over',
      default: 100,
      min: 3,
      max: MAX_MEDIAN_WINDOW,
      whole: true,
    },
    warmUp: { description: 'readings before anything is called an anomaly', default: 200, min: 1, whole: true },
    threshold: {
      description: 'how far beyond everything seen scores 1, in mean deviations',
      default: 3,
      min: 0,
      above: true,
    },
    forget: {
      description: 'mean deviations by which the known bounds close each reading',
      default: 0.001,
      min: 0,
      max: 1,
    },
    settleAfter: {
      description: 'readings after which forget shrinks in proportion to the age',
      default: 8000,
      min: 1,
      whole: true,
    },
    fade: {
      description: 'share of themselves by which the known bounds close each reading',
      default: 1e-7,
      min: 0,
      max: 1,
    },
    memory: { description: 'readings the mean deviation is taken over', default: 4000, min: 1, whole: true },
    quiet: {
      description: 'readings after an onset in which only a higher score counts',
      default: 100,
      min: 0,
      whole: true,
    },
  },
  factory: (options) => {
    const settings = noveltySettings(options);
    return () => new NoveltyDetector(settings);
  },
};
