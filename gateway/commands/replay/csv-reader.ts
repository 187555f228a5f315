import { parseTime } from '../../base/parse-time.ts';
import { Quality } from '../../core/quality.ts';
import type { Series } from '../../core/reading.ts';
import { numberIn, timeIn } from './plain-text.ts';
import type { RecordedReader, RecordedTarget } from './recorded-input.ts';

const [NEWLINE, QUOTE, COMMA, SEMICOLON, SPACE] = [10, 34, 44, 59, 32];
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/**
 * Reads the rows of a CSV as RFC 4180 has them: a head line, then a time and values; each column but the first is a metric of one device. A comma
 * or a semicolon is between the cells; rows may be shorter or longer than the head, and blanks around a cell do not count.
 */
export class CsvReader implements RecordedReader {
  readonly #device: string;
  readonly #target: RecordedTarget;
  #metrics: readonly string[] | undefined;
  /** By column; a sentence where it cannot be a series, undefined where it had no value yet. */
  readonly #series: (Series | string | undefined)[] = [];
  /** Number of the line that the row begins with. */
  #line = 1;
  /** Where the cells of a row end. */
  readonly #ends: number[] = [];
  #atBegin = true;

  constructor(device: string, target: RecordedTarget) {
    this.#device = device;
    this.#target = target;
  }

  /** Reads the rows that are there as a whole. @returns how many bytes they were */
  take(bytes: Buffer, isLast: boolean): number {
    let at = this.#atBegin && bytes.indexOf(BYTE_ORDER_MARK) === 0 ? BYTE_ORDER_MARK.length : 0;
    this.#atBegin = false;
    while (at < bytes.length) {
      const next = this.#takeRow(bytes, at, isLast);
      if (next === undefined) break;
      at = next;
    }
    return at;
  }

  /** @returns where the next row begins; undefined where this one has no end yet */
  #takeRow(bytes: Buffer, from: number, isLast: boolean): number | undefined {
    const ends = this.#ends;
    let cells = 0;
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      // Most bytes are larger than all that have a meaning.
      if (byte > SEMICOLON) continue;
      if (byte === COMMA || byte === SEMICOLON) ends[cells++] = at;
      else if (byte === NEWLINE) break;
      else if (byte === QUOTE) return this.#takeQuotedRow(bytes, from, isLast);
    }
    if (at === bytes.length && !isLast) return undefined;
    ends[cells++] = at;
    if (this.#metrics === undefined) this.#takeHead(textsOf(bytes, from, ends, cells));
    else this.#takeValues(bytes, from, cells);
    this.#line++;
    return at + 1;
  }

  #takeHead(cells: readonly string[]): void {
    if (!isEmpty(cells)) this.#metrics = cells.slice(1);
  }

  #takeValues(bytes: Buffer, from: number, cells: number): void {
    const ends = this.#ends;
    let start = skipBlanks(bytes, from, ends[0]!);
    let end = trimEnd(bytes, start, ends[0]!);
    if (cells === 1 && start === end) return;
    const time = timeIn(bytes, start, end);
    if (time === undefined) {
      this.#rejectTime(bytes.toString('utf8', start, end));
      return;
    }
    const columns = Math.min(cells - 1, this.#metrics!.length);
    for (let column = 0; column < columns; column++) {
      const limit = ends[column + 1]!;
      start = skipBlanks(bytes, ends[column]! + 1, limit);
      end = trimEnd(bytes, start, limit);
      if (start === end) continue;
      const value = numberIn(bytes, start, end);
      if (Number.isFinite(value)) this.#give(column, value, time);
      else this.#rejectValue(column, bytes.toString('utf8', start, end));
    }
  }

  /** A row with quotes, in which a cell may have delimiters and line ends. There are few: it is read the plain way. */
  #takeQuotedRow(bytes: Buffer, from: number, isLast: boolean): number | undefined {
    const row = quotedRow(bytes, from, isLast);
    if (row === undefined) return undefined;
    if (this.#metrics === undefined) this.#takeHead(row.cells);
    else this.#takeCells(row.cells, this.#metrics.length);
    this.#line += row.lines;
    return row.next;
  }

  #takeCells([first = '', ...cells]: readonly string[], columns: number): void {
    const time = parseTime(first);
    if (time === undefined) {
      this.#rejectTime(first);
      return;
    }
    for (const [column, cell] of cells.slice(0, columns).entries()) {
      if (cell === '') continue;
      const value = Number(cell);
      if (Number.isFinite(value)) this.#give(column, value, time);
      else this.#rejectValue(column, cell);
    }
  }

  #give(column: number, value: number, time: number): void {
    const series = this.#series[column] ?? this.#meet(column);
    if (typeof series === 'string') this.#target.reject(`${this.#device}/${this.#metrics?.[column]}`, series);
    else this.#target.reading(series, value, Quality.good, time);
  }

  #meet(column: number): Series | string {
    const series = this.#target.series({ device: this.#device, metric: this.#metrics?.[column] ?? '' });
    this.#series[column] = series;
    return series;
  }

  #rejectTime(cell: string): void {
    this.#target.reject(`line ${this.#line}`, `the time ${JSON.stringify(cell)} cannot be read`);
  }

  #rejectValue(column: number, cell: string): void {
    const metric = this.#metrics![column];
    this.#target.reject(`line ${this.#line}`, `the value ${JSON.stringify(cell)} of ${metric} is not a finite number`);
  }
}

function isEmpty(cells: readonly string[]): boolean {
  return cells.length === 1 && cells[0] === '';
}

function skipBlanks(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at]! <= SPACE) at++;
  return at;
}

function trimEnd(bytes: Buffer, from: number, to: number): number {
  let at = to;
  while (at > from && bytes[at - 1]! <= SPACE) at--;
  return at;
}

function textsOf(bytes: Buffer, from: number, ends: readonly number[], cells: number): string[] {
  const starts = [from, ...ends.slice(0, cells - 1).map((end) => end + 1)];
  return starts.map((start, i) => bytes.toString('utf8', start, ends[i]).trim());
}

/** The cells of a row, how many lines it has, and where the next one begins; undefined where it has no end yet. */
function quotedRow(bytes: Buffer, from: number, isLast: boolean) {
  const cells: string[] = [];
  let cell: number[] = [];
  const endCell = () => {
    cells.push(Buffer.from(cell).toString().trim());
    cell = [];
  };
  let lines = 1;
  let isQuoted = false;
  let isBlank = true;
  let at = from;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (isQuoted) {
      if (byte === NEWLINE) lines++;
      if (byte !== QUOTE) cell.push(byte);
      else if (bytes[at + 1] === QUOTE) cell.push(bytes[++at]!);
      else isQuoted = false;
    } else if (byte === QUOTE && isBlank) {
      isQuoted = true;
      isBlank = false;
    } else if (byte === COMMA || byte === SEMICOLON) {
      endCell();
      isBlank = true;
    } else if (byte === NEWLINE) break;
    else {
      // One within a cell that did not begin with one is a character like others.
      cell.push(byte);
      isBlank &&= byte <= SPACE;
    }
  }
  if (at === bytes.length && !isLast) return undefined;
  endCell();
  return { cells, lines, next: at + 1 };
}
