import { ownText } from '../../gateway/base/own-text.ts';
import type { EpochMs } from '../../gateway/core/clock.ts';
import type { LinePrecision } from '../../gateway/core/line-writes.ts';
import type { DecodeTarget } from '../../gateway/core/message.ts';
import type { Value } from '../../gateway/core/reading.ts';
import { giveValues, type Line } from './line-values.ts';
import { DECIMAL } from './plain.ts';
import { MAX_VALUES, NOT_UTF8, shown, textOf } from './text.ts';

const PER_MS: Readonly<Record<LinePrecision, number>> = {
  ns: 1e6,
  us: 1e3,
  ms: 1,
  s: 1 / 1_000,
  m: 1 / 60_000,
  h: 1 / 3_600_000,
};

/** What is wrong with a line; thrown and caught in this file only. No `Error`: its stack would cost more than the line. */
class LineError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/**
 * Reads InfluxDB line protocol: `measurement[,tag=value…] field=value[,field=value…] [timestamp]`. A line that is wrong is refused
 * whole, with its number; its neighbours are taken.
 *
 * Source: InfluxDB documentation, "Line protocol reference", escaping rules included.
 */
export class LineReader {
  readonly #text: string;
  readonly #isDamaged: boolean;
  readonly #perMs: number;
  #at = 0;
  #line = 1;
  #items = 0;

  /** @param precision unit of the timestamps */
  constructor(payload: Uint8Array, precision: LinePrecision) {
    const text = textOf(payload);
    this.#isDamaged = text === undefined;
    this.#text = text ?? new TextDecoder().decode(payload);
    this.#perMs = PER_MS[precision];
  }

  /** The number of the line that is read next, from 1 on. */
  get line(): number {
    return this.#line;
  }

