/** What thinning leaves of one record. */
export interface ThinnedRecord {
  readonly payload: Uint8Array;
  /** Items in it. */
  readonly items: number;
  /** Items that were taken out, by the key of their series. */
  readonly removed: ReadonlyMap<string, number>;
}

/** Knows what is in the records of a log, which the log itself does not. Must not throw: what it cannot read it keeps whole, and counts nowhere. */
export interface RecordThinner {
  /** Items of a record by the key of their series. */
  seriesOf(payload: Uint8Array): ReadonlyMap<string, number>;
  /**
   * What is worth keeping at a level: at level 1 every second item of a series, at 2 every fourth, and so on. What is left at a level does not
   * depend on the levels before. Undefined where nothing is to be taken out.
   */
  thin(payload: Uint8Array, level: number): ThinnedRecord | undefined;
}
