import type { Reading } from '../core/reading.ts';
import type { Fate } from '../core/stage.ts';
import type { Ledger, LedgerRow } from './ledger.ts';

/** Counts readings in the ledger, each in the row of its source: what was received on its way and at its end, what was derived only at its end. */
export class FateCounter {
  readonly #ledger: Ledger;
  /** The row of the last reading: the next is most often of the same source. */
  #row: LedgerRow | undefined;
  #source: string | undefined;
  #isDerived = false;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** A reading is on its way once more, as it was in an earlier process. A derived one is in no row until it has found its fate. */
  resume(reading: Reading): void {
    const row = this.#rowOf(reading.source);
    if (!this.#isDerived) this.#ledger.admit(row, reading.series);
  }

  /** A reading has found its fate. Hot path. */
  settle(reading: Reading, fate: Fate): void {
    const row = this.#rowOf(reading.source);
    if (this.#isDerived) this.#ledger.countDerived(row, fate);
    else this.#ledger.settle(row, reading.series, fate);
  }

  #rowOf(source: string): LedgerRow {
    if (this.#row === undefined || this.#source !== source) {
      // As `derive:power`; in no name of the configuration is a colon. A source may bring readings of a series that is derived, too.
      this.#isDerived = source.includes(':');
      this.#row = this.#isDerived ? this.#ledger.derivedRow(source) : this.#ledger.row(source);
      this.#source = source;
    }
    return this.#row;
  }
}
