import type { Series } from '../../core/reading.ts';
import type { Result, ResultSeries } from '../../core/result.ts';
import { type Cell, type TableContent, unlikeColumn } from '../../core/table.ts';
import { Members, type Names } from '../derive/expression.ts';
import { listOf, recordOf, textOf, unreadable } from '../snapshot.ts';

/** A table as the configuration gives it. */
export interface TableSettings {
  readonly name: string;
  /** What its keys are: `device`, or the name of a tag. */
  readonly key: string;
  /** Columns that go onto results as tags. */
  readonly tags: readonly string[];
  /** As it was when the configuration was loaded, which expressions are typed with. */
  readonly content: TableContent;
}

const VERSION = 1;
const WHAT = 'the tables';
const NO_ROW = new Members({});

/** What names a series: enough to find its rows. */
type Named = Pick<Series, 'device' | 'tags'>;

class Table {
  readonly settings: TableSettings;
  content: TableContent;
  rows: ReadonlyMap<string, Members> = new Map();
  /** The content was told by a command, or stands in a checkpoint: a replay has it too. */
  isTold = false;

  constructor(settings: TableSettings) {
    this.settings = settings;
    this.content = settings.content;
    this.take(settings.content);
  }

  take(content: TableContent): void {
    this.content = content;
    const names = Object.keys(content.columns);
    this.rows = new Map(content.rows.map(([key, cells]) => [key, new Members(membersOf(names, cells))]));
  }

  rowOf({ device, tags }: Named): Members {
    const { key } = this.settings;
    const name = key === 'device' ? device : Object.hasOwn(tags, key) ? tags[key] : undefined;
    return (name === undefined ? undefined : this.rows.get(name)) ?? NO_ROW;
  }
}

/**
 * What is known of devices beside their readings. Changes come as commands in the journal, in their place among the readings, and the content is in the
 * checkpoint: so a replay sees for each reading what the first time saw, whatever the files say by then.
 */
export class Tables {
  /** Another one with each change: what was looked up has to be looked up again. */
  version = 0;
  readonly #tables: readonly Table[];
  readonly #tagging: readonly Table[];

  constructor(settings: readonly TableSettings[]) {
    this.#tables = settings.map((one) => new Table(one));
    this.#tagging = this.#tables.filter(({ settings: { tags } }) => tags.length > 0);
  }

  get names(): readonly string[] {
    return this.#tables.map(({ settings }) => settings.name);
  }

  /** Their columns by table, as expressions name them. */
  get types(): Names {
    return Object.fromEntries(this.#tables.map(({ settings: { name, content } }) => [name, content.columns]));
  }

  /** The rows of a series in all tables, in the order of `names`; one without cells where a table has none. */
  rowsOf(series: Named): readonly Members[] {
    return this.#tables.map((table) => table.rowOf(series));
  }

  /** Puts other content in the place of a table's; one that the configuration does not know, or that expressions were not typed for, is left. */
  replace(name: string, content: TableContent): void {
    const table = this.#tables.find(({ settings }) => settings.name === name);
    if (table === undefined || unlikeColumn(table.settings.content, content) !== undefined) return;
    table.take(content);
    table.isTold = true;
    this.version++;
  }

  /** The content of a table as a replay would have it; undefined where none was told yet. */
  told(name: string): TableContent | undefined {
    const table = this.#tables.find(({ settings }) => settings.name === name);
    return table?.isTold === true ? table.content : undefined;
  }

  /** A result with the tags that tables give its series; those it has itself stay. */
  tagged(result: Result): Result {
    if (this.#tagging.length === 0) return result;
    const tags = this.#tagsOf(result.series);
    return tags === undefined ? result : { ...result, series: { ...result.series, tags } };
  }

  snapshot(): unknown {
    return {
      version: VERSION,
      tables: this.#tables
        .filter(({ isTold }) => isTold)
        .map(({ settings, content }) => [settings.name, settings.key, content]),
    };
  }

  restore(snapshot: unknown): void {
    const { version, tables } = recordOf(snapshot, WHAT);
    if (version !== VERSION) throw unreadable(WHAT, `version ${String(version)}`);
    for (const entry of listOf(tables, WHAT)) {
      const [name, key, content] = listOf(entry, WHAT);
      const table = this.#tables.find(({ settings }) => settings.name === textOf(name, WHAT));
      if (table?.settings.key === key) this.replace(textOf(name, WHAT), asContent(content));
    }
  }

  #tagsOf(series: ResultSeries): Readonly<Record<string, string>> | undefined {
    let tags: Record<string, string> | undefined;
    for (const table of this.#tagging) {
      const cells = table.rowOf(series) as unknown as Readonly<Record<string, unknown>>;
      for (const name of table.settings.tags) {
        const cell = Object.hasOwn(cells, name) ? cells[name] : undefined;
        if (cell === undefined || Object.hasOwn(series.tags, name)) continue;
        tags ??= { ...series.tags };
        tags[name] = String(cell);
      }
    }
    return tags;
  }
}

/** The cells that are not empty, by the names of their columns. */
function membersOf(names: readonly string[], cells: readonly Cell[]): Readonly<Record<string, number | string>> {
  const members: Record<string, number | string> = {};
  names.forEach((name, at) => {
    const cell = cells[at] ?? null;
    if (cell !== null) members[name] = cell;
  });
  return members;
}

function asContent(content: unknown): TableContent {
  const { columns, rows } = recordOf(content, WHAT);
  recordOf(columns, WHAT);
  listOf(rows, WHAT);
  return content as TableContent;
}

/** The rows of a series, to be looked up; undefined where there are no tables. */
export function tableRows(tables: Tables, series: Named): TableRows | undefined {
  return tables.names.length === 0 ? undefined : new TableRows(tables, series);
}

/** The rows of one series in all tables, kept until a table changes. */
export class TableRows {
  readonly #tables: Tables;
  readonly #series: Named;
  #version = -1;
  #rows: readonly Members[] = [];

  constructor(tables: Tables, series: Named) {
    this.#tables = tables;
    this.#series = series;
  }

  /** Puts them into the context of an expression, under the names of the tables. */
  fill(context: Record<string, unknown>, names: readonly string[]): void {
    if (this.#version !== this.#tables.version) {
      this.#version = this.#tables.version;
      this.#rows = this.#tables.rowsOf(this.#series);
    }
    for (let i = 0; i < names.length; i++) context[names[i]!] = this.#rows[i];
  }
}
