import type { TableContent } from '../gateway/core/table.ts';

/** Unit and linear scaling of the series a pattern names: `value · scale + offset`. */
export interface SeriesConfiguration {
  readonly series: string;
  readonly unit: string | undefined;
  readonly scale: number;
  readonly offset: number;
}

/** Which stretches of event time windows take; times in milliseconds. */
export type WindowShape =
  | { readonly tumblingMs: number }
  | { readonly hoppingMs: number; readonly everyMs: number }
  | { readonly sessionGapMs: number }
  | { readonly calendar: 'day' | 'week' | 'month' | 'year'; readonly timeZone: string };

/**
 * Windows that readings begin and end: so many of them, of which one begins with each `every`-th; those while a condition holds; or, with
 * each reading, what came in so many milliseconds before it.
 */
export type OrderedShape =
  | { readonly count: number; readonly every: number | undefined }
  | { readonly while: StateCondition }
  | { readonly slidingMs: number };

/** What a value must be for a window to begin and to go on; `until` is where it ends instead of at the first bound. */
export type StateCondition =
  | { readonly above: number; readonly until?: number | undefined }
  | { readonly below: number; readonly until?: number | undefined }
  | { readonly equals: number | string }
  | { readonly unchanged: true };

/** What is computed over windows of one shape, and for which series. */
export interface WindowConfiguration {
  readonly name: string;
  readonly series: string;
  readonly window: (WindowShape & { readonly allowedLatenessMs: number }) | OrderedShape;
  readonly aggregates: readonly string[];
  /** How often a window gives what it has before its end, in milliseconds; undefined: never. */
  readonly earlyMs: number | undefined;
  /** Whether readings that come too late are only counted, or stored too. */
  readonly late: 'count' | 'store';
  /** What the values between two readings are taken to be. */
  readonly interpolation: 'step' | 'linear';
  /** Readings further apart say nothing about the time between them, in milliseconds; undefined bridges any distance. */
  readonly maxGapMs: number | undefined;
  /** How long the history keeps its results, in milliseconds; undefined: as long as others. */
  readonly keepMs: number | undefined;
}

/** Stretches of event time that lie side by side. */
export type RollupShape = Extract<WindowShape, { readonly tumblingMs: number } | { readonly timeZone: string }>;

/** Windows that are made from smaller ones. */
export interface RollupConfiguration {
  readonly name: string;
  /** The name of a window or of another rollup. */
  readonly from: string;
  readonly window: RollupShape;
  /** Undefined: what it is made from says. */
  readonly aggregates: readonly string[] | undefined;
  /** See `WindowConfiguration`. */
  readonly earlyMs: number | undefined;
  readonly keepMs: number | undefined;
}

/** Which readings of the series a pattern names go on to windows and detectors. */
export interface ReductionConfiguration {
  readonly series: string;
  readonly deadband: number | undefined;
  readonly deadbandPercent: number | undefined;
  readonly swingingDoor: number | undefined;
  readonly atLeastEveryMs: number | undefined;
  readonly atMostEveryMs: number | undefined;
}

/** What is known of devices, or of what a tag names. */
export interface TableConfiguration {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** `device`, or the name of a tag. */
  readonly key: string;
  /** Columns that go onto results as tags. */
  readonly tags: readonly string[];
  /** As the file was when the configuration was loaded. */
  readonly content: TableContent;
}

/** A series derived from each series a pattern names, reading by reading. */
export interface DerivationConfiguration {
  readonly name: string;
  readonly series: string;
  readonly metric: string;
  readonly unit: string | undefined;
  /** Expression in CEL. */
  readonly value: string;
}

/** What a side of a window join comes to in a window; with `pairs` every pair is taken. */
export type JoinAggregate = 'mean' | 'sum' | 'min' | 'max' | 'first' | 'last' | 'count' | 'pairs';

/** Which readings of the two sides of a join belong together; times in milliseconds. */
export type JoinKind =
  | { readonly withinMs: number }
  | { readonly asOfMs: number }
  | { readonly tumblingMs: number; readonly aggregate: JoinAggregate };

/** A series computed from two others. */
export interface JoinConfiguration {
  readonly name: string;
  readonly left: string;
  readonly right: string;
  /** `device`, or names of tags. */
  readonly on: readonly string[];
  readonly kind: JoinKind;
  /** How long a side that brings nothing new is waited for. */
  readonly waitMs: number;
  readonly metric: string;
  readonly unit: string | undefined;
  /** Expression in CEL. */
  readonly value: string;
}
