import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { type Parser, parse } from 'csv-parse';

/** Which CSV, and how to read it. */
export interface CsvOptions {
  readonly file: string;
  /** Name of the device its values belong to. @default the file's name without its extension */
  readonly device?: string | undefined;
  /** Columns that are values, by header name, or a map from header name to metric. @default every column but the time */
  readonly columns?: readonly string[] | Readonly<Record<string, string>> | undefined;
  /** Header of the time. @default a column called timestamp, time, date, datetime or ts, or else the first one */
  readonly timeColumn?: string | undefined;
  /** @default `;` where the header has more of them than commas, else `,` */
  readonly separator?: ',' | ';' | undefined;
}

/** What a cell can say. */
export type CsvValue = number | boolean | string;

/** One line: its time, and a value or nothing for each metric. */
export interface CsvRow {
  /** Number of the line after the header, from 0. */
  readonly index: number;
  readonly timeMs: number;
  /** In the order of `CsvTable.metrics`; undefined where the cell is empty or not a number (`NaN`, `null`, `Infinity`). */
  readonly values: readonly (CsvValue | undefined)[];
}

/** A CSV that was opened: what it measures, and its rows. */
export interface CsvTable {
  readonly device: string;
  readonly metrics: readonly string[];
  /** The rows in order of the file; may be iterated once. @throws Error naming the line whose time cannot be read */
  rows(): AsyncGenerator<CsvRow>;
}

const TIME_NAMES = /^(timestamp|time|date|datetime|ts)$/i;

/**
 * Opens a CSV with a header line: one column is the time, the others are values.
 *
 * @throws Error when the file cannot be read, has no header, or lacks a column that was asked for
 */
export async function openCsv(options: CsvOptions): Promise<CsvTable> {
  const { file } = options;
  const separator = options.separator ?? (await separatorOf(file));
  const lines = createReadStream(file).pipe(
    parse({ delimiter: separator, bom: true, trim: true, skip_empty_lines: true }),
  );
  const iterator: AsyncIterator<string[]> = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) throw new Error(`Cannot read ${file}: it has no header line`);
  const header = first.value;
  const time = timeIndex(header, options);
  const picked = pickColumns(header, time, options);
  return {
    device: options.device ?? basename(file, extname(file)),
    metrics: picked.map((column) => column.metric),
    rows: () => readRows(lines, iterator, file, time, picked, separator === ';'),
  };
}

interface PickedColumn {
  readonly index: number;
  readonly metric: string;
}

async function* readRows(
  lines: Parser,
  iterator: AsyncIterator<string[]>,
  file: string,
  time: number,
  columns: readonly PickedColumn[],
  decimalComma: boolean,
): AsyncGenerator<CsvRow> {
  try {
    for (let index = 0; ; index++) {
      const { done, value: cells } = await iterator.next();
      if (done) return;
      const timeMs = parseTime(cells[time] ?? '');
      if (timeMs === undefined) {
        throw new Error(`Cannot read the time of row ${index + 1} of ${file}: ${JSON.stringify(cells[time] ?? '')}`);
      }
      yield { index, timeMs, values: columns.map((column) => parseCell(cells[column.index] ?? '', decimalComma)) };
    }
  } finally {
    lines.destroy();
  }
}

async function separatorOf(file: string): Promise<',' | ';'> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
    const header = buffer.subarray(0, bytesRead).toString('utf8').split('\n', 1)[0] ?? '';
    return header.split(';').length > header.split(',').length ? ';' : ',';
  } finally {
    await handle.close();
  }
}

function timeIndex(header: readonly string[], options: CsvOptions): number {
  if (options.timeColumn !== undefined) return columnIndex(header, options.timeColumn, options.file);
  return Math.max(
    0,
    header.findIndex((name) => TIME_NAMES.test(name)),
  );
}

function pickColumns(header: readonly string[], time: number, options: CsvOptions): PickedColumn[] {
  const { columns, file } = options;
  if (columns === undefined) {
    return header.map((metric, index) => ({ index, metric })).filter((column) => column.index !== time);
  }
  const wanted = Array.isArray(columns) ? columns.map((name) => [name, name]) : Object.entries(columns);
  return wanted.map(([name, metric]) => ({ index: columnIndex(header, name, file), metric }));
}

function columnIndex(header: readonly string[], name: string, file: string): number {
  const index = header.indexOf(name);
  if (index < 0)
    throw new Error(`Cannot find the column ${JSON.stringify(name)} in ${file}: it has ${header.join(', ')}`);
  return index;
}

/**
 * Reads a cell: a finite number, true or false, or text; undefined where there is nothing to say.
 *
 * @param decimalComma whether `1,5` is one and a half, as in files separated by semicolons
 */
export function parseCell(cell: string, decimalComma = false): CsvValue | undefined {
  if (cell === '' || /^([+-]?(nan|inf(inity)?)|null|none|n\/a)$/i.test(cell)) return undefined;
  if (cell === 'true' || cell === 'false') return cell === 'true';
  const number = Number(decimalComma && /^[+-]?\d+,\d+$/.test(cell) ? cell.replace(',', '.') : cell);
  if (Number.isNaN(number)) return cell;
  return Number.isFinite(number) ? number : undefined;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * Milliseconds since 1970 of a time: ISO 8601 or `2013-12-02 21:15:00`, which is UTC without a zone, with any number of decimals;
 * or a number of seconds, or of milliseconds from 10^11 on. Undefined where it is none of these.
 */
export function parseTime(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) {
    const number = text === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(number)) return undefined;
    return Math.abs(number) < 1e11 ? number * 1000 : number;
  }
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '.0', zone = 'Z'] = match;
  const whole = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  // "04-31" would silently become the first of May
  if (new Date(whole).getUTCDate() !== Number(day)) return undefined;
  return whole + Number(`0${fraction}`) * 1000 - zoneMs(zone);
}

function zoneMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
