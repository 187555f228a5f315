/**
 * InfluxDB line protocol, written strictly.
 *
 *     line        = measurement *( "," tagKey "=" tagValue ) " " field *( "," field ) " " time
 *     field       = fieldKey "=" ( float | "true" | "false" | DQUOTE string DQUOTE )
 *     measurement   "," and " " are escaped by "\"
 *     tagKey, tagValue, fieldKey    "," "=" and " " are escaped by "\"
 *     string        DQUOTE and "\" are escaped by "\"; a newline stands as it is
 *     time        = integer, here in milliseconds
 *
 * The protocol has no escape for "\" itself outside strings, and the server's scanners disagree about it: one skips pairs, the
 * others look one byte back, and the index of a 1.x server drops a "\" before a double quote. So a backslash before `,` `=` `"`,
 * a space or the end of a name cannot be written: it would swallow the separator, or the end of the line and with it the next
 * record, or make one name of two. Nor can a control character in a name, nor a measurement that begins with `#`, which the
 * server takes for a comment and answers 204. Such points are refused here and never sent.
 */

/** What a field can hold; numbers are finite and leave as floats. */
export type FieldValue = number | boolean | string;

/** One point: a row of a measurement. */
export interface Point {
  readonly measurement: string;
  /** Empty values are left out: the protocol has none. */
  readonly tags: Readonly<Record<string, string>>;
  /** At least one. Numbers are written as floats, so that the type of a field never depends on its value. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Milliseconds since 1970; rounded down to a whole one. */
  readonly time: number;
}

/** Why a point cannot be written: a sentence with the offending value. */
export class Unwritable {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** First and last time that InfluxDB can hold, in milliseconds: a signed 64-bit count of nanoseconds. */
export const MAX_TIME_MS = 9_223_372_036_854;

/** The line of a point, without a newline at its end; or why there is none. Never throws. */
export function encodePoint(point: Point): string | Unwritable {
  const { measurement, tags, fields, time } = point;
  const unfit = unfitMeasurement(measurement) ?? unfitTags(tags) ?? unfitFields(fields) ?? unfitTime(time);
  if (unfit !== undefined) return new Unwritable(unfit);

  let line = measurement.replace(/[, ]/g, '\\$&');
  for (const key of Object.keys(tags).sort()) {
    const value = tags[key]!;
    if (value !== '') line += `,${escapeKey(key)}=${escapeKey(value)}`;
  }
  let separator = ' ';
  for (const key of Object.keys(fields)) {
    line += `${separator}${escapeKey(key)}=${encodeValue(fields[key]!)}`;
    separator = ',';
  }
  return `${line} ${Math.floor(time)}`;
}

/** Printable ASCII but for `, = " \` and space: names like these, nearly all, need neither a closer look nor an escape. */
const PLAIN = /^[!#-+\--<>-[\]-~]+$/;

function escapeKey(name: string): string {
  return /[,= ]/.test(name) ? name.replace(/[,= ]/g, '\\$&') : name;
}

function encodeValue(value: FieldValue): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  // Minus zero would be kept by some versions and not by others.
  return value === 0 ? '0' : String(value);
}

function unfitMeasurement(name: string): string | undefined {
  if (name.startsWith('#')) return `measurement ${quote(name)} begins with #, which InfluxDB takes for a comment`;
  return unfitName('measurement', name);
}

function unfitTags(tags: Readonly<Record<string, string>>): string | undefined {
  for (const key of Object.keys(tags)) {
    const value = tags[key]!;
    const unfit = unfitName('tag name', key) ?? (value === '' ? undefined : unfitName(`tag ${quote(key)}`, value));
    if (unfit !== undefined) return unfit;
  }
  return undefined;
}

function unfitFields(fields: Readonly<Record<string, FieldValue>>): string | undefined {
  const keys = Object.keys(fields);
  if (keys.length === 0) return 'the point has no fields';
  for (const key of keys) {
    const value = fields[key]!;
    const unfit = unfitName('field name', key);
    if (unfit !== undefined) return unfit;
    if (typeof value === 'number' && !Number.isFinite(value))
      return `field ${quote(key)} is ${value}; it must be finite`;
    if (typeof value === 'string' && !value.isWellFormed()) return `field ${quote(key)} is not valid Unicode`;
  }
  return undefined;
}

function unfitTime(time: number): string | undefined {
  if (Math.abs(time) < MAX_TIME_MS) return undefined;
  return `time ${time} ms is outside what InfluxDB can hold, ±${MAX_TIME_MS} ms`;
}

function unfitName(what: string, name: string): string | undefined {
  if (PLAIN.test(name)) return undefined;
  if (name === '') return `the ${what} is empty`;
  if (/\p{Cc}/u.test(name)) return `${what} ${quote(name)} has a control character; line protocol cannot hold it`;
  if (/\\(?:[,= "]|$)/.test(name)) {
    return `${what} ${quote(name)} has a backslash before one of , = " or a space, or at its end; line protocol cannot hold it`;
  }
  return name.isWellFormed() ? undefined : `${what} ${quote(name)} is not valid Unicode`;
}

function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
