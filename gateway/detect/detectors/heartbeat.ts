import type { EpochMs } from '../../core/clock.ts';
import type { Detector, Silence, Verdict } from '../../core/detector.ts';
import { restoreState, snapshotOf } from '../learning/state-snapshot.ts';
import { boundedScore, newVerdict } from '../verdict.ts';
import { durationInWords } from '../words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** When silence is an anomaly. Times are in milliseconds. */
export interface HeartbeatOptions {
  /** A silence of this length is an anomaly, whatever is usual. Above 0. Learnt when left out. */
  readonly afterMs?: number | undefined;
  /** How many times the longest usual gap between readings a silence must last to score 1, where it is learnt. 1 to 100. @default 5 */
  readonly threshold?: number | undefined;
  /** No shorter silence is an anomaly, where it is learnt. Above 0. @default 60000 */
  readonly atLeastMs?: number | undefined;
}

// Places of the numbers of a series in its block of memory.
const SEEN = 0;
/** The last reading, or when the gateway began to listen again after it. */
const LAST = 1;
/** The longest gap that is usual. */
const LONGEST = 2;
/** For how long the gateway has listened to the series. */
const LISTENED = 3;
/** 1: silence is an anomaly already, and was told. */
const IS_TOLD = 4;
/** 1: the gateway did not listen all the time since the last reading, so the gap that the next one ends is nobody's. */
const IS_BROKEN = 5;
const LAST_VALUE = 6;
const SILENT = 7;
/** The gap that ended a silence last told of; 0 where nobody needs to know it any more. */
const TOLD_GAP = 8;
/** 1: the silence that lasts is fine by the word of a person, however long it becomes. */
const IS_FINE = 9;
/** 1: it has listened for long enough. */
const IS_LEARNT = 10;
const END = 11;

/** In a time as long as itself the longest usual gap becomes shorter by this share: so slowly that a reading always puts off when silence is too long. */
const FORGET = 1 / 1000;
/** So that it stays as slow. */
const LARGEST_THRESHOLD = 100;
/** No gap makes the longest usual one longer than so many times: an outage of a day must not hide the next. */
const MOST_OF_A_GAP = 2;
/** It is learning until it has listened for so many times the silence that it would call an anomaly. */
const SILENCES_TO_LEARN = 10;
const STATE_VERSION = 1;

/**
 * Judges how long a series is silent, in receive time. Score: the gap between two readings, or the silence so far, over the silence that is too long:
 * `afterMs`, or `threshold` times the longest usual gap, but at least `atLeastMs`.
 *
 * The longest usual gap is a running maximum that decays: so what arrives in bursts, with gaps between, has the gap between the bursts for
 * usual, which a mean or a median would hide. A gap makes it twice as long at the most, so an outage teaches little, and a series that begins to
 * come more seldom is known after a few silences: k of them where gaps are 5 · 2ᵏ times what they were.
 *
 * While the gateway does not listen no time passes here: see `Silence.listenAgain`.
 */
export class HeartbeatDetector implements Detector, Silence {
  readonly #fixedMs: number | undefined;
  readonly #threshold: number;
  readonly #atLeastMs: number;
  readonly #numbers = new Float64Array(END);
  readonly #verdict = newVerdict();
  readonly silence: Silence = this;

  constructor(options: HeartbeatOptions = {}) {
    this.#fixedMs = options.afterMs;
    this.#threshold = options.threshold ?? 5;
    this.#atLeastMs = options.atLeastMs ?? 60_000;
  }

