import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ClockWatch } from '../../base/clock-watch.ts';
import type { Clock, EpochMs } from '../../core/clock.ts';
import type { AggregateTable } from './aggregate-table.ts';
import type { AlarmTable } from './alarm-table.ts';
import type { NameTables } from './name-tables.ts';

/** Rows deleted in one step: more than one write brings, so that a lowered bound is reached, and still only milliseconds. */
const STEP_ROWS = 2000;

/** Free pages that are left for new rows; more are given back to the file system. */
const SPARE_PAGES = 256;

/** Pages given back in one step. */
const STEP_PAGES = 256;

/** How often age is looked at when nothing was too old the last time. */
const AGE_INTERVAL_MS = 60_000;

/** Where it is too much, a level is shortened by such a part of its time at once. */
const SWEEP_PART = 0.005;

/** So many times in one step at the most. */
const STEP_SWEEPS = 64;

/** How much is kept, and how long. */
export interface Limits {
  readonly maxBytes: number;
  /** Of alarms, and of windows of which `keepMs` says nothing. */
  readonly maxAgeMs: number;
  /** By name of the window, in milliseconds. */
  readonly keepMs: ReadonlyMap<string, number>;
}

/** The results of one window. */
interface Level {
  readonly window: string;
  readonly keepMs: number;
  /** None of them begins earlier. */
  sweptTo: EpochMs;
}

/**
 * Deletes what is too old or too much, a bounded piece with each write. Alarms that are active always stay. Where it is too much, those
 * results go first that have the greatest part of the time behind them for which they are kept: all levels are shortened alike.
 */
export class Retention {
  readonly #database: DatabaseSync;
  readonly #names: NameTables;
  readonly #aggregates: AggregateTable;
  readonly #alarms: AlarmTable;
  readonly #clock: Clock;
  readonly #clockWatch: ClockWatch;
  readonly #limits: Limits;
  /** By name of the window. */
  readonly #levels = new Map<string, Level>();
  /** Whether the levels say what the tables hold. */
  #isCertain = false;
  readonly #pages: StatementSync;
  readonly #freePages: StatementSync;
  readonly #pageSize: number;
  #nextAgeCheckMs = -Infinity;

  constructor(
    database: DatabaseSync,
    tables: { readonly names: NameTables; readonly aggregates: AggregateTable; readonly alarms: AlarmTable },
    clock: Clock,
    limits: Limits,
  ) {
    this.#database = database;
    this.#names = tables.names;
    this.#aggregates = tables.aggregates;
    this.#alarms = tables.alarms;
    this.#clock = clock;
    this.#clockWatch = new ClockWatch(clock);
    this.#limits = limits;
    this.#pages = database.prepare('PRAGMA page_count');
    this.#freePages = database.prepare('PRAGMA freelist_count');
    this.#pageSize = Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
  }

  /** A result of this window is there, which begins no earlier. */
  expect(window: string, start: EpochMs): void {
    let level = this.#levels.get(window);
    if (level === undefined) {
      const keepMs = this.#limits.keepMs.get(window) ?? this.#limits.maxAgeMs;
      level = { window, keepMs, sweptTo: start };
      this.#levels.set(window, level);
    }
    if (start < level.sweptTo) level.sweptTo = start;
  }

  /** A transaction was rolled back: what was deleted in it is there again. */
  forget(): void {
    this.#isCertain = false;
  }

  /** Bytes of all pages that hold something. */
  usedBytes(): number {
    return (numberOf(this.#pages) - numberOf(this.#freePages)) * this.#pageSize;
  }

  /** Deletes a bounded number of rows, inside the caller's transaction; returns how many. */
  step(): number {
    if (!this.#isCertain) this.#lookForLevels();
    return this.#byAge() + this.#bySize();
  }

  /** Gives a bounded number of free pages back; outside of a transaction. */
  giveBack(): void {
    if (numberOf(this.#freePages) > SPARE_PAGES) this.#database.exec(`PRAGMA incremental_vacuum(${STEP_PAGES})`);
  }

  #lookForLevels(): void {
    const oldest = this.#aggregates.oldestStart() ?? Number.POSITIVE_INFINITY;
    for (const [, name] of this.#names.windows()) this.expect(name, oldest);
    this.#isCertain = true;
  }

  #byAge(): number {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#clockWatch.isSettled() || nowMs < this.#nextAgeCheckMs) return 0;
    const newest = this.#newest();
    let deleted = this.#alarms.deleteCleared(STEP_ROWS, newest - this.#limits.maxAgeMs);
    let isDone = deleted === 0;
    for (const level of this.#levels.values()) {
      const { sweptTo } = level;
      const before = newest - level.keepMs;
      deleted += this.#sweep(level, before, before);
      // Not where what has begun early enough, but not ended, holds it up.
      if (level.sweptTo > sweptTo && level.sweptTo < before) isDone = false;
    }
    this.#nextAgeCheckMs = isDone ? nowMs + AGE_INTERVAL_MS : nowMs;
    return deleted;
  }

  #bySize(): number {
    if (this.usedBytes() <= this.#limits.maxBytes || this.#levels.size === 0) return 0;
    const newest = this.#newest();
    const partOf = ({ sweptTo, keepMs }: Level) => (newest - sweptTo) / keepMs;
    let deleted = 0;
    let part = Number.POSITIVE_INFINITY;
    for (let sweeps = 0; deleted < STEP_ROWS && sweeps < STEP_SWEEPS; sweeps++) {
      if (this.usedBytes() <= this.#limits.maxBytes) break;
      const level = [...this.#levels.values()].reduce((a, b) => (partOf(b) > partOf(a) ? b : a));
      const before = level.sweptTo + Math.max(1, level.keepMs * SWEEP_PART);
      deleted += this.#sweep(level, before, Number.POSITIVE_INFINITY);
      part = partOf(level);
    }
    // Alarms go with the aggregates.
    return deleted + this.#alarms.deleteCleared(STEP_ROWS, newest - part * this.#limits.maxAgeMs);
  }

  /** The earlier of the two: neither a wall clock that jumps ahead nor one device with a date in the future may empty the history. */
  #newest(): EpochMs {
    return Math.min(this.#clock.now(), this.#aggregates.newestStart() ?? Number.POSITIVE_INFINITY);
  }

  #sweep(level: Level, before: EpochMs, endedBy: EpochMs): number {
    const { window, sweptTo: from } = level;
    const { deleted, sweptTo } = this.#aggregates.sweep({ window, from, before, endedBy, rows: STEP_ROWS });
    level.sweptTo = sweptTo;
    return deleted;
  }
}

function numberOf(pragma: StatementSync): number {
  return Number(Object.values(pragma.get() ?? {})[0]);
}
