import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { AlarmRow } from '../../core/alarm.ts';
import type { Clock } from '../../core/clock.ts';
import type { Disk } from '../../core/disk.ts';
import { messageOf } from '../../core/errors.ts';
import type { Result } from '../../core/result.ts';
import {
  type AggregateQuery,
  type AggregateRow,
  type AlarmQuery,
  type History,
  type Rejection,
  type Sink,
  SinkError,
} from '../../core/sink.ts';
import type { Logger } from '../../core/telemetry.ts';
import { AggregateTable } from './aggregate-table.ts';
import { AlarmTable } from './alarm-table.ts';
import { damagedFiles, isDamage, openDatabase, setAside } from './database.ts';
import { NameTables } from './name-tables.ts';
import { type Limits, Retention } from './retention.ts';
import { unstorable } from './unstorable.ts';

/** Where the history lies and how much of it is kept. */
export interface HistorySinkOptions {
  /** @default 'history' */
  readonly name?: string;
  /** The database file; its folder is made where it is missing. */
  readonly path: string;
  /** What the data may take on disk; then those go that are nearest to the end of their time. The write-ahead log adds up to 16 MiB. @default 1 GiB */
  readonly maxBytes?: number;
  /** Results older than this go, counted from the newest result or from now, whichever is earlier. @default 30 days */
  readonly maxAgeMs?: number;
  /** The same for results of some windows, by their names. */
  readonly keepMs?: ReadonlyMap<string, number>;
  /** False for those who accept that a power cut costs results. @default true */
  readonly sync?: boolean;
}

/** How large the history is, and what happened to it. */
export interface HistoryStatus {
  readonly path: string;
  /** Bytes in use; 0 when it is not open. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Rows deleted by age or size since the start. */
  readonly deletedTotal: number;
  /** Files that were damaged and set aside, oldest first. */
  readonly damagedFiles: readonly string[];
}

/** Rows in one transaction: a few milliseconds of work, after which other work gets its turn. */
const CHUNK = 1000;

/** The most rows of one answer. */
const MAX_LIMIT = 100_000;

interface Tables {
  readonly database: DatabaseSync;
  readonly names: NameTables;
  readonly aggregates: AggregateTable;
  readonly alarms: AlarmTable;
  readonly retention: Retention;
}

/**
 * Keeps results on the box, in SQLite, for the page, the API and whoever has no InfluxDB. See README.md beside this file.
 *
 * Storing a result twice is harmless: the highest revision of a window stays, and the first time of each step of an alarm.
 */
export class HistorySink implements Sink, History {
  readonly name: string;
  readonly type = 'history';
  readonly #path: string;
  readonly #limits: Limits;
  readonly #sync: boolean;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #disk: Disk;
  #tables: Tables | undefined;
  /** The entry of SQLite's log in the folder is on the medium. */
  #folderSynced = false;
  #started = false;
  #deletedTotal = 0;

  constructor(options: HistorySinkOptions, { clock, logger, disk }: { clock: Clock; logger: Logger; disk: Disk }) {
    this.name = options.name ?? 'history';
    this.#path = options.path;
    const { maxBytes = 2 ** 30, maxAgeMs = 30 * 86_400_000, keepMs = new Map() } = options;
    this.#limits = { maxBytes, maxAgeMs, keepMs };
    this.#sync = options.sync ?? true;
    this.#clock = clock;
    this.#logger = logger;
    this.#disk = disk;
  }

  /** @throws {GatewayError} where the file cannot be used */
  async start(_signal: AbortSignal): Promise<void> {
    this.#tables ??= this.#open();
    this.#started = true;
  }

  async stop(_signal: AbortSignal): Promise<void> {
    this.#started = false;
    this.#close();
  }

