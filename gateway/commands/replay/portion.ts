import { GatewayError } from '../../core/errors.ts';
import type { Quality } from '../../core/quality.ts';
import type { SeriesIdentity, Value } from '../../core/reading.ts';

/** Readings of a round, which are analysed before anything of the next one. */
export const ROUND_READINGS = 16_384;

const BYTES_PER_READING = 8 + 8 + 4 + 4 + 1;
const QUALITY_MASK = 0b11;
const KIND_SHIFT = 2;
const Kind = { number: 0, boolean: 1, text: 2 } as const;

/** A series that an analyst has not met before. Its number is the next one, from 0 on. */
export interface NewSeries extends SeriesIdentity {
  readonly unit: string | undefined;
  /** The key group that it belongs to. */
  readonly group: number;
}

/** The readings of a round for one analyst, in a form that goes to a thread without being copied. */
export interface Portion {
  /** How many readings of the recording came before this round, whoever they were for. */
  readonly before: number;
  readonly buffer: ArrayBuffer;
  readonly count: number;
  /** The values that are texts, in order. */
  readonly texts: readonly string[];
  readonly newSeries: readonly NewSeries[];
}

/** Readings as columns in one buffer, at most `ROUND_READINGS` of them. */
export class Columns {
  readonly buffer: ArrayBuffer;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  readonly #series: Uint32Array;
  readonly #places: Uint32Array;
  readonly #flags: Uint8Array;

  /** @param buffer one that an earlier round has used */
  constructor(buffer = new ArrayBuffer(ROUND_READINGS * BYTES_PER_READING)) {
    this.buffer = buffer;
    this.#times = new Float64Array(buffer, 0, ROUND_READINGS);
    this.#values = new Float64Array(buffer, 8 * ROUND_READINGS, ROUND_READINGS);
    this.#series = new Uint32Array(buffer, 16 * ROUND_READINGS, ROUND_READINGS);
    this.#places = new Uint32Array(buffer, 20 * ROUND_READINGS, ROUND_READINGS);
    this.#flags = new Uint8Array(buffer, 24 * ROUND_READINGS, ROUND_READINGS);
  }

  /** Number of the series, among those that the analyst was told of. */
  series(at: number): number {
    return this.#series[at]!;
  }

  /** Place of the reading in its round. */
  place(at: number): number {
    return this.#places[at]!;
  }

  time(at: number): number {
    return this.#times[at]!;
  }

  quality(at: number): Quality {
    return (this.#flags[at]! & QUALITY_MASK) as Quality;
  }

  isText(at: number): boolean {
    return this.#flags[at]! >> KIND_SHIFT === Kind.text;
  }

  /** The value, where it is no text. */
  value(at: number): number | boolean {
    const value = this.#values[at]!;
    return this.#flags[at]! >> KIND_SHIFT === Kind.boolean ? value !== 0 : value;
  }

  set(at: number, series: number, place: number, value: Value, quality: Quality, time: number): void {
    const kind = typeof value === 'number' ? Kind.number : typeof value === 'boolean' ? Kind.boolean : Kind.text;
    this.#times[at] = time;
    this.#values[at] = kind === Kind.text ? 0 : Number(value);
    this.#series[at] = series;
    this.#places[at] = place;
    this.#flags[at] = quality | (kind << KIND_SHIFT);
  }
}

/** Gathers the readings of a round for one analyst. */
export class PortionWriter {
  #columns: Columns | undefined;
  #spare: ArrayBuffer[] = [];
  #count = 0;
  #texts: string[] = [];
  #newSeries: NewSeries[] = [];
  #known = 0;

  /** Introduces a series. @returns its number, for `add` */
  introduce(series: NewSeries): number {
    this.#newSeries.push(series);
    return this.#known++;
  }

  /** @throws GatewayError past `ROUND_READINGS` readings */
  add(series: number, place: number, value: Value, quality: Quality, time: number): void {
    if (this.#count === ROUND_READINGS) throw new GatewayError('Cannot add another reading: the round is over');
    this.#columns ??= new Columns(this.#spare.pop());
    this.#columns.set(this.#count++, series, place, value, quality, time);
    if (typeof value === 'string') this.#texts.push(value);
  }

  /**
   * What was gathered since the last call; undefined where there is nothing.
   * @param before how many readings of the recording came before this round
   */
  take(before: number): Portion | undefined {
    if (this.#columns === undefined) return undefined;
    const portion = {
      before,
      buffer: this.#columns.buffer,
      count: this.#count,
      texts: this.#texts,
      newSeries: this.#newSeries,
    };
    this.#columns = undefined;
    this.#count = 0;
    this.#texts = [];
    this.#newSeries = [];
    return portion;
  }

  /** Takes back the buffer of a portion that has been analysed. */
  recycle(buffer: ArrayBuffer): void {
    this.#spare.push(buffer);
  }
}
