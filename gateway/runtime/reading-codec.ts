import type { MarkChange } from '../base/mark-table.ts';
import { GatewayError } from '../core/errors.ts';
import type { Quality } from '../core/quality.ts';
import { deviceKey, type Reading, type Series, type SeriesIdentity, type Value } from '../core/reading.ts';

/**
 * How a batch of readings lies in one journal record. Every record stands alone: it names its series itself, once each, so a lost
 * segment never makes another one unreadable.
 *
 *     record  := kind:u8 = 1  reading*
 *              | kind:u8 = 3  (reading | mark)*
 *     reading := flags:u8  index:varint  [definition]  [receiveTime:f64]  [sourceTime:f64]  [value]
 *     flags   := quality (bits 0–1) | value kind (bits 2–3) | same receive time as the reading before (bit 4) | no time of its own: sourceTime = receiveTime (bit 5)
 *                | provisional (bit 6); with a time of its own: that is too far ahead to be believed
 *     index   := which definition of this record; one that is new follows at once
 *     definition := source:text device:text metric:text unit:text tags:varint (name:text value:text)*
 *     mark    := flags:u8 = 128 peer:text id:varint value:varint, or 129 peer:text id:varint without a value, or 130 peer:text
 *     value   := f64 for a number, text for a text, nothing for true and false
 *     text    := length:varint utf8*           f64, u8: little endian
 */
const QUALITY_MASK = 0b11;

/** The first byte of a journal record says what follows. */
export const RecordKind = { readings: 1, command: 2, marked: 3 } as const;

/** Not of a reading, but a change of a mark. */
const MARK = 1 << 7;
const MarkOp = { set: MARK, delete: MARK | 1, clear: MARK | 2 } as const;

const KIND_SHIFT = 2;
const SAME_RECEIVE_TIME = 1 << 4;
const STAMPED = 1 << 5;
const PROVISIONAL = 1 << 6;
const Kind = { number: 0, false: 1, true: 2, text: 3 } as const;

/** The most that one reading of a known series takes, without the bytes of a text value. */
const FIXED_BYTES = 1 + 5 + 8 + 8 + 8 + 5;

/** Turns readings into the payload of a journal record. One encoder is used again and again. */
export class ReadingEncoder {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #length = 1;
  #count = 0;
  #receiveTime = Number.NaN;
  /** By series id: the record in which the series was last defined, its index there, and its source there. */
  readonly #definedIn: number[] = [];
  readonly #indexOf: number[] = [];
  readonly #sourceOf: string[] = [];
  #record = 1;
  #definitions = 0;
  #kind: number = RecordKind.readings;

  /** Readings since the last `finish`. */
  get count(): number {
    return this.#count;
  }

  /** Bytes since the last `finish`. */
  get byteLength(): number {
    return this.#length;
  }

  /** Nothing was added since the last `finish`, neither readings nor marks. */
  get isEmpty(): boolean {
    return this.#length === 1;
  }

  /** Adds a change of a mark: it is in one record with the readings. */
  mark({ peer, id, value }: MarkChange): void {
    this.#kind = RecordKind.marked;
    this.#reserve(FIXED_BYTES);
    this.#bytes[this.#length++] = id === undefined ? MarkOp.clear : value === undefined ? MarkOp.delete : MarkOp.set;
    this.#writeText(peer);
    this.#reserve(FIXED_BYTES);
    if (id !== undefined) this.#writeVarint(id);
    if (value !== undefined) this.#writeVarint(value);
  }

  add(reading: Reading): void {
    const { series, value, receiveTime, sourceTime } = reading;
    this.#reserve(FIXED_BYTES);
    const bytes = this.#bytes;
    const sameReceiveTime = receiveTime === this.#receiveTime;
    const stamped = reading.stamped === true && sourceTime === receiveTime;
    const kind = kindOf(value);
    bytes[this.#length++] =
      reading.quality |
      (kind << KIND_SHIFT) |
      (sameReceiveTime ? SAME_RECEIVE_TIME : 0) |
      (stamped ? STAMPED : 0) |
      (reading.provisional === true || (reading.ahead === true && !stamped) ? PROVISIONAL : 0);
    this.#writeSeries(series, reading.source);
    if (!sameReceiveTime) this.#writeDouble(receiveTime);
    if (!stamped) this.#writeDouble(sourceTime);
    if (kind === Kind.number) this.#writeDouble(value as number);
    else if (kind === Kind.text) this.#writeText(value as string);
    this.#receiveTime = receiveTime;
    this.#count++;
  }

  /** The payload of everything added since the last call; valid until the next `add`. */
  finish(): Uint8Array {
    this.#bytes[0] = this.#kind;
    this.#kind = RecordKind.readings;
    const payload = this.#bytes.subarray(0, this.#length);
    this.#length = 1;
    this.#count = 0;
    this.#receiveTime = Number.NaN;
    this.#definitions = 0;
    this.#record++;
    return payload;
  }

  #writeSeries(series: Series, source: string): void {
    const { id } = series;
    if (this.#definedIn[id] === this.#record && this.#sourceOf[id] === source) {
      this.#writeVarint(this.#indexOf[id]!);
      return;
    }
    // Arrays are filled densely, so that V8 keeps them fast.
    while (this.#definedIn.length <= id) {
      this.#definedIn.push(0);
      this.#indexOf.push(0);
      this.#sourceOf.push('');
    }
    this.#definedIn[id] = this.#record;
    this.#indexOf[id] = this.#definitions;
    this.#sourceOf[id] = source;
    this.#writeVarint(this.#definitions++);
    this.#writeDefinition(series, source);
  }

