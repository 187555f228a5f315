import type { EpochMs } from '../../core/clock.ts';
import type { Quality } from '../../core/quality.ts';
import type { JoinedSeries } from './joined-series.ts';

/** A reading of one side. */
export interface SideReading {
  readonly of: JoinedSeries;
  readonly time: EpochMs;
  readonly value: number;
  readonly quality: Quality;
  /** Its time is that of receiving it. */
  readonly stamped: boolean;
}

/** What belongs together: becomes a derived reading. */
export interface Pair {
  readonly left: JoinedSeries;
  /** Undefined where no double holds what a side comes to. */
  readonly leftValue: number | undefined;
  readonly rightValue: number | undefined;
  readonly time: EpochMs;
  readonly quality: Quality;
  readonly stamped: boolean;
}

/** Takes pairs; called synchronously, in order of their times. */
export type TakePair = (pair: Pair) => void;

/**
 * Finds what belongs together among the readings of a group: several series of the left, one of the right. It is given them in order of
 * time, of one moment the right one first, so that it need not know about disorder.
 */
export interface Matcher {
  /** `lefts` are the series of the left, always in the same order. */
  take(reading: SideReading, lefts: readonly JoinedSeries[], emit: TakePair): void;
  /** Everything before `time` has been taken. */
  pass(time: EpochMs, lefts: readonly JoinedSeries[], emit: TakePair): void;
  /** When `pass` gives something that waits for nothing but that time; +∞ where there is none. */
  readonly openUntil: EpochMs;
  /** Readings it keeps, beyond one a series. */
  readonly held: number;
  /** Gives up the oldest of these; false where there are none. */
  shed(): boolean;
  /** The clock was set back: what comes now lies before what it keeps, and does not belong to that. */
  beginAnew(): void;
  /** Plain data; series are told by their places. */
  snapshot(): unknown;
  /** @param at the series of a place */
  restore(snapshot: unknown, at: (place: unknown) => JoinedSeries): void;
}

/** Two readings as a pair, at a time. */
export function pairOf(left: SideReading, right: SideReading, time: EpochMs): Pair {
  return {
    left: left.of,
    leftValue: left.value,
    rightValue: right.value,
    time,
    quality: worst(left.quality, right.quality),
    stamped: left.stamped || right.stamped,
  };
}

/** The quality of what comes of both. */
export function worst(one: Quality, other: Quality): Quality {
  return Math.max(one, other) as Quality;
}
