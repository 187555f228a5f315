import type { Portion } from './portion.ts';

/** What a portion has led to: results as NDJSON, each at the place of the reading that gave it. */
export interface Analysed {
  /** The buffer of the portion, to be used again. */
  readonly buffer: ArrayBuffer;
  readonly lines: Uint8Array<ArrayBuffer>;
  /** Places in the round that have given results, ascending. */
  readonly places: Uint32Array<ArrayBuffer>;
  /** Where the lines of each place end in `lines`. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** How many readings found which fate. */
export interface Fates {
  readonly aggregated: number;
  readonly filtered: number;
  readonly duplicate: number;
  readonly late: number;
}

/** Analyses the readings of its key groups, here or in a thread. Nothing is thrown: a fault is the answer to each request from then on. */
export interface Analyst {
  /** Call it in order of the rounds. */
  analyse(portion: Portion): Promise<Analysed | Error>;
  /** The recording is over. @returns what a key group still had to say, as NDJSON */
  finish(group: number): Promise<Uint8Array | Error>;
  fates(): Promise<Fates | Error>;
  /** Gives up whatever is not done. */
  end(): Promise<void>;
}