  /** Takes lines until at least so many characters, or so many lines and values, are gone through; true when there are more. */
  read(target: DecodeTarget, characters: number, items: number): boolean {
    const enough = this.#at + characters;
    this.#items = 0;
    while (this.#at < this.#text.length && this.#at < enough && this.#items < items) this.#readOne(target);
    return this.#at < this.#text.length;
  }

  /** Reads the first line next. */
  restart(): void {
    this.#at = 0;
    this.#line = 1;
  }

  #readOne(target: DecodeTarget): void {
    const start = this.#at;
    this.#items++;
    try {
      const line = this.#readLine();
      if (line !== undefined) {
        this.#items += line.fields.length;
        giveValues(line, target);
      }
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      // A string without its closing quote has run on to the end: the lines after this one must not go with it.
      if (this.#at >= this.#text.length) this.#at = start;
      this.#skipLine();
      target.reject(`line ${this.#line}: ${error.message}`, this.#text.slice(start, this.#at));
    }
    for (let i = this.#text.indexOf('\n', start); i !== -1 && i < this.#at; i = this.#text.indexOf('\n', i + 1)) {
      this.#line++;
    }
  }

  /** Reads a line and its end; undefined for a comment or an empty line. */
  #readLine(): Line | undefined {
    const start = this.#at;
    this.#skipBlanks();
    const first = this.#peek();
    if (first === '#') {
      this.#skipLine();
      return undefined;
    }
    if (this.#endOfLine()) return undefined;
    const measurement = this.#readName(false) || emptyName('measurement');
    const tags = this.#readTags();
    this.#skipBlanks();
    const fields = this.#readFields();
    this.#skipBlanks();
    const time = this.#readTime();
    this.#skipBlanks();
    if (this.#isDamaged && this.#text.slice(start, this.#at).includes(NO_CHARACTER)) throw new LineError(NOT_UTF8);
    if (!this.#endOfLine()) throw new LineError(`unexpected ${shown(this.#rest())} after the timestamp`);
    return { measurement, tags, fields, time };
  }

  #readTags(): Record<string, string> | undefined {
    if (this.#peek() !== ',') return undefined;
    // Without a prototype: a tag may have any name.
    const tags: Record<string, string> = Object.create(null);
    let count = 0;
    while (this.#peek() === ',') {
      this.#at++;
      const name = this.#readName(true) || emptyName('tag name');
      if (this.#peek() !== '=') throw new LineError(`the tag ${shown(name)} has no value`);
      this.#at++;
      if (name in tags) throw new LineError(`the tag ${shown(name)} is given twice`);
      if (++count > MAX_TAGS) throw new LineError(`there are more than ${MAX_TAGS} tags`);
      tags[name] = this.#readName(false) || emptyName(`value of the tag ${shown(name)}`);
    }
    return tags;
  }

  #readFields(): [string, Value][] {
    const fields: [string, Value][] = [];
    if (this.#atLineEnd()) throw new LineError('there are no fields');
    do {
      if (fields.length > 0) this.#at++;
      const name = this.#readName(true) || emptyName('field name');
      if (this.#peek() !== '=') throw new LineError(`the field ${shown(name)} has no value`);
      this.#at++;
      if (fields.length === MAX_VALUES) throw new LineError(`there are more than ${MAX_VALUES} fields`);
      fields.push([name, this.#peek() === '"' ? this.#readString(name) : this.#readScalar(name)]);
    } while (this.#peek() === ',');
    const next = this.#peek();
    if (next !== ' ' && !this.#atLineEnd()) throw new LineError(`unexpected ${shown(next)} after a field`);
    return fields;
  }

  /** A name or tag value up to a comma, a blank, the end of the line, or an equals sign where that ends it; a backslash escapes each of them. */
  #readName(endsAtEquals: boolean): string {
    const text = this.#text;
    let name = '';
    let from = this.#at;
    let at = from;
    for (; at < text.length; at++) {
      const c = text.charCodeAt(at);
      // Most characters are none of those that have a meaning.
      if (c > EQUALS && c !== BACKSLASH) continue;
      if (c === COMMA || c === BLANK || c === NEWLINE || (c === EQUALS && endsAtEquals)) break;
      if (c !== BACKSLASH) continue;
      const next = text.charCodeAt(at + 1);
      if (next !== COMMA && next !== EQUALS && next !== BLANK) continue;
      name += text.slice(from, at) + text[at + 1];
      from = at + 2;
      at++;
    }
    this.#at = at;
    name += text.slice(from, at);
    return name.endsWith('\r') && this.#atLineEnd() ? name.slice(0, -1) : name;
  }

  #readString(field: string): string {
    let value = '';
    let from = ++this.#at;
    for (;;) {
      const c = this.#text[this.#at];
      if (c === undefined) throw new LineError(`the string of the field ${shown(field)} has no closing quote`);
      if (c === '"') break;
      const next = this.#text[this.#at + 1];
      if (c === '\\' && (next === '"' || next === '\\')) {
        value += this.#text.slice(from, this.#at) + next;
        from = this.#at + 2;
        this.#at++;
      }
      this.#at++;
    }
    value += this.#text.slice(from, this.#at);
    this.#at++;
    // A value may be kept for long, and must not keep the whole text.
    return ownText(value);
  }

  #readScalar(field: string): number | boolean {
    const token = this.#readToken();
    if (TRUE.test(token)) return true;
    if (FALSE.test(token)) return false;
    const last = token.charCodeAt(token.length - 1);
    const integer = last === LETTER_I || last === LETTER_U ? INTEGER.exec(token) : null;
    const value = integer !== null ? Number(integer[1]) : DECIMAL.test(token) ? Number(token) : Number.NaN;
    if (Number.isNaN(value)) {
      throw new LineError(
        `the field ${shown(field)} has the value ${shown(token)}; a number (21.5, 21i, 21u), a boolean or "text in quotes" is allowed`,
      );
    }
    if (!Number.isFinite(value)) throw new LineError(`the field ${shown(field)} is too large for a number`);
    if (integer !== null && !Number.isSafeInteger(value)) {
      throw new LineError(`the field ${shown(field)} is the integer ${token}, past ±2^53: it cannot be kept exactly`);
    }
    return value === 0 ? 0 : value;
  }

  #readTime(): EpochMs | undefined {
    if (this.#atLineEnd()) return undefined;
    const token = this.#readToken();
    if (!TIMESTAMP.test(token)) throw new LineError(`the timestamp ${shown(token)} is not a whole number`);
    return Number(token) / this.#perMs;
  }

  #readToken(): string {
    const text = this.#text;
    const from = this.#at;
    let at = from;
    for (; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c <= COMMA && (c === BLANK || c === COMMA || c === NEWLINE || c === RETURN)) break;
    }
    this.#at = at;
    return text.slice(from, at);
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #atLineEnd(): boolean {
    const c = this.#text[this.#at];
    return c === undefined || c === '\n' || (c === '\r' && '\n'.includes(this.#text[this.#at + 1] ?? ''));
  }

  /** Steps over the end of the line, if it is here. */
  #endOfLine(): boolean {
    if (!this.#atLineEnd()) return false;
    this.#skipLine();
    return true;
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === ' ') this.#at++;
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end + 1;
  }

  #rest(): string {
    const end = this.#text.indexOf('\n', this.#at);
    return this.#text.slice(this.#at, end === -1 ? undefined : end);
  }
}

function emptyName(what: string): never {
  throw new LineError(`the ${what} is empty`);
}

const [NEWLINE, RETURN, BLANK, COMMA, EQUALS, BACKSLASH] = [10, 13, 32, 44, 61, 92];
const [LETTER_I, LETTER_U] = [105, 117];

/** Tags of a line: each is a part of the key of its series. */
const MAX_TAGS = 256;

/** What a decoder puts in place of bytes that are no character. */
const NO_CHARACTER = '\ufffd';

const TRUE = /^(?:t|T|true|True|TRUE)$/;
const FALSE = /^(?:f|F|false|False|FALSE)$/;
const INTEGER = /^([+-]?\d+)[iu]$/;
const TIMESTAMP = /^-?\d{1,19}$/;
