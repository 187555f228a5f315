import type { LogRecord } from '../core/log.ts';
import type { Ledger } from './ledger.ts';

/** The row of the ledger for readings that the journal has lost: of which source they were, nobody knows any more. */
export const JOURNAL_SOURCE = '(journal)';

/**
 * Counts what a journal has lost since a checkpoint, as received and dropped: each record says how many readings came before it, so a gap
 * between two tells how many were in between.
 */
export class JournalLosses {
  readonly #ledger: Ledger;
  /** Readings that should have come before the next record; undefined until the first is seen, where no checkpoint says it. */
  #expected: number | undefined;
  #lost = 0;

  /** @param expected readings before the first record that the checkpoint does not cover, where it says so */
  constructor(ledger: Ledger, expected: number | undefined) {
    this.#ledger = ledger;
    this.#expected = expected;
  }

  /** Readings that are lost so far. */
  get lost(): number {
    return this.#lost;
  }

  /** Tell of each record that the checkpoint does not cover, in order, whether it can be understood or not. */
  pass({ ordinal, items }: LogRecord): void {
    this.#reach(ordinal);
    this.#expected = ordinal + items;
  }

  /** The journal has come to its end; `appendedItems` it has had in all. */
  end(appendedItems: number): void {
    if (this.#expected !== undefined) this.#reach(appendedItems);
  }

  /** A record that is there, and cannot be understood. */
  unreadable({ items }: LogRecord): void {
    this.#drop(items);
  }

  #reach(ordinal: number): void {
    // A journal that was lost as a whole counts anew, from less than the checkpoint has seen.
    if (this.#expected !== undefined && ordinal > this.#expected) this.#drop(ordinal - this.#expected);
  }

  #drop(readings: number): void {
    if (readings === 0) return;
    this.#lost += readings;
    this.#ledger.drop(this.#ledger.row(JOURNAL_SOURCE), undefined, readings);
  }
}
