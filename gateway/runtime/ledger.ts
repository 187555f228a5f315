import { deviceKey, type Series } from '../core/reading.ts';
import { Fate } from '../core/stage.ts';
import type { LedgerCounts, LedgerReport, NamedCounts } from '../core/view.ts';

/** The mutable counts of one source or group. `received` is counted at the door, the others where a reading ends. */
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

/** What a checkpoint keeps of a ledger. */
export interface LedgerSnapshot {
  readonly sources: Readonly<Record<string, LedgerRow>>;
  /** Undefined in a checkpoint of a release that did not count by group. */
  readonly groups: ReadonlyMap<string, LedgerRow> | undefined;
  /** Undefined in a checkpoint of a release that derived nothing. */
  readonly derived?: ReadonlyMap<string, LedgerRow> | undefined;
}

/** The group of what cannot be told to come from any device. */
export const UNKNOWN_GROUP = '(unknown)';
/** The group of all devices that came when there were `MAX_GROUPS` already. */
export const OTHER_GROUPS = '(others)';
/** Devices that are counted each for itself, so that a flood of made-up names takes no memory. */
export const MAX_GROUPS = 1_000;

/**
 * Where every reading ended, by source and, once more, by series group: the device. What was received is counted on arrival and again, by
 * its fate, where it ends; the two must agree in every row at any moment:
 * `received = inFlight + aggregated + filtered + duplicate + late + rejected + dropped`. Sources and groups add up to the same total.
 * Derived readings have rows of their own, which balance too, and are in no total: nobody has sent them.
 */
export class Ledger {
  readonly #sources = new Map<string, LedgerRow>();
  readonly #groups = new Map<string, LedgerRow>();
  readonly #derived = new Map<string, LedgerRow>();
  /** By series id: looking up the row of a reading allocates nothing and compares no text. */
  readonly #groupOfSeries: (LedgerRow | undefined)[] = [];

