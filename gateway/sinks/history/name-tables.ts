import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ResultSeries } from '../../core/result.ts';

/** Numbers kept in memory for each table; beyond, the table is asked. */
const MAX_CACHED = 100_000;

/** Short numbers for the long names that repeat in every row: series, windows, and lists of field names. */
export class NameTables {
  readonly #seriesIds = new Map<string, number>();
  readonly #windowIds = new Map<string, number>();
  readonly #shapeIds = new Map<string, number>();
  readonly #shapeNames = new Map<number, readonly string[]>();
  readonly #insertSeries: StatementSync;
  readonly #selectSeries: StatementSync;
  readonly #insertWindow: StatementSync;
  readonly #selectWindows: StatementSync;
  readonly #insertShape: StatementSync;
  readonly #selectShape: StatementSync;

  constructor(database: DatabaseSync) {
    // An update that changes nothing makes RETURNING answer for a row that is there already.
    this.#insertSeries = database.prepare(`INSERT INTO series (key, device, metric) VALUES (?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET device = excluded.device RETURNING id`);
    this.#selectSeries = database.prepare('SELECT id FROM series WHERE key = ?');
    this.#insertWindow = database.prepare(`INSERT INTO windows (name) VALUES (?)
      ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`);
    this.#selectWindows = database.prepare('SELECT id, name FROM windows');
    this.#insertShape = database.prepare(`INSERT INTO shapes (names) VALUES (?)
      ON CONFLICT (names) DO UPDATE SET names = excluded.names RETURNING id`);
    this.#selectShape = database.prepare('SELECT names FROM shapes WHERE id = ?');
  }

  /** Number of a series, given when it is new. */
  series({ key, device, metric }: ResultSeries): number {
    return remember(this.#seriesIds, key, () => idOf(this.#insertSeries.get(key, device, metric)));
  }

  knownSeries(key: string): number | undefined {
    const row = this.#selectSeries.get(key);
    return row === undefined ? undefined : idOf(row);
  }

  window(name: string): number {
    return remember(this.#windowIds, name, () => idOf(this.#insertWindow.get(name)));
  }

  /** Every window, with its number. */
  windows(): readonly (readonly [number, string])[] {
    return this.#selectWindows.all().map((row) => [idOf(row), String(row['name'])]);
  }

  shape(names: readonly string[]): number {
    const json = JSON.stringify(names);
    return remember(this.#shapeIds, json, () => idOf(this.#insertShape.get(json)));
  }

  shapeNames(id: number): readonly string[] {
    return remember(this.#shapeNames, id, () => JSON.parse(String(this.#selectShape.get(id)?.['names'] ?? '[]')));
  }

  /** Forgets what a transaction that was rolled back may have inserted. */
  forget(): void {
    this.#seriesIds.clear();
    this.#windowIds.clear();
    this.#shapeIds.clear();
    this.#shapeNames.clear();
  }
}

function idOf(row: Record<string, unknown> | undefined): number {
  return Number(row?.['id']);
}

function remember<K, V>(cache: Map<K, V>, key: K, make: () => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(key, made);
  return made;
}
