import type { Reading } from './reading.ts';
import type { Result } from './result.ts';

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

/** A look into the pipeline, for people; whoever looks changes nothing. */
export interface Inspection {
  /** The stages that can be watched, in the order in which readings pass them. */
  readonly stages: readonly TapStage[];
  /** Shows what passes a stage from now on; returns how to stop. Undefined while live data is given up for want of memory. */
  tap(query: TapQuery, listener: TapListener): (() => void) | undefined;
}