  /** The row of a source, begun at zero. Keep it: looking it up for each reading is not needed. */
  row(source: string): LedgerRow {
    return rowIn(this.#sources, source);
  }

  /** A reading has come in from the source of `row` and has no fate yet. Hot path. */
  admit(row: LedgerRow, series: Series): void {
    const group = this.#group(series);
    row.received++;
    row.inFlight++;
    group.received++;
    group.inFlight++;
  }

  /** A reading that was in flight has found its fate. Hot path. */
  settle(row: LedgerRow, series: Series, fate: Fate): void {
    settleIn(row, fate);
    settleIn(this.#group(series), fate);
  }

  /** The row of what a deriver makes, begun at zero. What it could not compute counts as rejected there. */
  derivedRow(source: string): LedgerRow {
    return rowIn(this.#derived, source);
  }

  /** A derived reading has found its fate, at once. Hot path. */
  countDerived(row: LedgerRow, fate: Fate): void {
    row.received++;
    row.inFlight++;
    settleIn(row, fate);
  }

  /** What has come in was set aside; `device` is that of its reading as `deviceKey` says it, where that is known. */
  reject(row: LedgerRow, device: string | undefined, readings = 1): void {
    this.#end(row, device, 'rejected', readings);
  }

  /** Readings that had come in are lost. */
  drop(row: LedgerRow, device: string | undefined, readings: number): void {
    this.#end(row, device, 'dropped', readings);
  }

  sources(): ReadonlyMap<string, LedgerCounts> {
    return this.#sources;
  }

  /** By the names of derivations and joins. */
  derived(): ReadonlyMap<string, LedgerCounts> {
    return this.#derived;
  }

  groups(): ReadonlyMap<string, LedgerCounts> {
    return this.#groups;
  }

  /** The sum over all sources, which is the sum over all groups too. */
  total(): LedgerCounts {
    return sumOf(this.#sources.values());
  }

  /** Every source and the `limit` groups most worth a look: those that lost most to other fates than an aggregate, then the busiest. */
  report(limit: number): LedgerReport {
    const groups = [...this.#groups].map(named).sort(byNeed);
    return {
      total: withImbalance(this.total()),
      sources: [...this.#sources].map(named),
      groups: groups.slice(0, limit),
      groupCount: groups.length,
    };
  }

  /** What has ended. What is in flight is not in it: it is in the journal, and a replay counts it again. */
  snapshot(): LedgerSnapshot {
    return {
      sources: Object.fromEntries(endedIn(this.#sources)),
      groups: new Map(endedIn(this.#groups)),
      derived: new Map(endedIn(this.#derived)),
    };
  }

  restore({ sources, groups, derived }: LedgerSnapshot): void {
    // Into the same rows, as others hold them already.
    for (const [source, row] of Object.entries(sources)) Object.assign(this.row(source), row);
    for (const [group, row] of groups ?? []) Object.assign(rowIn(this.#groups, group), row);
    for (const [source, row] of derived ?? []) Object.assign(this.derivedRow(source), row);
    // Of whom the readings were before they were counted by group, nobody knows any more.
    if (groups === undefined) Object.assign(this.#groupNamed(undefined), this.total());
  }

  #end(row: LedgerRow, device: string | undefined, column: 'rejected' | 'dropped', readings: number): void {
    for (const counts of [row, this.#groupNamed(device)]) {
      counts.received += readings;
      counts[column] += readings;
    }
  }

  #group(series: Series): LedgerRow {
    return this.#groupOfSeries[series.id] ?? this.#findGroup(series);
  }

  #findGroup(series: Series): LedgerRow {
    const row = this.#groupNamed(deviceKey(series));
    // Filled densely, so that V8 keeps the array fast.
    while (this.#groupOfSeries.length < series.id) this.#groupOfSeries.push(undefined);
    this.#groupOfSeries[series.id] = row;
    return row;
  }

  #groupNamed(name: string | undefined): LedgerRow {
    if (name === undefined) return rowIn(this.#groups, UNKNOWN_GROUP);
    const isFull = this.#groups.size >= MAX_GROUPS && !this.#groups.has(name);
    return rowIn(this.#groups, isFull ? OTHER_GROUPS : name);
  }
}

/** What a row of the ledger misses: 0 when it balances. */
export function imbalance(counts: LedgerCounts): number {
  const { inFlight, aggregated, filtered, duplicate, late, rejected, dropped } = counts;
  return counts.received - (inFlight + aggregated + filtered + duplicate + late + rejected + dropped);
}

function emptyRow(): LedgerRow {
  return { received: 0, inFlight: 0, aggregated: 0, filtered: 0, duplicate: 0, late: 0, rejected: 0, dropped: 0 };
}

function rowIn(rows: Map<string, LedgerRow>, name: string): LedgerRow {
  let row = rows.get(name);
  if (row === undefined) {
    row = emptyRow();
    rows.set(name, row);
  }
  return row;
}

function sumOf(rows: Iterable<LedgerRow>): LedgerRow {
  const sum = emptyRow();
  for (const row of rows) for (const column of Object.keys(sum) as (keyof LedgerRow)[]) sum[column] += row[column];
  return sum;
}

function endedIn(rows: ReadonlyMap<string, LedgerRow>): [string, LedgerRow][] {
  return [...rows].map(([name, row]) => [name, { ...row, received: row.received - row.inFlight, inFlight: 0 }]);
}

function settleIn(row: LedgerRow, fate: Fate): void {
  row.inFlight--;
  // Spelt out: a property by a computed name costs ten times as much.
  if (fate === Fate.aggregated) row.aggregated++;
  else if (fate === Fate.filtered) row.filtered++;
  else if (fate === Fate.duplicate) row.duplicate++;
  else row.late++;
}

function withImbalance<T extends LedgerCounts>(counts: T): T & { imbalance: number } {
  return { ...counts, imbalance: imbalance(counts) };
}

function named([name, row]: [string, LedgerRow]): NamedCounts {
  return withImbalance({ name, ...row });
}

/** In an order that depends on nothing but the rows: a restart shows the same. */
function byNeed(a: NamedCounts, b: NamedCounts): number {
  return astray(b) - astray(a) || b.received - a.received || (a.name < b.name ? -1 : 1);
}

function astray({ duplicate, late, rejected, dropped }: LedgerCounts): number {
  return duplicate + late + rejected + dropped;
}
