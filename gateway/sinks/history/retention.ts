import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ClockWatch } from '../../base/clock-watch.ts';
import type { Clock } from '../../core/clock.ts';
import type { AggregateTable } from './aggregate-table.ts';
import type { AlarmTable } from './alarm-table.ts';

/** Rows deleted in one step: more than one write brings, so that a lowered bound is reached, and still only milliseconds. */
const STEP_ROWS = 2000;

/** Free pages that are left for new rows; more are given back to the file system. */
const SPARE_PAGES = 256;

/** Pages given back in one step. */
const STEP_PAGES = 256;

/** How often age is looked at when nothing was too old the last time. */
const AGE_INTERVAL_MS = 60_000;

/** Deletes what is too old or too much, a bounded piece with each write. Alarms that are active always stay. */
export class Retention {
  readonly #database: DatabaseSync;
  readonly #aggregates: AggregateTable;
  readonly #alarms: AlarmTable;
  readonly #clock: Clock;
  readonly #clockWatch: ClockWatch;
  readonly #limits: { readonly maxBytes: number; readonly maxAgeMs: number };
  readonly #pages: StatementSync;
  readonly #freePages: StatementSync;
  readonly #pageSize: number;
  #nextAgeCheckMs = -Infinity;

  constructor(
    database: DatabaseSync,
    aggregates: AggregateTable,
    alarms: AlarmTable,
    clock: Clock,
    limits: { readonly maxBytes: number; readonly maxAgeMs: number },
  ) {
    this.#database = database;
    this.#aggregates = aggregates;
    this.#alarms = alarms;
    this.#clock = clock;
    this.#clockWatch = new ClockWatch(clock);
    this.#limits = limits;
    this.#pages = database.prepare('PRAGMA page_count');
    this.#freePages = database.prepare('PRAGMA freelist_count');
    this.#pageSize = Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
  }

  /** Bytes of all pages that hold something. */
  usedBytes(): number {
    return (numberOf(this.#pages) - numberOf(this.#freePages)) * this.#pageSize;
  }

  /** Deletes a bounded number of rows, inside the caller's transaction; returns how many. */
  step(): number {
    return this.#byAge() + this.#bySize();
  }

  /** Gives a bounded number of free pages back; outside of a transaction. */
  giveBack(): void {
    if (numberOf(this.#freePages) > SPARE_PAGES) this.#database.exec(`PRAGMA incremental_vacuum(${STEP_PAGES})`);
  }

  #byAge(): number {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#clockWatch.isSettled() || nowMs < this.#nextAgeCheckMs) return 0;
    const newest = this.#aggregates.newestStart();
    // The earlier of the two: neither a wall clock that jumps ahead nor one device with a date in the future may empty the history.
    const before = Math.min(this.#clock.now(), newest ?? Infinity) - this.#limits.maxAgeMs;
    const deleted = this.#aggregates.deleteOldest(STEP_ROWS, before) + this.#alarms.deleteCleared(STEP_ROWS, before);
    this.#nextAgeCheckMs = deleted > 0 ? nowMs : nowMs + AGE_INTERVAL_MS;
    return deleted;
  }

  #bySize(): number {
    if (this.usedBytes() <= this.#limits.maxBytes) return 0;
    const aggregates = this.#aggregates.deleteOldest(STEP_ROWS);
    // Alarms go with the aggregates of their time.
    return aggregates + this.#alarms.deleteCleared(STEP_ROWS, this.#aggregates.oldestStart() ?? Infinity);
  }
}

function numberOf(pragma: StatementSync): number {
  return Number(Object.values(pragma.get() ?? {})[0]);
}
