import { parseTime } from '../../base/parse-time.ts';
import type { EpochMs } from '../../core/clock.ts';

const ZERO = 48;
const MINUS = 45;
const POINT = 46;
const COLON = 58;
const MS_PER_DAY = 86_400_000;
/** By month from 1 on; of a February only those that every one has. */
const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** So many digits always fit a double exactly. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** The number that ASCII text says, as `Number` reads it; NaN where it is none. Makes no string of plain decimals, which most are. */
export function numberIn(bytes: Buffer, from: number, to: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from;
  let mantissa = 0;
  let digits = 0;
  let pointAt = to;
  for (; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
    } else if (digit === POINT - ZERO && pointAt === to) pointAt = at;
    else return Number(bytes.toString('latin1', from, to));
  }
  if (digits === 0 || digits > EXACT_DIGITS) return Number(bytes.toString('latin1', from, to));
  // Both are exact, so their quotient is the nearest double (W. D. Clinger, "How to read floating point numbers accurately", 1990).
  const value = pointAt === to ? mantissa : mantissa / POWERS_OF_TEN[to - pointAt - 1]!;
  return bytes[from] === MINUS ? -value : value;
}

/** The time that text says, as `parseTime` reads it. Makes no string of `2026-11-23 08:15:00`, with a `T` or a `Z` or without, nor of plain milliseconds. */
export function timeIn(bytes: Buffer, from: number, to: number): EpochMs | undefined {
  const length = to - from;
  const last = bytes[to - 1];
  if (length === 19 || (length === 20 && (last === 90 || last === 122))) {
    const time = calendarTime(bytes, from);
    if (!Number.isNaN(time)) return time;
  } else if (length > 0 && length <= EXACT_DIGITS) {
    const time = wholeNumber(bytes, from, length);
    if (!Number.isNaN(time)) return time;
  }
  return parseTime(bytes.toString('utf8', from, to));
}

/** NaN where it is not written just so, or on a 29 February, which not every year has. */
function calendarTime(bytes: Buffer, at: number): number {
  const between = bytes[at + 10];
  const isWritten =
    bytes[at + 4] === MINUS &&
    bytes[at + 7] === MINUS &&
    (between === 32 || between === 84 || between === 116) &&
    bytes[at + 13] === COLON &&
    bytes[at + 16] === COLON;
  const year = wholeNumber(bytes, at, 4);
  const month = wholeNumber(bytes, at + 5, 2);
  const day = wholeNumber(bytes, at + 8, 2);
  const hour = wholeNumber(bytes, at + 11, 2);
  const minute = wholeNumber(bytes, at + 14, 2);
  const second = wholeNumber(bytes, at + 17, 2);
  const isPlain =
    month >= 1 && month <= 12 && day >= 1 && day <= DAYS[month]! && hour <= 23 && minute <= 59 && second <= 59;
  if (!isWritten || !isPlain) return Number.NaN;
  return daysSince1970(year, month, day) * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** NaN where there is anything but digits. */
function wholeNumber(bytes: Buffer, from: number, length: number): number {
  let value = 0;
  for (let at = from; at < from + length; at++) {
    const digit = bytes[at]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** In the Gregorian calendar, also before it was made (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil). */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}
