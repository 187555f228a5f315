import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Aggregate } from '../../core/result.ts';
import type { AggregateQuery, AggregateRow } from '../../core/sink.ts';
import type { NameTables } from './name-tables.ts';

/** Window results: one row for each series, window and start, always the highest revision that was seen. */
export class AggregateTable {
  readonly #names: NameTables;
  readonly #upsert: StatementSync;
  readonly #select: StatementSync;
  readonly #newestStart: StatementSync;
  readonly #oldestStart: StatementSync;
  readonly #deleteOldest: StatementSync;
  readonly #deleteBefore: StatementSync;

  constructor(database: DatabaseSync, names: NameTables) {
    this.#names = names;
    this.#upsert = database.prepare(`
      INSERT INTO aggregates (series, window, start, end, revision, good, shape, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (series, window, start) DO UPDATE SET
        end = excluded.end, revision = excluded.revision, good = excluded.good, shape = excluded.shape, fields = excluded.fields
      WHERE excluded.revision >= revision`);
    this.#select = database.prepare(`
      SELECT start, end, revision, good, shape, fields FROM aggregates
      WHERE series = ? AND window = ? AND start >= ? AND start < ? ORDER BY start DESC LIMIT ?`);
    this.#newestStart = database.prepare('SELECT max(start) AS start FROM aggregates');
    this.#oldestStart = database.prepare('SELECT min(start) AS start FROM aggregates');
    this.#deleteOldest = database.prepare(`DELETE FROM aggregates WHERE (series, window, start) IN
      (SELECT series, window, start FROM aggregates ORDER BY start LIMIT ?)`);
    this.#deleteBefore = database.prepare(`DELETE FROM aggregates WHERE (series, window, start) IN
      (SELECT series, window, start FROM aggregates WHERE start < ? AND end <= ? ORDER BY start LIMIT ?)`);
  }

  put(aggregate: Aggregate): void {
    const { series, window, start, end, revision, good, fields } = aggregate;
    const names = Object.keys(fields);
    const values = new DataView(new ArrayBuffer(names.length * 8));
    for (const [i, name] of names.entries()) values.setFloat64(i * 8, fields[name]!, true);
    this.#upsert.run(
      this.#names.series(series),
      this.#names.window(window),
      start,
      end,
      revision,
      good,
      this.#names.shape(names),
      values,
    );
  }

  query({ series, window, from = -Infinity, to = Infinity, limit }: AggregateQuery): readonly AggregateRow[] {
    const seriesId = this.#names.knownSeries(series);
    if (seriesId === undefined) return [];
    const windows = this.#names.windows().filter(([, name]) => window === undefined || name === window);
    const rows: AggregateRow[] = [];
    // A window at a time: each is one short walk along the primary key.
    for (const [windowId, name] of windows) {
      for (const row of this.#select.iterate(seriesId, windowId, from, to, limit)) {
        const { start, end, revision, good } = row as Record<string, number>;
        const fields = this.#fields(Number(row['shape']), row['fields'] as Uint8Array);
        rows.push({ series, window: name, start: start!, end: end!, revision: revision!, good: good!, fields });
      }
    }
    return rows.sort((a, b) => a.start - b.start || a.end - b.end).slice(-limit);
  }

  newestStart(): number | undefined {
    return (this.#newestStart.get()?.['start'] as number | null) ?? undefined;
  }

  oldestStart(): number | undefined {
    return (this.#oldestStart.get()?.['start'] as number | null) ?? undefined;
  }

  /** Deletes at most `limit` of the oldest rows, where it is given of windows that have ended by `before`; returns how many. */
  deleteOldest(limit: number, before?: number): number {
    const { changes } =
      before === undefined ? this.#deleteOldest.run(limit) : this.#deleteBefore.run(before, before, limit);
    return Number(changes);
  }

  #fields(shapeId: number, bytes: Uint8Array): Record<string, number> {
    const names = this.#names.shapeNames(shapeId);
    const values = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Object.fromEntries(names.map((name, i) => [name, values.getFloat64(i * 8, true)]));
  }
}
