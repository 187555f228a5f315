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
  /** What derivations and joins have made, by their names in the ledger. */
  readonly derived: ReadonlyMap<string, Derived>;
}

/** Readings that were derived, and those that could not be computed. */
export interface Derived {
  readonly readings: number;
  readonly uncomputed: number;
}

/** The sums of two. */
export function addDerived(sums: Map<string, Derived>, name: string, { readings, uncomputed }: Derived): void {
  const before = sums.get(name) ?? { readings: 0, uncomputed: 0 };
  sums.set(name, { readings: before.readings + readings, uncomputed: before.uncomputed + uncomputed });
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
