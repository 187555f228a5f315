import type { Detector, Verdict } from '../../core/detector.ts';
import {
  BOUNDS_NUMBERS,
  highestBefore,
  learnBounds,
  lowestBefore,
  seenBy,
  widenBounds,
} from '../learning/known-bounds.ts';
import { sumOfLines } from '../learning/lines.ts';
import {
  addMovement,
  finestStep,
  logSpread,
  logStep,
  SPREAD_WINDOWS,
  STEP_WINDOW,
  usualSpread,
  usualStep,
} from '../learning/movement.ts';
import { isOnset, onsetScore } from '../learning/onset.ts';
import { RecentValues } from '../learning/recent-values.ts';
import { SeasonalProfile } from '../learning/seasonal-profile.ts';
import { ROUNDING, SMALLEST_STEPS } from '../learning/smallest-step.ts';
import { restoreWithTeaching, Teaching, withTeaching } from '../learning/teaching.ts';
import { newVerdict } from '../verdict.ts';
import {
  DAY_BIN_MS,
  DAY_BINS,
  DAY_PLACE,
  MEMBERS,
  Member,
  newAutoBlock,
  Place,
  WEEK_BIN_MS,
  WEEK_BINS,
  WEEK_PLACE,
} from './auto-block.ts';
import { expectedBy } from './auto-words.ts';
import type { DetectorKind } from './detector-kind.ts';

/** All counts are in readings. One configuration is meant to serve every series: nothing depends on unit, offset or sign. */
export interface AutoOptions {
  /** Nothing is called an anomaly before this many readings. @default 200 */
  readonly warmUp?: number | undefined;
  /** How much evidence scores 1, of at most 4 from each of nine features. Above 0. @default 2 */
  readonly threshold?: number | undefined;
  /** After an onset only a higher score counts, for this many readings. @default 100 */
  readonly quiet?: number | undefined;
}

/** Every option, filled in, and what follows from them: made once by `autoSettings` and shared by all detectors of a rule. */
export interface AutoSettings {
  readonly warmUp: number;
  readonly threshold: number;
  readonly quiet: number;
  /** How many values of its feature a member must have learnt before it has a say, by member. */
  readonly mute: Readonly<Float64Array>;
}

/** A profile is compared with from this many cycles on, and has a say from twice as many. */
const CYCLES_TO_LEARN = 2;
const CYCLES_TO_SPEAK = 4;
/** A member has a say after this many of its own windows. */
const WINDOWS_TO_SPEAK = 5;
/** The most that one member says: so it takes several to make a high score. */
const MOST_OF_A_MEMBER = 4;

/** Series that are read less often than this are asked for no more evidence than the threshold. */
const UNHURRIED_MS = 300_000;
/** How much more evidence is asked for, as a share of the threshold, for each time that readings come e times as often. */
const PATIENCE = 0.25;

/** Values are kept at a small part, so that no difference or sum of finite numbers overflows. */
const SCALE = 1 / 64;
/** However steady a movement was, no smaller unit than this measures its logarithm. */
const SMALLEST_LOG = 0.5;

// What these find of a series is taken at once: they serve all series.
const recent = new RecentValues();
/** Of the value at hand, by member; NaN where one was not heard. */
const features = new Float64Array(MEMBERS.length);
const dayProfile = new SeasonalProfile(DAY_BIN_MS, DAY_BINS, DAY_PLACE);
const weekProfile = new SeasonalProfile(WEEK_BIN_MS, WEEK_BINS, WEEK_PLACE);

/**
 * Nine features of a series, each judged by how far it is outside everything seen of it: the distance from the median of the last 10 and 100
 * values; the lowest and the highest of the last 100; how much the series spreads over about 25 and 100 values, and how large its
 * steps are; and the distance from what is usual at this time of the day and of the week. What they say is added up with equal weights.
 *
 * A feature has a say only when it was watched for five of its windows, or for four days or weeks; and at most so much that none of them
 * makes a high score alone. Only onsets count: while an anomaly lasts, rows that do not top its highest score have score 0.
 *
 * Needs no knowledge of the series: shifting, scaling or mirroring its values, or shifting its times, leaves every score as it is, but for
 * rounding. About 4 kB a series, one block of memory, which is also the snapshot.
 */
