import { Fate } from '../core/stage.ts';
import type { LedgerCounts } from '../core/view.ts';

/** The mutable counts of one source. `received` is counted at the door, the others where a reading ends. */
export interface LedgerRow {
  received: number;
  inFlight: number;
  aggregated: number;
  filtered: number;
  duplicate: number;
  late: number;
  rejected: number;
  dropped: number;
}

const COLUMN_OF_FATE: readonly (keyof LedgerRow)[] = [];
{
  const columns = COLUMN_OF_FATE as (keyof LedgerRow)[];
  columns[Fate.aggregated] = 'aggregated';
  columns[Fate.late] = 'late';
  columns[Fate.duplicate] = 'duplicate';
  columns[Fate.filtered] = 'filtered';
}

/**
 * Where every reading ended, by source. What was received is counted on arrival and again, by its fate, where it ends; the two
 * must agree at any moment: `received = inFlight + aggregated + filtered + duplicate + late + rejected + dropped`.
 */
export class Ledger {
  readonly #rows = new Map<string, LedgerRow>();

  /** The row of a source, begun at zero. Keep it: looking it up for each reading is not needed. */
  row(source: string): LedgerRow {
    let row = this.#rows.get(source);
    if (row === undefined) {
      row = emptyRow();
      this.#rows.set(source, row);
    }
    return row;
  }

  sources(): ReadonlyMap<string, LedgerCounts> {
    return this.#rows;
  }

  total(): LedgerCounts {
    const sum = emptyRow();
    for (const row of this.#rows.values()) {
      for (const column of Object.keys(sum) as (keyof LedgerRow)[]) sum[column] += row[column];
    }
    return sum;
  }

  /** What has ended, by source. What is in flight is not in it: it is in the journal, and a replay counts it again. */
  snapshot(): Record<string, LedgerRow> {
    const rows: [string, LedgerRow][] = [];
    for (const [source, row] of this.#rows) {
      rows.push([source, { ...row, received: row.received - row.inFlight, inFlight: 0 }]);
    }
    return Object.fromEntries(rows);
  }

  restore(snapshot: Record<string, LedgerRow>): void {
    // Into the same rows, as others hold them already.
    for (const [source, row] of Object.entries(snapshot)) Object.assign(this.row(source), row);
  }
}

/** Counts a fate in a row. */
export function countFate(row: LedgerRow, fate: Fate): void {
  row[COLUMN_OF_FATE[fate]!]++;
}

/** What a ledger misses: 0 when it balances. */
export function imbalance(counts: LedgerCounts): number {
  const { inFlight, aggregated, filtered, duplicate, late, rejected, dropped } = counts;
  return counts.received - (inFlight + aggregated + filtered + duplicate + late + rejected + dropped);
}

function emptyRow(): LedgerRow {
  return { received: 0, inFlight: 0, aggregated: 0, filtered: 0, duplicate: 0, late: 0, rejected: 0, dropped: 0 };
}
