import type { AlarmRow } from './alarm.ts';
import type { EpochMs } from './clock.ts';
import type { Rejected } from './intake.ts';
import type { Reading, Series } from './reading.ts';
import type { Result } from './result.ts';
import type { ReadingRow } from './view.ts';

/** A place in the pipeline that can be watched while readings pass. */
export interface TapStage {
  /** `accepted`, `window:minute` … */
  readonly name: string;
  /** What passes there. */
  readonly of: 'readings' | 'results';
  /** A sentence for a person. */
  readonly description: string;
}

/** What is to be watched. */
export interface TapQuery {
  /** Name of a stage. */
  readonly stage: string;
  /** Key of a series, or a pattern (see `seriesPattern`); everything when undefined. */
  readonly series?: string | undefined;
}

/** Who watches. Called in the middle of the work: it must be quick, must not throw, and must not keep or change what it is shown. */
export interface TapListener {
  /** @param outcome what has become of a reading there, where there is something to say */
  passed(item: Reading | Result, outcome: string | undefined): void;
  /** Nothing comes any more. */
  end(): void;
}

/** Of which reading it is asked where it went. */
export interface ExplainQuery {
  /** Key of a series. */
  readonly series: string;
  /** Source time of the reading, to the millisecond and its fraction. */
  readonly time: EpochMs;
}

/**
 * What became of a reading. `taken`: it went through everything that uses its series. `late`: some window had closed. `reduced`: the reduction
 * left it out. `waiting`: the reduction still holds it. `unused`: nothing uses its series. `unknown`: none of that time is remembered.
 */
export type Verdict = 'taken' | 'late' | 'reduced' | 'waiting' | 'unused' | 'unknown';

/** A window that holds a time. */
export interface WindowAt {
  readonly window: string;
  /** What it is made from, where it is a rollup. */
  readonly from: string | null;
  readonly start: EpochMs;
  readonly end: EpochMs;
  /** The watermark at which it takes no more; null where readings end it. */
  readonly closesAt: EpochMs | null;
  /** `empty`: it has not closed, and nothing has come for it. `open`: it has something, and has not ended. `given`: it has ended, and still takes what is late. `closed`. */
  readonly state: 'empty' | 'open' | 'given' | 'closed';
  /** Of its last result; null where none is known. */
  readonly revision: number | null;
}

/** The same, and whether it holds the reading; null where that cannot be told any more. */
export interface ExplainedWindow extends WindowAt {
  readonly holds: boolean | null;
}

/** Who uses the readings of a series, by the configuration. */
export interface SeriesConsumers {
  /** The rule of the reduction, in the words of the configuration; null where there is none. */
  readonly reduction: string | null;
  /** `derive:NAME`, `join:NAME (left)`. */
  readonly readBy: readonly string[];
  /** Names of windows and rollups. */
  readonly windows: readonly string[];
  readonly detectors: readonly {
    readonly detector: string;
    readonly options: Readonly<Record<string, number | string>>;
  }[];
}

/** Where what a derivation or a join makes of a reading stands: in which series, and at which times. */
export interface DerivedAt {
  /** As in `SeriesConsumers`. */
  readonly by: string;
  /** Key of the derived series. */
  readonly series: string;
  /** The least and the greatest time it can have. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** Whether a join has not come so far: more may follow. */
  readonly mayFollow: boolean;
}

/** The same, and what is remembered of it: of a join also what others than this reading have made at these times. */
export interface ExplainedDerived extends DerivedAt {
  readonly readings: readonly ReadingRow[];
}

/** Where a reading went. */
export interface Explanation extends ExplainQuery {
  readonly verdict: Verdict;
  /** Sentences for a person: what the verdict means here, and what cannot be told any more. */
  readonly summary: string;
  /** Readings of that time that are remembered. */
  readonly readings: readonly ReadingRow[];
  /** How often it came again, as far as is remembered. */
  readonly duplicates: number;
  /** The watermark when it came, where it was late. */
  readonly watermarkThen: EpochMs | null;
  /** The watermark now: see `SeriesStatus`. */
  readonly watermark: EpochMs | null;
  /** Source times of the nearest readings that are remembered. */
  readonly nearest: { readonly before: EpochMs | null; readonly after: EpochMs | null };
  readonly windows: readonly ExplainedWindow[];
  readonly consumers: SeriesConsumers;
  /** What derivations and joins have made of it, or may have. */
  readonly derived: readonly ExplainedDerived[];
  /** Alarms of the series that were active then. */
  readonly alarms: readonly AlarmRow[];
  /** What was refused of its device lately. */
  readonly refused: readonly Pick<Rejected, 'time' | 'reason' | 'subject'>[];
}

/** A look into the pipeline, for people; whoever looks changes nothing. */
export interface Inspection {
  /** The stages that can be watched, in the order in which readings pass them. */
  readonly stages: readonly TapStage[];
  /** Shows what passes a stage from now on; returns how to stop. Undefined while live data is given up for want of memory. */
  tap(query: TapQuery, listener: TapListener): (() => void) | undefined;
  /** Where a reading went, as far as it is known; undefined where there is no such series. */
  explain(query: ExplainQuery): Promise<Explanation | undefined>;
}

/** Says who uses a series. */
export type ConsumersOf = (series: Series) => SeriesConsumers;
