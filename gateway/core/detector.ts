import type { EpochMs } from './clock.ts';

/** A detector's judgement of one value. */
export interface Verdict {
  /** How unusual the value is: finite, at least 0; 1 is the detector's own threshold, so scores compare across detectors. */
  readonly score: number;
  /** True when the detector calls the value an anomaly. Never true while it is still learning. */
  readonly anomaly: boolean;
  /** True until the detector has seen enough to judge. */
  readonly learning: boolean;
}

/**
 * How a detector judges that no reading comes. Its times are receive times, those given to `judge` too: it hears of every reading of its series,
 * whatever its quality, value and source time; `value` is NaN where there is no number.
 */
export interface Silence {
  /** When silence becomes an anomaly if no reading comes before; +∞ while it does not, or has been told. Readings put it off, or end that it is +∞. */
  readonly dueAt: EpochMs;
  /** Since when nothing has come. */
  readonly since: EpochMs;
  /** The last number that was read, 0 before the first. */
  readonly lastValue: number;
  /** No reading has come until `dueAt`. */
  fall(): Verdict;
  /** The gateway did not listen, and does from `now` on: before it nobody was silent. */
  listenAgain(now: EpochMs): void;
  /** The wall clock was set by `byMs`, and receive time with it: no time has passed. */
  step(byMs: number): void;
}

/** How many detectors judge, and how many of them have not seen enough yet. */
export interface DetectorCounts {
  readonly count: number;
  readonly learning: number;
}

/** A streaming judge of one series: bounded state, no clock, no allocation for each value. */
export interface Detector {
  /**
   * Judges a value and learns from it. `value` is finite, times ascend; a detector may return one object again and again,
   * so read the verdict before the next call.
   */
  judge(value: number, time: EpochMs): Verdict;
  /** What would have been normal just before the last value, in words for an operator: `between 18.2 and 24.9`. */
  expected(): string;
  /** What was seen of the last value, where that value alone does not say it: `has been silent for 5 min`. */
  seen?(): string;
  /** Only where silence is judged; constant. */
  readonly silence?: Silence;
  /**
   * What it last called an anomaly, and what came of it since, was fine by the word of a person: it learns that. Answers whether it had anything to
   * learn. A detector whose limits are given has no such thing.
   */
  accept?(): boolean;
  /** Reads what `judge` will look for, and changes nothing; see `Stage.warm`. */
  warm?(): number;
  /** Plain data; `restore` of it continues with equal scores. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

/**
 * One option of a detector, for making it, for checking a configuration and for its documentation: a number, or a text. One whose name ends in
 * `Ms` is a duration in milliseconds.
 */
export interface DetectorOption {
  /** What it means, with its unit; of a duration without, as people give one. */
  readonly description: string;
  /** Taken where the option is left out; an option without a default may be left out when it is not `required`. */
  readonly default?: number | string;
  /** It is a text; the rest below is for numbers. The detector itself says which texts it takes. */
  readonly text?: true;
  readonly required?: boolean;
  /** Smallest allowed value; itself allowed unless `above` is true. */
  readonly min?: number;
  readonly above?: boolean;
  readonly max?: number;
  /** Only whole numbers. */
  readonly whole?: boolean;
}

/** The name that an option has for people, in a configuration and in messages: `for` for `forMs`. */
export function optionKey(name: string): string {
  return name.endsWith('Ms') ? name.slice(0, -2) : name;
}
