import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError, messageOf } from '../../core/errors.ts';

/** Version of the tables below, kept in the file as `user_version`; files of the versions before are brought up to date. */
const VERSION = 2;

/** Damaged files that are kept beside the database; older ones are removed, so that a failing card is not filled with them. */
const MAX_DAMAGED = 3;

/**
 * - `series`, `windows`, `shapes` give short numbers to long names. A shape is the list of an aggregate's field names, as JSON.
 * - `aggregates.fields` holds the values in the order of the shape's names, as little-endian float64.
 * - `aggregates` lies in order of series, window and start, so that a query reads neighbours.
 */
const TABLES = `
  CREATE TABLE series (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, device TEXT NOT NULL, metric TEXT NOT NULL);
  CREATE TABLE windows (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE shapes (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);
  CREATE TABLE aggregates (
    series INTEGER NOT NULL, window INTEGER NOT NULL, start NUMERIC NOT NULL, end NUMERIC NOT NULL,
    revision INTEGER NOT NULL, good NUMERIC NOT NULL, shape INTEGER NOT NULL, fields BLOB NOT NULL,
    PRIMARY KEY (series, window, start)
  ) WITHOUT ROWID;
  CREATE INDEX aggregates_by_start ON aggregates (start);
  CREATE TABLE alarms (
    id TEXT NOT NULL PRIMARY KEY, series INTEGER NOT NULL, detector TEXT NOT NULL, severity TEXT NOT NULL,
    score REAL NOT NULL, value REAL NOT NULL, message TEXT NOT NULL,
    raised_at NUMERIC NOT NULL, cleared_at NUMERIC, acknowledged_at NUMERIC
  ) WITHOUT ROWID;
  CREATE INDEX alarms_by_time ON alarms (raised_at);
  CREATE INDEX alarms_active ON alarms (raised_at) WHERE cleared_at IS NULL;
`;

/** What version 2 has beside version 1: of alarms, what came to be known of them. Their severities were the only urgency there was. */
const SINCE_VERSION_1 = `
  ALTER TABLE alarms ADD COLUMN priority INTEGER NOT NULL DEFAULT 500;
  ALTER TABLE alarms ADD COLUMN alarm_group TEXT;
  ALTER TABLE alarms ADD COLUMN suppressed TEXT;
  ALTER TABLE alarms ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE alarms ADD COLUMN acknowledged_by TEXT;
  UPDATE alarms SET priority = CASE severity WHEN 'critical' THEN 900 WHEN 'info' THEN 100 ELSE 500 END;
`;

/** A database ready for use, and what became of a damaged one. */
export interface OpenedDatabase {
  readonly database: DatabaseSync;
  /** Where a damaged file was put, and what was wrong with it; undefined when all was well. */
  readonly damaged: { readonly path: string; readonly reason: string } | undefined;
}

/**
 * Opens the database, or makes it. A file that SQLite cannot read is set aside as `PATH.damaged-N` and a new one begun; nothing is
 * scanned, so opening takes no longer with more data, and damage further inside is found when it is met (`isDamage`).
 *
 * @throws {GatewayError} where the folder or file cannot be used, or was written by a newer version
 */
export function openDatabase(path: string): OpenedDatabase {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return { database: openTwice(path), damaged: undefined };
  } catch (error) {
    if (!isDamage(error)) throw cannotOpen(path, error);
    const aside = setAside(path);
    return { database: open(path), damaged: { path: aside, reason: messageOf(error) } };
  }
}

/** After a failed read SQLite may call a file damaged that is whole: it is believed the second time. */
function openTwice(path: string): DatabaseSync {
  try {
    return open(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return open(path);
  }
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    // Incremental vacuum gives space back in small steps; it must be chosen before the first table.
    database.exec(`
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA journal_size_limit = 16777216;
    `);
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > VERSION) {
      throw new GatewayError(
        `Cannot open the history ${path}: it was written by a newer version (${version} > ${VERSION})`,
        {
          hint: 'install that version of headgate again, or move the file away',
        },
      );
    }
    const missing = version === 0 ? TABLES + SINCE_VERSION_1 : version === 1 ? SINCE_VERSION_1 : '';
    if (missing !== '') database.exec(`BEGIN; ${missing} PRAGMA user_version = ${VERSION}; COMMIT`);
    // A file with a good first page and nothing behind it fails here.
    for (const table of ['series', 'windows', 'shapes', 'aggregates', 'alarms']) {
      database.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get();
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Renames the file and its log to the first free `PATH.damaged-N`, and removes the oldest of too many. */
export function setAside(path: string): string {
  const numbers = damagedNumbers(path);
  const number = (numbers.at(-1) ?? 0) + 1;
  const aside = `${path}.damaged-${number}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  for (const old of numbers.slice(0, Math.max(0, numbers.length + 1 - MAX_DAMAGED))) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}.damaged-${old}${suffix}`, { force: true });
  }
  return aside;
}

/** Paths of the files set aside, oldest first. */
export function damagedFiles(path: string): readonly string[] {
  return damagedNumbers(path).map((number) => `${path}.damaged-${number}`);
}

function damagedNumbers(path: string): number[] {
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  const prefix = `${basename(path)}.damaged-`;
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}

/** True for what SQLite says of a file that is not, or no longer, a database: SQLITE_CORRUPT, SQLITE_NOTADB. */
export function isDamage(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' && [11, 26].includes(code & 0xff);
}

function cannotOpen(path: string, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError(`Cannot open the history ${path}: ${messageOf(error)}`, {
    hint: `the folder ${join(dirname(path), '/')} must be writable and have space`,
    cause: error,
  });
}
