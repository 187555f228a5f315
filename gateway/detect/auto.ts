import type { Detector, Verdict } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import { type AutoMember, expectedBy } from './auto-words.ts';
import { BOUNDS_NUMBERS, highestBefore, learnBounds, lowestBefore, seenBy } from './known-bounds.ts';
import { MOVEMENT_NUMBERS, Movement, SPREAD_WINDOWS, STEP_WINDOW } from './movement.ts';
import { ONSET_NUMBERS, onsetScore } from './onset.ts';
import { RECENT_BYTES, RECENT_NUMBERS, RECENT_WINDOWS, RecentValues } from './recent-values.ts';
import { PROFILE_NUMBERS, SeasonalProfile } from './seasonal-profile.ts';
import { newVerdict } from './verdict.ts';

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

/** The members, in the order of their bounds in the block. */
const MEMBERS: readonly AutoMember[] = [
  { kind: 'value', window: RECENT_WINDOWS[0] },
  { kind: 'value', window: RECENT_WINDOWS[1] },
  { kind: 'lowest', window: RECENT_WINDOWS[1] },
  { kind: 'highest', window: RECENT_WINDOWS[1] },
  ...SPREAD_WINDOWS.map((window) => ({ kind: 'spread', window }) as const),
  { kind: 'step', window: STEP_WINDOW },
  { kind: 'day', window: 1 },
  { kind: 'week', window: 1 },
];
const SHORT_MEDIAN = 0;
const LONG_MEDIAN = 1;
const LOWEST = 2;
const HIGHEST = 3;
const SPREAD = 4;
const STEP = 6;
const DAY = 7;
const WEEK = 8;

const DAY_MS = 86_400_000;
const DAY_BINS = 48;
const WEEK_BINS = 168;

/** A profile is compared with from this many cycles on, and has a say from twice as many. */
const CYCLES_TO_LEARN = 2;
const CYCLES_TO_SPEAK = 4;
/** A member has a say after this many of its own windows. */
const WINDOWS_TO_SPEAK = 10;
/** The most that one member says: so it takes several to make a high score. */
const MOST_OF_A_MEMBER = 4;

/** Series that are read less often than this are asked for no more evidence than the threshold. */
const UNHURRIED_MS = 300_000;
/** How much more evidence is asked for, as a share of the threshold, for each time that readings come e times as often. */
const PATIENCE = 0.25;

/** Values are kept at a small part, so that no difference or sum of finite numbers overflows. */
const SCALE = 1 / 64;
/** Deviations below this share of the value are rounding, not movement. */
const ROUNDING = 1e-12;
/** However steady a movement was, no smaller unit than this measures its logarithm. */
const SMALLEST_LOG = 0.5;
/** However steady a value was, no smaller unit than so many of the smallest steps it ever made measures it: that may be a sensor's rounding. */
const SMALLEST_STEPS = 3;

// Places in the block: the ring of recent values, then the numbers of the other parts, the floats of the profiles, bytes.
const COUNT = RECENT_NUMBERS;
const ORIGIN_TIME = COUNT + 1;
const ORIGIN_VALUE = COUNT + 2;
const ONSET = COUNT + 3;
const LEADER = ONSET + ONSET_NUMBERS;
const LEADER_BASE = LEADER + 1;
const LEADER_UNIT = LEADER + 2;
const MOVEMENT = LEADER + 3;
const DAY_NUMBERS = MOVEMENT + MOVEMENT_NUMBERS;
const WEEK_NUMBERS = DAY_NUMBERS + PROFILE_NUMBERS;
const BOUNDS = WEEK_NUMBERS + PROFILE_NUMBERS;
const NUMBERS = BOUNDS + MEMBERS.length * BOUNDS_NUMBERS;
const FLOATS = 2 * (DAY_BINS + WEEK_BINS);
const FLOATS_START = NUMBERS * 8;
const BYTES_START = FLOATS_START + FLOATS * 4;
const BYTES = RECENT_BYTES + DAY_BINS + WEEK_BINS;