  #writeDefinition(series: Series, source: string): void {
    this.#writeText(source);
    this.#writeText(series.device);
    this.#writeText(series.metric);
    this.#writeText(series.unit ?? '');
    const names = Object.keys(series.tags);
    this.#reserve(FIXED_BYTES);
    this.#writeVarint(names.length);
    for (const name of names) {
      this.#writeText(name);
      this.#writeText(series.tags[name]!);
    }
    this.#reserve(FIXED_BYTES);
  }

  #writeDouble(value: number): void {
    this.#bytes.writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  #writeVarint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #writeText(text: string): void {
    const byteLength = Buffer.byteLength(text);
    this.#reserve(byteLength + 5);
    this.#writeVarint(byteLength);
    this.#bytes.write(text, this.#length);
    this.#length += byteLength;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function kindOf(value: Value): number {
  if (typeof value === 'number') return Kind.number;
  if (typeof value === 'string') return Kind.text;
  return value ? Kind.true : Kind.false;
}

/** Finds the series of an identity; a sentence where there is none. */
export type InternSeries = (identity: SeriesIdentity, unit: string | undefined) => Series | string;

/** A reading whose series cannot be had any more. */
export interface Homeless {
  readonly source: string;
  /** As `deviceKey` says it. */
  readonly device: string;
}

/**
 * Reads a payload back.
 *
 * @returns the readings, and the changes of marks among them; of readings whose series cannot be had any more, only where each came from
 * @throws GatewayError where the payload is not one that `ReadingEncoder` wrote
 */
export function decodeReadings(
  payload: Uint8Array,
  intern: InternSeries,
): { readings: Reading[]; homeless: Homeless[]; marks: MarkChange[] } {
  const cursor = new PayloadCursor(payload);
  const recordKind = cursor.byte();
  if (recordKind !== RecordKind.readings && recordKind !== RecordKind.marked)
    throw new GatewayError(`Cannot read journal record: its kind is ${recordKind}, not readings`);
  const definitions: Definition[] = [];
  const readings: Reading[] = [];
  const homeless: Homeless[] = [];
  const marks: MarkChange[] = [];
  let receiveTime = Number.NaN;
  while (!cursor.atEnd) {
    const flags = cursor.byte();
    if (recordKind === RecordKind.marked && (flags & MARK) !== 0) {
      marks.push(readMark(cursor, flags));
      continue;
    }
    const index = cursor.varint();
    if (index === definitions.length) definitions.push(readDefinition(cursor, intern));
    const definition = definitions[index];
    if (definition === undefined)
      throw new GatewayError(`Cannot read journal record: series index ${index} is not defined in it`);
    if ((flags & SAME_RECEIVE_TIME) === 0) receiveTime = cursor.double();
    // Older releases wrote it for every reading of these two times.
    const stamped = (flags & STAMPED) !== 0;
    const sourceTime = stamped ? receiveTime : cursor.double();
    const value = readValue(cursor, (flags >>> KIND_SHIFT) & 0b11);
    const { series, source } = definition;
    const quality = (flags & QUALITY_MASK) as Quality;
    const provisional = stamped && (flags & PROVISIONAL) !== 0;
    const ahead = !stamped && (flags & PROVISIONAL) !== 0;
    if (series === undefined) homeless.push(definition);
    else readings.push({ series, source, value, quality, sourceTime, receiveTime, stamped, ahead, provisional });
  }
  return { readings, homeless, marks };
}

interface Definition extends Homeless {
  readonly series: Series | undefined;
}

function readMark(cursor: PayloadCursor, op: number): MarkChange {
  const peer = cursor.text();
  const id = op === MarkOp.clear ? undefined : cursor.varint();
  return { peer, id, value: op === MarkOp.set ? cursor.varint() : undefined };
}

function readDefinition(cursor: PayloadCursor, intern: InternSeries): Definition {
  const source = cursor.text();
  const device = cursor.text();
  const metric = cursor.text();
  const unit = cursor.text();
  const tags: [string, string][] = [];
  for (let left = cursor.varint(); left > 0; left--) tags.push([cursor.text(), cursor.text()]);
  const identity = { device, metric, tags: Object.fromEntries(tags) };
  const series = intern(identity, unit === '' ? undefined : unit);
  return { series: typeof series === 'string' ? undefined : series, source, device: deviceKey(identity) };
}

function readValue(cursor: PayloadCursor, kind: number): Value {
  if (kind === Kind.number) return cursor.double();
  if (kind === Kind.text) return cursor.text();
  return kind === Kind.true;
}

class PayloadCursor {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(payload: Uint8Array) {
    this.#bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  byte(): number {
    const start = this.#advance(1);
    return this.#bytes[start]!;
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new GatewayError('Cannot read journal record: a number is longer than five bytes');
  }

  text(): string {
    const length = this.varint();
    const start = this.#advance(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  #advance(length: number): number {
    const start = this.#position;
    if (start + length > this.#bytes.length) throw new GatewayError('Cannot read journal record: it ends too early');
    this.#position = start + length;
    return start;
  }
}
