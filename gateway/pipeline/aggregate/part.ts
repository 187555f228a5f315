/**
 * The doubles of one accumulator, side by side. As fields of objects each would be boxed, and a reading of one of many series would look
 * for each in a memory that no cache holds.
 */
export type Numbers = number[];

/**
 * What several aggregates are read from: some of an accumulator's numbers, from `at` on. It has no state of its own, so one serves all
 * accumulators of a window definition.
 */
export interface Part {
  /** Place of its first number. */
  readonly at: number;
  /** Its numbers before the first value. */
  readonly initial: readonly number[];
  /**
   * Takes in the numbers of such a part of another accumulator, whose readings arrived later.
   * @param from place of its first number there
   */
  merge(numbers: Numbers, other: Numbers, from: number): void;
}