/**
 * Nine features of a series, each judged by how far it is outside everything seen of it: the distance from the median of the last 10 and 100
 * values; the lowest and the highest of the last 100; how much the series spreads over about 25 and 100 values, and how large its
 * steps are; and the distance from what is usual at this time of the day and of the week. What they say is added up with equal weights.
 *
 * A feature has a say only when it was watched for ten of its windows, or for four days or weeks; and at most so much that none of them
 * makes a high score alone. Only onsets count: while an anomaly lasts, rows that do not top its highest score have score 0.
 *
 * Needs no knowledge of the series: shifting, scaling or mirroring its values, or shifting its times, leaves every score as it is, but for
 * rounding. About 4 kB a series, one block of memory, which is also the snapshot.
 */
export class AutoDetector implements Detector {
  readonly #settings: AutoSettings;
  readonly #numbers: Float64Array;
  readonly #recent: RecentValues;
  readonly #movement: Movement;
  readonly #day: SeasonalProfile;
  readonly #week: SeasonalProfile;
  readonly #verdict = newVerdict();
  /** What the members have said of the value at hand, and the most that one has. */
  #evidence = 0.5;
  #most = 0.5;

  constructor(settings: AutoSettings = autoSettings({})) {
    this.#settings = settings;
    const block = new ArrayBuffer(BYTES_START + BYTES);
    const numbers = new Float64Array(block, 0, NUMBERS);
    const floats = new Float32Array(block, FLOATS_START, FLOATS);
    const bytes = new Uint8Array(block, BYTES_START, BYTES);
    this.#numbers = numbers;
    this.#recent = new RecentValues(numbers, bytes);
    this.#movement = new Movement(numbers, MOVEMENT);
    this.#day = new SeasonalProfile(DAY_MS / DAY_BINS, DAY_BINS, {
      numbers,
      numbersAt: DAY_NUMBERS,
      floats,
      floatsAt: 0,
      bytes,
      bytesAt: RECENT_BYTES,
    });
    this.#week = new SeasonalProfile((7 * DAY_MS) / WEEK_BINS, WEEK_BINS, {
      numbers,
      numbersAt: WEEK_NUMBERS,
      floats,
      floatsAt: 2 * DAY_BINS,
      bytes,
      bytesAt: RECENT_BYTES + DAY_BINS,
    });
  }

  judge(value: number, time: number): Verdict {
    const { warmUp, threshold, quiet } = this.#settings;
    const numbers = this.#numbers;
    const scaled = value * SCALE;
    const count = numbers[COUNT]! + 1;
    numbers[COUNT] = count;
    if (count === 1) {
      numbers[ORIGIN_TIME] = time;
      numbers[ORIGIN_VALUE] = scaled;
    }
    this.#evidence = 0;
    this.#most = 0;
    this.#movement.add(scaled, count);
    const smallest = Math.max(SMALLEST_STEPS * this.#movement.smallestStep, Math.abs(scaled) * ROUNDING);
    this.#hearValues(scaled, smallest);
    this.#hearMovement(count);
    this.#hearSeason(DAY, this.#day, scaled, time, smallest);
    this.#hearSeason(WEEK, this.#week, scaled, time, smallest);

    const verdict = this.#verdict;
    verdict.learning = count <= warmUp;
    const evidence = verdict.learning ? 0 : this.#evidence;
    const score = evidence > 0 ? evidence / (threshold * this.#patience(time)) : 0;
    verdict.score = onsetScore(numbers, ONSET, score, quiet);
    verdict.anomaly = verdict.score >= 1;
    return verdict;
  }

  expected(): string {
    const numbers = this.#numbers;
    const leader = numbers[LEADER]!;
    const at = BOUNDS + leader * BOUNDS_NUMBERS;
    const base = numbers[LEADER_BASE]! / SCALE;
    const unit = numbers[LEADER_UNIT]! / SCALE;
    return expectedBy(MEMBERS[leader]!, base, unit, lowestBefore(numbers, at), highestBefore(numbers, at));
  }

  snapshot(): unknown {
    return new Uint8Array(this.#numbers.buffer).slice();
  }

  restore(snapshot: unknown): void {
    const block = new Uint8Array(this.#numbers.buffer);
    if (!(snapshot instanceof Uint8Array) || snapshot.length !== block.length) {
      const got = snapshot instanceof Uint8Array ? `${snapshot.length} bytes` : typeof snapshot;
      throw new GatewayError(`Cannot restore an auto detector: its snapshot is ${got}, not ${block.length} bytes`, {
        hint: 'it was written by another version or another detector; let it learn anew',
      });
    }
    block.set(snapshot);
  }

  /** By how much more evidence is asked for where readings come more often: noise has more chances a day to look strange. At least 1. */
  #patience(time: number): number {
    const meanStepMs = (time - this.#numbers[ORIGIN_TIME]!) / this.#numbers[COUNT]!;
    return meanStepMs < UNHURRIED_MS ? 1 + PATIENCE * Math.log(UNHURRIED_MS / Math.max(meanStepMs, 1)) : 1;
  }

  #hearValues(value: number, smallest: number): void {
    const { mute } = this.#settings;
    const recent = this.#recent;
    recent.add(value);
    const { shortMedian, longMedian } = recent;
    // Where no member has anything to say, the long median tells what was expected.
    this.#lead(LONG_MEDIAN, longMedian, 1);
    this.#hear(SHORT_MEDIAN, mute[SHORT_MEDIAN]!, value - shortMedian, smallest, 0, shortMedian, 1);
    this.#hear(LONG_MEDIAN, mute[LONG_MEDIAN]!, value - longMedian, smallest, 0, longMedian, 1);
    this.#hear(LOWEST, mute[LOWEST]!, recent.lowest, smallest, 1, 0, 1);
    this.#hear(HIGHEST, mute[HIGHEST]!, recent.highest, smallest, 1, 0, 1);
  }

  /** A mean over a window says something from the end of its first on. */
  #hearMovement(count: number): void {
    const { mute } = this.#settings;
    const movement = this.#movement;
    if (count > STEP_WINDOW) this.#hear(STEP, mute[STEP]!, movement.logStep(), SMALLEST_LOG, 0, 0, movement.usualStep);
    for (let span = 0; span < SPREAD_WINDOWS.length; span++) {
      if (count <= SPREAD_WINDOWS[span]!) continue;
      const usual = movement.usualSpread(span);
      this.#hear(SPREAD + span, mute[SPREAD + span]!, movement.logSpread(span), SMALLEST_LOG, 0, 0, usual);
    }
  }

  #hearSeason(member: number, profile: SeasonalProfile, value: number, time: number, smallest: number): void {
    const numbers = this.#numbers;
    const cycles = profile.compare(value - numbers[ORIGIN_VALUE]!, time - numbers[ORIGIN_TIME]!);
    const { offset, spread } = profile;
    if (cycles < CYCLES_TO_LEARN || !(spread > 0)) return;
    const mute = cycles < CYCLES_TO_SPEAK ? Number.POSITIVE_INFINITY : this.#settings.mute[member]!;
    this.#hear(member, mute, offset / spread, smallest / spread, 0, value - offset, spread);
  }

  /** Lets a member learn the value of its feature, and adds what it has to say. `base` and `unit` turn its bounds into words. */
  #hear(
    member: number,
    mute: number,
    feature: number,
    smallest: number,
    follow: 0 | 1,
    base: number,
    unit: number,
  ): void {
    const at = BOUNDS + member * BOUNDS_NUMBERS;
    const said = learnBounds(this.#numbers, at, feature, smallest, follow);
    if (said === 0 || seenBy(this.#numbers, at) < mute) return;
    this.#evidence += Math.min(said, MOST_OF_A_MEMBER);
    if (said > this.#most) {
      this.#most = said;
      this.#lead(member, base, unit);
    }
  }

  /** Notes whose words explain the value at hand. */
  #lead(member: number, base: number, unit: number): void {
    const numbers = this.#numbers;
    numbers[LEADER] = member;
    numbers[LEADER_BASE] = base;
    numbers[LEADER_UNIT] = unit;
  }
}

/** The options with their defaults. */
export function autoSettings(options: AutoOptions): AutoSettings {
  const { warmUp = 200, threshold = 2, quiet = 100 } = options;
  const mute = Float64Array.from(MEMBERS, ({ window }) => Math.max(warmUp, window * WINDOWS_TO_SPEAK));
  return { warmUp, threshold, quiet, mute };
}