  get dueAt(): EpochMs {
    const numbers = this.#numbers;
    if (numbers[SEEN] === 0 || numbers[IS_TOLD] === 1 || this.#isLearning) return Number.POSITIVE_INFINITY;
    return numbers[LAST]! + this.#limitMs;
  }

  get since(): EpochMs {
    return this.#numbers[LAST]!;
  }

  get lastValue(): number {
    return this.#numbers[LAST_VALUE]!;
  }

  judge(value: number, time: EpochMs): Verdict {
    const numbers = this.#numbers;
    if (Number.isFinite(value)) numbers[LAST_VALUE] = value;
    const gapMs = numbers[SEEN] === 1 ? Math.max(0, time - numbers[LAST]!) : 0;
    const verdict = this.#verdict;
    verdict.learning = this.#isLearning;
    // A silence that was told ends with this reading: it is normal again.
    const counts = !verdict.learning && numbers[IS_TOLD] === 0;
    verdict.score = counts ? boundedScore(gapMs / this.#limitMs) : 0;
    verdict.anomaly = verdict.score >= 1;
    numbers[SILENT] = gapMs;
    if (numbers[SEEN] === 1 && numbers[IS_BROKEN] === 0) this.#learn(gapMs, verdict.learning || numbers[IS_FINE] === 1);
    if (numbers[IS_TOLD] === 1) numbers[TOLD_GAP] = numbers[IS_FINE] === 1 ? 0 : gapMs;
    numbers[LISTENED]! += gapMs;
    if (numbers[LISTENED]! >= SILENCES_TO_LEARN * this.#limitMs) numbers[IS_LEARNT] = 1;
    numbers[SEEN] = 1;
    numbers[IS_TOLD] = 0;
    numbers[IS_FINE] = 0;
    numbers[IS_BROKEN] = 0;
    numbers[LAST] = time;
    return verdict;
  }

  fall(): Verdict {
    const verdict = this.#verdict;
    verdict.learning = false;
    verdict.score = 1;
    verdict.anomaly = true;
    this.#numbers[SILENT] = this.#limitMs;
    this.#numbers[IS_TOLD] = 1;
    return verdict;
  }

  listenAgain(now: EpochMs): void {
    const numbers = this.#numbers;
    if (numbers[SEEN] === 0) return;
    numbers[LAST] = now;
    numbers[IS_BROKEN] = 1;
  }

  step(byMs: number): void {
    this.#numbers[LAST]! += byMs;
  }

  seen(): string {
    return `has been silent for ${durationInWords(this.#numbers[SILENT]!)}`;
  }

  expected(): string {
    if (this.#fixedMs !== undefined) return `a reading within ${durationInWords(this.#fixedMs)}`;
    return `a reading at least every ${durationInWords(this.#numbers[LONGEST]!)}`;
  }

  /** A gap as long as the silence that was told of, or as it becomes, is usual. */
  accept(): boolean {
    const numbers = this.#numbers;
    const isSilent = numbers[IS_TOLD] === 1;
    if (this.#fixedMs !== undefined || (!isSilent && numbers[TOLD_GAP] === 0)) return false;
    if (isSilent) numbers[IS_FINE] = 1;
    else this.#learn(numbers[TOLD_GAP]!, true);
    numbers[TOLD_GAP] = 0;
    return true;
  }

  snapshot(): unknown {
    return snapshotOf(STATE_VERSION, this.#numbers);
  }

  restore(snapshot: unknown): void {
    restoreState('heartbeat', STATE_VERSION, this.#numbers, snapshot);
  }

  get #limitMs(): number {
    return this.#fixedMs ?? Math.max(this.#atLeastMs, this.#threshold * this.#numbers[LONGEST]!);
  }

  get #isLearning(): boolean {
    return this.#fixedMs === undefined && this.#numbers[IS_LEARNT] === 0;
  }

  /** @param isWhole the gap counts however long it is */
  #learn(gapMs: number, isWhole: boolean): void {
    const numbers = this.#numbers;
    const longest = numbers[LONGEST]!;
    const most = isWhole || longest === 0 ? gapMs : Math.min(gapMs, longest * MOST_OF_A_GAP);
    numbers[LONGEST] = Math.max(most, longest - FORGET * gapMs);
  }
}

/** How a rule names and sets the heartbeat detector. */
export const heartbeatKind: DetectorKind = {
  name: 'heartbeat',
  description: 'a series that is silent for longer than usual; learns how often readings come',
  onsetOnly: true,
  options: {
    afterMs: {
      description: 'a silence of this length is an anomaly, whatever is usual; learnt when left out',
      min: 0,
      above: true,
    },
    threshold: {
      description: 'how many times the longest usual gap a silence must last to score 1; larger is calmer',
      default: 5,
      min: 1,
      max: LARGEST_THRESHOLD,
    },
    atLeastMs: {
      description: 'no shorter silence is an anomaly, where it is learnt',
      default: 60_000,
      min: 0,
      above: true,
    },
  },
  factory: (options) => () =>
    new HeartbeatDetector({
      afterMs: options['afterMs'],
      threshold: options['threshold'],
      atLeastMs: options['atLeastMs'],
    }),
};
