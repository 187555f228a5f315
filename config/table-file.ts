import { type CsvError, parse as parseCsv } from 'csv-parse/sync';
import { type Document, parseDocument } from 'yaml';
import { GatewayError, messageOf } from '../gateway/core/errors.ts';
import type { Cell, CellType, TableContent } from '../gateway/core/table.ts';
import { quoted } from './problems.ts';

/** Largest file of a table that is read, in bytes: its content goes into each checkpoint. */
export const MAX_TABLE_BYTES = 1024 * 1024;
/** Most rows of a table. */
export const MAX_TABLE_ROWS = 10_000;
/** Most columns of a table, that of the key not counted. */
const MAX_COLUMNS = 32;
const MAX_CELL_LENGTH = 256;

/** Cells as they stand in the file, row by row. */
type RawRow = readonly [key: string, cells: ReadonlyMap<string, number | string>];

/**
 * Reads the text of a table: CSV with a line of names where the path ends in `.csv`, else YAML, a group of cells under each key. In CSV a
 * column is one of numbers when all its cells are, and none begins with a 0 that means nothing.
 *
 * @param key name of the column of the keys in CSV
 * @throws GatewayError for what is no table, or too large a one
 */
export function parseTable(text: string, path: string, key: string): TableContent {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TABLE_BYTES) {
    throw unfit(`it has ${bytes} bytes; at most ${MAX_TABLE_BYTES} are read`, 'leave out what no expression needs');
  }
  const rows = path.endsWith('.csv') ? csvRows(text, key) : yamlRows(text);
  if (rows.length > MAX_TABLE_ROWS) {
    throw unfit(`it has ${rows.length} rows; at most ${MAX_TABLE_ROWS} are taken`, 'leave out what no series has');
  }
  const names = new Set(rows.flatMap(([, cells]) => [...cells.keys()]));
  for (const name of names) checkColumn(name);
  if (names.size > MAX_COLUMNS)
    throw unfit(`it has ${names.size} columns; at most ${MAX_COLUMNS} are taken`, undefined);
  const columns = Object.fromEntries([...names].map((name) => [name, typeOf(name, rows)]));
  return { columns, rows: rows.map(([row, cells]) => [row, typedCells(cells, columns)]) };
}

function csvRows(text: string, key: string): readonly RawRow[] {
  const lines = csvLines(text);
  const [header = [], ...body] = lines.map(({ record }) => record);
  const at = header.indexOf(key);
  if (at < 0) throw unfit(`its first line has no column ${quoted(key)}`, `it has ${header.map(quoted).join(', ')}`);
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) throw unfit(`its first line names ${quoted(twice)} twice`, undefined);
  const seen = new Map<string, number>();
  return body.map((record, index): RawRow => {
    const { line } = lines[index + 1]!;
    const row = record[at]!;
    if (row === '') throw unfit(`line ${line} has no ${key}`, undefined);
    const before = seen.get(row);
    if (before !== undefined) throw unfit(`lines ${before} and ${line} are both of ${quoted(row)}`, 'leave one out');
    seen.set(row, line);
    const cells = header.map((name, column) => [name, record[column]!] as const);
    return [row, new Map(cells.filter(([name, cell]) => name !== key && cell !== ''))];
  });
}

function csvLines(text: string): readonly { readonly record: readonly string[]; readonly line: number }[] {
  try {
    const parsed = parseCsv(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      info: true,
    }) as unknown as readonly {
      readonly record: readonly string[];
      readonly info: { readonly lines: number };
    }[];
    return parsed.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    const { lines } = error as Partial<CsvError> & { readonly lines?: number };
    throw unfit(`it is not CSV${lines === undefined ? '' : `, line ${lines}`}: ${messageOf(error)}`, undefined);
  }
}

function yamlRows(text: string): readonly RawRow[] {
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) throw unfit(`it is not YAML: ${error.message}`, undefined);
  const content = contentOf(document);
  if (!(content instanceof Map))
    throw unfit('it has no keys', 'write a group of cells under each key: press-1: { rated: 5 }');
  return [...content].map(([key, cells]): RawRow => {
    if (!(cells instanceof Map)) throw unfit(`${quoted(String(key))} has no group of cells`, 'press-1: { rated: 5 }');
    return [String(key), new Map([...cells].map(([name, cell]) => [String(name), yamlCell(key, name, cell)] as const))];
  });
}

function contentOf(document: Document): unknown {
  try {
    return document.toJS({ mapAsMap: true, maxAliasCount: 100 });
  } catch (error) {
    throw unfit(`it cannot be unfolded: ${messageOf(error)}`, 'look for anchors (&) that contain aliases (*)');
  }
}

function yamlCell(key: unknown, name: unknown, cell: unknown): number | string {
  if (typeof cell === 'string' || (typeof cell === 'number' && Number.isFinite(cell))) return cell;
  throw unfit(
    `${String(key)}.${String(name)} is ${quoted(cell)}`,
    'a cell is a number or a text; leave an empty one out',
  );
}

/** Names stand in expressions, as `machines.rated`. */
function checkColumn(name: string): void {
  if (/^[A-Za-z][A-Za-z0-9_]*$/.test(name) && name !== 'constructor') return;
  throw unfit(
    `the column ${quoted(name)} cannot be named in an expression`,
    'letters, digits and _, beginning with a letter',
  );
}

function typeOf(name: string, rows: readonly RawRow[]): CellType {
  return rows.every(([, cells]) => isNumber(cells.get(name))) ? 'double' : 'string';
}

function isNumber(cell: number | string | undefined): boolean {
  if (typeof cell !== 'string') return true;
  return /^[-+]?(0|[1-9]\d*)?(\.\d+)?([eE][-+]?\d+)?$/.test(cell) && /\d/.test(cell) && Number.isFinite(Number(cell));
}

function typedCells(
  cells: ReadonlyMap<string, number | string>,
  columns: Readonly<Record<string, CellType>>,
): readonly Cell[] {
  return Object.entries(columns).map(([name, type]) => {
    const cell = cells.get(name);
    if (cell === undefined) return null;
    return type === 'double' ? Number(cell) : checkedText(name, cell);
  });
}

function checkedText(name: string, cell: number | string): string {
  const text = String(cell);
  if (text.length <= MAX_CELL_LENGTH && !/[\p{Cc}\p{Cs}]/u.test(text)) return text;
  throw unfit(
    `a cell of ${name} cannot be a tag: ${quoted(text)}`,
    `at most ${MAX_CELL_LENGTH} characters, no control characters`,
  );
}

function unfit(message: string, hint: string | undefined): GatewayError {
  return new GatewayError(message, hint === undefined ? {} : { hint });
}
