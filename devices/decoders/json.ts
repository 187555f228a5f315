import type { EpochMs } from '../../gateway/core/clock.ts';
import { GatewayError, messageOf } from '../../gateway/core/errors.ts';
import type { Decoder, DecodeTarget, RawMessage } from '../../gateway/core/message.ts';
import { Quality, qualityOfStatusCode } from '../../gateway/core/quality.ts';
import { parseIsoTime } from './iso-time.ts';
import { hasTooManyParts, isTooDeep, MAX_JSON_DEPTH, MAX_JSON_PARTS } from './json-depth.ts';
import { compilePath, isObject, type JsonPath, pathSegments } from './json-path.ts';
import { MAX_PAYLOAD_BYTES, MAX_VALUES, NOT_UTF8, shown, textOf, tooLarge, tooMany } from './text.ts';

/** Where in a JSON message the parts of a reading are. Paths are dotted, `''` or `.` is the root. */
export interface JsonOptions {
  /** Path of one value. */
  readonly value?: string | undefined;
  /** Path of an object each of whose members is a value, its name the metric. Not together with `value`. */
  readonly values?: string | undefined;
  /** Path of the time. A message without it has no source time. */
  readonly time?: string | undefined;
  /** Unit of a numeric time; ISO 8601 text with a zone is always understood, and with `iso` nothing else. @default 'ms' */
  readonly timeUnit?: JsonTimeUnit | undefined;
  /** Path of the metric's name; with `values` it is put before each member's name, joined by `_`. */
  readonly metric?: string | undefined;
  /** Path of the device's name. */
  readonly device?: string | undefined;
  /** Path of the quality: `good`, `uncertain`, `bad`, or a numeric OPC-UA status code. */
  readonly quality?: string | undefined;
  /** Take text as a value; otherwise it is refused, because text is most often a number sent by mistake. @default false */
  readonly text?: boolean | undefined;
  /** Largest payload, in bytes. @default 1048576 */
  readonly maxBytes?: number | undefined;
}

/** How a JSON message tells the time: a number since 1970 in seconds, milliseconds, microseconds or nanoseconds, or ISO 8601 text with a zone. */
export type JsonTimeUnit = 's' | 'ms' | 'us' | 'ns' | 'iso';

const MS_PER: Readonly<Record<JsonTimeUnit, number>> = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6, iso: Number.NaN };

/**
 * A decoder of JSON messages. With neither `value` nor `values` it takes a bare number or boolean, an object with a member
 * `value`, or else an object of values.
 *
 * Refused with a reason: anything but numbers, booleans and (with `text`) strings; numbers that are not finite or are whole
 * and past ±2^53; bad times; more than `maxBytes`; more than 10 000 values, or 50 000 members and
 * elements in all; nesting deeper than 64. Of duplicate keys the last counts.
 */
export function jsonDecoder(options: JsonOptions = {}): Decoder {
  return new JsonDecoder(options);
}

class JsonDecoder implements Decoder {
  readonly #maxBytes: number;
  readonly #value: JsonPath | undefined;
  readonly #values: JsonPath | undefined;
  readonly #time: JsonPath | undefined;
  readonly #metric: JsonPath | undefined;
  readonly #device: JsonPath | undefined;
  readonly #quality: JsonPath | undefined;
  readonly #options: JsonOptions;
  readonly #timeUnit: JsonTimeUnit;
  readonly #text: boolean;
  /** Members of the object of values that are not values: where the time, the names and the quality lie. */
  readonly #notValues: ReadonlySet<string>;
  /** Of the message that is being decoded, once it was looked for: that goes through all of it. */
  #hasLongInteger: boolean | undefined;

