import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EpochMs } from '../../core/clock.ts';
import type { Aggregate } from '../../core/result.ts';
import type { AggregateQuery, AggregateRow } from '../../core/sink.ts';
import type { NameTables } from './name-tables.ts';

/** Rows that a sweep looks at, and those that begin in the same moment as the last: some milliseconds. */
const SCANNED_ROWS = 20_000;

/** Which rows go. */
export interface Sweep {
  /** Name of the window. */
  readonly window: string;
  /** Nothing of it begins earlier. */
  readonly from: EpochMs;
  /** What begins earlier … */
  readonly before: EpochMs;
  /** … and has ended by then; +∞ for all. */
  readonly endedBy: EpochMs;
  /** At most so many. */
  readonly rows: number;
}

/** What a sweep has done. */
export interface Swept {
  /** Rows that are gone. */
  readonly deleted: number;
  /** Nothing of the window begins earlier any more. */
  readonly sweptTo: EpochMs;
}

/** Window results: one row for each series, window and start, always the highest revision that was seen. */
export class AggregateTable {
  readonly #names: NameTables;
  readonly #upsert: StatementSync;
  readonly #select: StatementSync;
  readonly #newestStart: StatementSync;
  readonly #oldestStart: StatementSync;
  readonly #nextStart: StatementSync;
  readonly #distantStart: StatementSync;
  readonly #delete: StatementSync;
  readonly #firstStart: StatementSync;

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
    this.#nextStart = database.prepare('SELECT min(start) AS start FROM aggregates WHERE start > ?');
    this.#distantStart = database.prepare(
      'SELECT start FROM aggregates WHERE start >= ? AND start < ? ORDER BY start LIMIT 1 OFFSET ?',
    );
    const stretch = 'start >= ?1 AND start < ?2 AND window = ?3';
    this.#delete = database.prepare(`DELETE FROM aggregates WHERE (series, window, start) IN
      (SELECT series, window, start FROM aggregates WHERE ${stretch} AND end <= ?4 ORDER BY start LIMIT ?5)`);
    this.#firstStart = database.prepare(`SELECT min(start) AS start FROM aggregates WHERE ${stretch}`);
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
    return startIn(this.#newestStart.get());
  }

  oldestStart(): number | undefined {
    return startIn(this.#oldestStart.get());
  }

  /** Deletes the oldest rows of a window, a bounded number of them, having looked at a bounded number of all. */
  sweep({ window, from, before, endedBy, rows }: Sweep): Swept {
    const distant = this.#distantStart.get(from, before, SCANNED_ROWS)?.['start'] as number | undefined;
    // So many begin in one moment: all of them are looked at.
    const next = distant === from ? startIn(this.#nextStart.get(from)) : distant;
    const to = Math.min(next ?? Number.POSITIVE_INFINITY, before);
    if (!(to > from)) return { deleted: 0, sweptTo: from };
    const id = this.#names.window(window);
    const { changes } = this.#delete.run(from, to, id, endedBy, rows);
    return { deleted: Number(changes), sweptTo: startIn(this.#firstStart.get(from, to, id)) ?? to };
  }

  #fields(shapeId: number, bytes: Uint8Array): Record<string, number> {
    const names = this.#names.shapeNames(shapeId);
    const values = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Object.fromEntries(names.map((name, i) => [name, values.getFloat64(i * 8, true)]));
  }
}

function startIn(row: Record<string, unknown> | undefined): EpochMs | undefined {
  return (row?.['start'] as number | null | undefined) ?? undefined;
}
