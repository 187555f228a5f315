import type { LogRecord } from '../core/log.ts';

/**
 * Counts what a log has lost of its items since a checkpoint: each record says how many came before it, so a gap between two tells how
 * many were in between.
 */
export class ItemGaps {
  readonly #lost: (items: number) => void;
  /** Items that should have come before the next record; undefined until the first is seen, where no checkpoint says it. */
  #expected: number | undefined;
  #items = 0;

  /**
   * @param expected items before the first record that the checkpoint does not cover, where it says so
   * @param lost told of those that are missing, as they are found; never of 0
   */
  constructor(expected: number | undefined, lost: (items: number) => void) {
    this.#expected = expected;
    this.#lost = lost;
  }

  /** Items that are lost so far. */
  get items(): number {
    return this.#items;
  }

  /** Tell of each record that the checkpoint does not cover, in order, whether it can be understood or not. */
  pass({ ordinal, items }: LogRecord): void {
    this.#reach(ordinal);
    this.#expected = ordinal + items;
  }

  /** The log has come to its end; `appendedItems` it has had in all. */
  end(appendedItems: number): void {
    if (this.#expected !== undefined) this.#reach(appendedItems);
  }

  /** A record that is there, and cannot be understood. */
  unreadable({ items }: LogRecord): void {
    this.#lose(items);
  }

  #reach(ordinal: number): void {
    // A log that was lost as a whole counts anew, from less than the checkpoint has seen.
    if (this.#expected !== undefined && ordinal > this.#expected) this.#lose(ordinal - this.#expected);
  }

  #lose(items: number): void {
    if (items === 0) return;
    this.#items += items;
    this.#lost(items);
  }
}