  constructor(options: JsonOptions) {
    if (options.value !== undefined && options.values !== undefined) {
      throw new GatewayError('Cannot decode JSON with both `value` and `values`', {
        hint: '`value` is the path of one value, `values` of an object of values: choose one',
      });
    }
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MAX_PAYLOAD_BYTES;
    this.#value = compileOptional(options.value);
    this.#values = compileOptional(options.values);
    this.#time = compileOptional(options.time);
    this.#metric = compileOptional(options.metric);
    this.#device = compileOptional(options.device);
    this.#quality = compileOptional(options.quality);
    this.#timeUnit = options.timeUnit ?? 'ms';
    this.#text = options.text ?? false;
    this.#notValues = namesBeside(options);
  }

  decode(message: RawMessage, target: DecodeTarget): void {
    const { payload } = message;
    this.#hasLongInteger = undefined;
    if (payload.length > this.#maxBytes) {
      target.reject(tooLarge(payload.length, this.#maxBytes));
      return;
    }
    const text = textOf(payload);
    if (text === undefined) {
      target.reject(NOT_UTF8);
      return;
    }
    if (isTooDeep(text)) {
      target.reject(`the JSON nests deeper than ${MAX_JSON_DEPTH} levels`);
      return;
    }
    if (hasTooManyParts(text)) {
      target.reject(`the JSON has more than ${MAX_JSON_PARTS} members and elements`);
      return;
    }
    let root: unknown;
    try {
      root = JSON.parse(text);
    } catch (error) {
      target.reject(`the payload is not JSON: ${messageOf(error)}`);
      return;
    }
    this.#read(root, text, target);
  }

  #read(root: unknown, text: string, target: DecodeTarget): void {
    let time: EpochMs | undefined;
    if (this.#time !== undefined) {
      const raw = this.#time(root);
      if (raw !== undefined) {
        time = this.#timeOf(raw);
        if (time === undefined) {
          target.reject(this.#badTime(raw));
          return;
        }
      }
    }
    let quality: Quality | undefined;
    if (this.#quality !== undefined) {
      const raw = this.#quality(root);
      if (raw !== undefined) {
        quality = qualityOf(raw);
        if (quality === undefined) {
          target.reject(`the quality ${inWords(raw)} is none of good, uncertain, bad, nor an OPC-UA status code`);
          return;
        }
      }
    }
    const metric = this.#metric === undefined ? undefined : nameOf(this.#metric(root));
    if (metric === null) {
      target.reject(`the metric at \`${this.#options.metric}\` is not a name`);
      return;
    }
    const device = this.#device === undefined ? undefined : nameOf(this.#device(root));
    if (device === null) {
      target.reject(`the device at \`${this.#options.device}\` is not a name`);
      return;
    }

    if (this.#value !== undefined) {
      this.#emit(this.#value(root), text, target, undefined, time, metric, device, quality);
    } else if (this.#values !== undefined) {
      this.#emitMembers(this.#values(root), text, target, time, metric, device, quality);
    } else if (isObject(root) && !Object.hasOwn(root, 'value')) {
      this.#emitMembers(root, text, target, time, metric, device, quality);
    } else {
      const value = isObject(root) ? root['value'] : root;
      this.#emit(value, text, target, undefined, time, metric, device, quality);
    }
  }

  #emitMembers(
    object: unknown,
    text: string,
    target: DecodeTarget,
    time: EpochMs | undefined,
    metric: string | undefined,
    device: string | undefined,
    quality: Quality | undefined,
  ): void {
    if (!isObject(object) || Array.isArray(object)) {
      target.reject(`expected an object of values${at(this.#options.values)}, found ${inWords(object)}`);
      return;
    }
    const names = Object.keys(object);
    if (names.length > MAX_VALUES) {
      target.reject(tooMany(names.length));
      return;
    }
    let values = 0;
    for (const name of names) {
      if (this.#notValues.has(name)) continue;
      values++;
      const metricName = metric === undefined ? name : `${metric}_${name}`;
      this.#emit(object[name], text, target, name, time, metricName, device, quality);
    }
    if (values === 0) target.reject(`the object of values${at(this.#options.values)} has none`);
  }

  #emit(
    value: unknown,
    text: string,
    target: DecodeTarget,
    member: string | undefined,
    time: EpochMs | undefined,
    metric: string | undefined,
    device: string | undefined,
    quality: Quality | undefined,
  ): void {
    const fit =
      typeof value === 'number'
        ? value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
        : typeof value === 'boolean' || (this.#text && typeof value === 'string' && value.isWellFormed());
    if (fit || (typeof value === 'number' && this.#isLargeFraction(value, text))) {
      // −0 and 0 are one value to everybody downstream.
      target.value(value === 0 ? 0 : (value as number | boolean | string), time, metric, device, undefined, quality);
    } else {
      target.reject(whyUnfit(value, member, this.#options.value));
    }
  }

  /** True for a finite number past ±2^53 in a message where no whole number is written out that long: `1e20` loses nothing. */
  #isLargeFraction(value: number, text: string): boolean {
    if (!Number.isFinite(value)) return false;
    this.#hasLongInteger ??= LONG_INTEGER.test(text);
    return !this.#hasLongInteger;
  }

  #timeOf(raw: unknown): EpochMs | undefined {
    if (typeof raw === 'number') {
      const time = raw * MS_PER[this.#timeUnit];
      return Number.isFinite(time) ? time : undefined;
    }
    return typeof raw === 'string' ? parseIsoTime(raw) : undefined;
  }

  #badTime(raw: unknown): string {
    const unit = this.#timeUnit;
    const allowed = unit === 'iso' ? '' : `a number in ${unit}, or `;
    return `the time ${inWords(raw)} cannot be read; send ${allowed}ISO 8601 with a zone, as in 2026-01-31T12:00:00Z`;
  }
}

function compileOptional(path: string | undefined): JsonPath | undefined {
  return path === undefined ? undefined : compilePath(path);
}

function namesBeside(options: JsonOptions): ReadonlySet<string> {
  const base = pathSegments(options.values ?? '');
  const names = new Set<string>();
  for (const path of [options.time, options.metric, options.device, options.quality]) {
    if (path === undefined) continue;
    const segments = pathSegments(path);
    const name = segments[base.length];
    if (name !== undefined && base.every((segment, i) => segments[i] === segment)) names.add(name);
  }
  return names;
}

/** A name as given, a whole number as its digits; undefined where there is none, null where it is something else. */
function nameOf(raw: unknown): string | undefined | null {
  if (typeof raw === 'string' || raw === undefined) return raw;
  return Number.isSafeInteger(raw) ? String(raw) : null;
}

function qualityOf(raw: unknown): Quality | undefined {
  if (typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw <= 0xffff_ffff) {
    return qualityOfStatusCode(raw);
  }
  const name = typeof raw === 'string' ? raw.toLowerCase() : '';
  return name === 'good' || name === 'uncertain' || name === 'bad' ? Quality[name] : undefined;
}

const LONG_INTEGER = /(?:^|[[{:,\s])-?\d{16,}(?=[\s,}\]]|$)/;

function whyUnfit(value: unknown, member: string | undefined, path: string | undefined): string {
  const which = member === undefined ? `value${at(path)}` : `value ${shown(member)}`;
  if (value === undefined) return `there is no ${which}`;
  if (typeof value === 'number') {
    return Number.isFinite(value)
      ? `the ${which} is the whole number ${value}, past ±2^53: it cannot be kept exactly`
      : `the ${which} is too large for a number: at most 1.8e308`;
  }
  if (typeof value === 'string') {
    return `the ${which} is the string ${shown(value)}; send a JSON number or boolean, or set \`text: true\` to keep text`;
  }
  return `the ${which} is ${inWords(value)}; send a number or a boolean`;
}

function at(path: string | undefined): string {
  return path === undefined || path === '' || path === '.' ? '' : ` at \`${path}\``;
}

function inWords(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? shown(value) : String(value);
}