  async write(batch: readonly Result[], signal: AbortSignal): Promise<readonly Rejection[]> {
    const rejections: Rejection[] = [];
    for (let from = 0; from < batch.length; from += CHUNK) {
      if (from > 0) await setImmediate();
      if (signal.aborted) throw new SinkError('The write to the history was aborted', { kind: 'transient' });
      this.#writeChunk(batch.slice(from, from + CHUNK), rejections);
    }
    if (this.#sync && rejections.length < batch.length) await this.#makeDurable();
    return rejections;
  }

  aggregates(query: AggregateQuery): readonly AggregateRow[] {
    return this.#read((tables) => tables.aggregates.query({ ...query, limit: clampLimit(query.limit) }));
  }

  alarms(query: AlarmQuery): readonly AlarmRow[] {
    return this.#read((tables) => tables.alarms.query({ ...query, limit: clampLimit(query.limit) }));
  }

  status(): HistoryStatus {
    return {
      path: this.#path,
      bytes: this.#tables?.retention.usedBytes() ?? 0,
      maxBytes: this.#limits.maxBytes,
      deletedTotal: this.#deletedTotal,
      damagedFiles: damagedFiles(this.#path),
    };
  }

  #writeChunk(results: readonly Result[], rejections: Rejection[]): void {
    if (!this.#started) throw new SinkError('The history is stopped', { kind: 'transient' });
    try {
      rejections.push(...this.#unlessDamaged((tables) => this.#transact(tables, results)));
    } catch (error) {
      if (isDamage(error)) this.#replace(messageOf(error));
      throw new SinkError(`Cannot write to the history ${this.#path}: ${messageOf(error)}`, {
        kind: 'transient',
        cause: error,
      });
    }
  }

  /**
   * Uses the database, and where SQLite calls it damaged, once more after opening it anew: after a failed read it may believe so of a file
   * that is whole.
   */
  #unlessDamaged<T>(use: (tables: Tables) => T): T {
    for (let isSure = false; ; isSure = true) {
      // It is closed here only where it was in doubt, or no new file could be begun.
      this.#tables ??= this.#open();
      const tables = this.#tables;
      try {
        return use(tables);
      } catch (error) {
        tables.names.forget();
        tables.retention.forget();
        // SQLite has ended the transaction itself after some errors, a full disk among them.
        if (tables.database.isTransaction) tables.database.exec('ROLLBACK');
        if (isSure || !isDamage(error)) throw error;
        this.#close();
      }
    }
  }

  /**
   * Carries SQLite's log to the medium, so that a power cut takes nothing that counts as stored. Not by SQLite, which would hold up
   * everything else for as long as a slow card takes.
   */
  async #makeDurable(): Promise<void> {
    try {
      const log = await this.#disk.open(`${this.#path}-wal`, 'write');
      try {
        await log.datasync();
      } finally {
        await log.close();
      }
      if (!this.#folderSynced) await this.#disk.syncDirectory(dirname(this.#path));
      this.#folderSynced = true;
    } catch (error) {
      // What the log holds is in doubt. Closing copies it into the database and syncs that; the next write begins a new log.
      this.#close();
      throw new SinkError(`Cannot sync the history ${this.#path}: ${messageOf(error)}`, {
        kind: 'transient',
        cause: error,
      });
    }
  }

  #transact(tables: Tables, results: readonly Result[]): readonly Rejection[] {
    const rejections: Rejection[] = [];
    tables.database.exec('BEGIN IMMEDIATE');
    for (const result of results) {
      const reason = unstorable(result);
      if (reason !== undefined) rejections.push({ result, reason });
      else if (result.kind === 'aggregate') {
        tables.aggregates.put(result);
        tables.retention.expect(result.window, result.start);
      } else tables.alarms.put(result);
    }
    const deleted = tables.retention.step();
    tables.database.exec('COMMIT');
    this.#deletedTotal += deleted;
    tables.retention.giveBack();
    return rejections;
  }

  #read<Row>(read: (tables: Tables) => readonly Row[]): readonly Row[] {
    if (this.#tables === undefined) return [];
    try {
      return this.#unlessDamaged(read);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#replace(messageOf(error));
      return [];
    }
  }

  #open(): Tables {
    const { database, damaged } = openDatabase(this.#path);
    if (damaged !== undefined) this.#tellDamage(damaged.path, damaged.reason);
    const names = new NameTables(database);
    const aggregates = new AggregateTable(database, names);
    const alarms = new AlarmTable(database, names);
    const retention = new Retention(database, { names, aggregates, alarms }, this.#clock, this.#limits);
    return { database, names, aggregates, alarms, retention };
  }

  /** Sets the damaged file aside and goes on with a new one; where even that fails, the next write tries again. */
  #replace(reason: string): void {
    this.#close();
    try {
      this.#tellDamage(setAside(this.#path), reason);
      this.#tables = this.#open();
    } catch (error) {
      this.#logger.error({ path: this.#path, error: messageOf(error) }, 'cannot begin a new history');
    }
  }

  #tellDamage(aside: string, reason: string): void {
    this.#logger.error(
      { path: this.#path, aside, reason },
      'the history was damaged: its file is set aside and a new one begun; `sqlite3 FILE .recover` may read the old one',
    );
  }

  #close(): void {
    const tables = this.#tables;
    this.#tables = undefined;
    this.#folderSynced = false;
    tables?.database.close();
  }
}

function clampLimit(limit: number): number {
  return Math.min(Math.max(Math.trunc(limit) || 0, 0), MAX_LIMIT);
}