export class AutoDetector implements Detector {
  readonly #settings: AutoSettings;
  readonly #series = newAutoBlock();
  readonly #verdict = newVerdict();
  /** Behind the block in the snapshot. */
  #teaching: Teaching | undefined;

  constructor(settings: AutoSettings = autoSettings({})) {
    this.#settings = settings;
  }

  warm(): number {
    return sumOfLines(this.#series.numbers);
  }

  judge(value: number, time: number): Verdict {
    const { warmUp, threshold, quiet } = this.#settings;
    const { numbers } = this.#series;
    const scaled = value * SCALE;
    const count = numbers[Place.count]! + 1;
    numbers[Place.count] = count;
    if (count === 1) {
      numbers[Place.originTime] = time;
      numbers[Place.originValue] = scaled;
    }
    numbers[Place.evidence] = 0;
    numbers[Place.most] = 0;
    features.fill(Number.NaN);
    addMovement(numbers, Place.movement, scaled, count);
    const smallest = Math.max(SMALLEST_STEPS * finestStep(numbers, Place.movement), Math.abs(scaled) * ROUNDING);
    this.#hearValues(scaled, smallest);
    this.#hearMovement(count);
    this.#hearSeason(Member.day, dayProfile, scaled, time, smallest);
    this.#hearSeason(Member.week, weekProfile, scaled, time, smallest);

    const verdict = this.#verdict;
    verdict.learning = count <= warmUp;
    const evidence = verdict.learning ? 0 : numbers[Place.evidence]!;
    const wasOnset = isOnset(numbers, Place.onset);
    const isFine = wasOnset && this.#teaching?.isAccepted === true;
    const score = evidence > 0 && !isFine ? evidence / (threshold * this.#patience(time)) : 0;
    verdict.score = onsetScore(numbers, Place.onset, score, quiet);
    verdict.anomaly = verdict.score >= 1;
    if (verdict.anomaly && this.#teaching === undefined) this.#teaching = new Teaching(MEMBERS.length);
    if (this.#teaching !== undefined) this.#note(this.#teaching, wasOnset);
    return verdict;
  }

  accept(): boolean {
    this.#teaching?.accept();
    return this.#teaching !== undefined;
  }

  /** A worse score within an onset is one anomaly with it. */
  #note(teaching: Teaching, wasOnset: boolean): void {
    if (!wasOnset && this.#verdict.anomaly) teaching.begin();
    if (isOnset(this.#series.numbers, Place.onset)) teaching.see(features);
  }

  expected(): string {
    const { numbers } = this.#series;
    const leader = numbers[Place.leader]!;
    const at = Place.bounds + leader * BOUNDS_NUMBERS;
    const base = numbers[Place.leaderBase]! / SCALE;
    const unit = numbers[Place.leaderUnit]! / SCALE;
    return expectedBy(MEMBERS[leader]!, base, unit, lowestBefore(numbers, at), highestBefore(numbers, at));
  }

  snapshot(): unknown {
    return withTeaching(new Uint8Array(this.#series.numbers.buffer), this.#teaching);
  }

  restore(snapshot: unknown): void {
    const block = new Uint8Array(this.#series.numbers.buffer);
    this.#teaching = restoreWithTeaching('auto', block, MEMBERS.length, snapshot);
  }

  /** By how much more evidence is asked for where readings come more often: noise has more chances a day to look strange. At least 1. */
  #patience(time: number): number {
    const { numbers } = this.#series;
    const meanStepMs = (time - numbers[Place.originTime]!) / numbers[Place.count]!;
    return meanStepMs < UNHURRIED_MS ? 1 + PATIENCE * Math.log(UNHURRIED_MS / Math.max(meanStepMs, 1)) : 1;
  }

  #hearValues(value: number, smallest: number): void {
    const { numbers, bytes } = this.#series;
    const { mute } = this.#settings;
    recent.add(numbers, bytes, value);
    const { shortMedian, longMedian, lowest, highest } = recent;
    // Where no member has anything to say, the long median tells what was expected.
    this.#lead(Member.longMedian, longMedian, 1);
    this.#hear(Member.shortMedian, mute[Member.shortMedian]!, value - shortMedian, smallest, 0, shortMedian, 1);
    this.#hear(Member.longMedian, mute[Member.longMedian]!, value - longMedian, smallest, 0, longMedian, 1);
    this.#hear(Member.lowest, mute[Member.lowest]!, lowest, smallest, 1, 0, 1);
    this.#hear(Member.highest, mute[Member.highest]!, highest, smallest, 1, 0, 1);
  }

  /** A mean over a window says something from the end of its first on. */
  #hearMovement(count: number): void {
    const { numbers } = this.#series;
    const { mute } = this.#settings;
    const at = Place.movement;
    if (count > STEP_WINDOW) {
      const usual = usualStep(numbers, at);
      this.#hear(Member.step, mute[Member.step]!, logStep(numbers, at), SMALLEST_LOG, 0, 0, usual);
    }
    for (let span = 0; span < SPREAD_WINDOWS.length; span++) {
      if (count <= SPREAD_WINDOWS[span]!) continue;
      const member = Member.spread + span;
      const usual = usualSpread(numbers, at, span);
      this.#hear(member, mute[member]!, logSpread(numbers, at, span), SMALLEST_LOG, 0, 0, usual);
    }
  }

  #hearSeason(member: number, profile: SeasonalProfile, value: number, time: number, smallest: number): void {
    const { numbers } = this.#series;
    const elapsedMs = time - numbers[Place.originTime]!;
    const cycles = profile.compare(this.#series, value - numbers[Place.originValue]!, elapsedMs);
    const { offset, spread } = profile;
    if (cycles < CYCLES_TO_LEARN || !(spread > 0)) return;
    const mute = cycles < CYCLES_TO_SPEAK ? Number.POSITIVE_INFINITY : this.#settings.mute[member]!;
    this.#hear(member, mute, offset / spread, smallest / spread, 0, value - offset, spread);
  }

  /**
   * Lets a member learn the value of its feature, and adds what it has to say. It is mute until it has learnt so many; `base` and `unit`
   * turn its bounds into words.
   */
  #hear(
    member: number,
    mute: number,
    feature: number,
    smallest: number,
    follow: 0 | 1,
    base: number,
    unit: number,
  ): void {
    const { numbers } = this.#series;
    const at = Place.bounds + member * BOUNDS_NUMBERS;
    features[member] = feature;
    const said = learnBounds(numbers, at, feature, smallest, follow);
    const teaching = this.#teaching;
    if (teaching !== undefined) widenBounds(numbers, at, teaching.lowest(member), teaching.highest(member));
    if (said === 0 || seenBy(numbers, at) < mute) return;
    numbers[Place.evidence]! += Math.min(said, MOST_OF_A_MEMBER);
    if (said > numbers[Place.most]!) {
      numbers[Place.most] = said;
      this.#lead(member, base, unit);
    }
  }

  /** Notes whose words explain the value at hand. */
  #lead(member: number, base: number, unit: number): void {
    const { numbers } = this.#series;
    numbers[Place.leader] = member;
    numbers[Place.leaderBase] = base;
    numbers[Place.leaderUnit] = unit;
  }
}

/** The options with their defaults. */
export function autoSettings(options: AutoOptions): AutoSettings {
  const { warmUp = 200, threshold = 2, quiet = 100 } = options;
  const mute = Float64Array.from(MEMBERS, ({ window }) => Math.max(warmUp, window * WINDOWS_TO_SPEAK));
  return { warmUp, threshold, quiet, mute };
}

/** How a rule names and sets the auto detector. */
export const autoKind: DetectorKind = {
  name: 'auto',
  description:
    'a value, a season or a movement unlike anything seen; learns, needs no tuning, for any series of numbers',
  onsetOnly: true,
  options: {
    warmUp: { description: 'readings before anything is called an anomaly', default: 200, min: 1, whole: true },
    threshold: { description: 'how much evidence scores 1; larger is calmer', default: 2, min: 0, above: true },
    quiet: {
      description: 'readings after an onset in which only a higher score counts',
      default: 100,
      min: 0,
      whole: true,
    },
  },
  factory: (options) => {
    const settings = autoSettings(options);
    return () => new AutoDetector(settings);
  },
};
