import type { EpochMs } from '../core/clock.ts';
import { badParameter } from './problem.ts';

const NUMBER = /^-?\d{1,16}(\.\d{1,9})?$/;
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/;
// The range of ECMAScript's Date; NUMBER alone lets larger ones through.
const MAX_TIME = 8.64e15;

/**
 * The time that a query parameter gives, as epoch milliseconds or ISO 8601 (a date alone is midnight UTC; a time needs its zone).
 * Undefined when it was left out; a `ProblemError` 400 for anything else.
 */
export function parseMoment(parameter: string, text: string | undefined): EpochMs | undefined {
  if (text === undefined) return undefined;
  const time = NUMBER.test(text) ? Number(text) : ISO.test(text) ? Date.parse(text) : Number.NaN;
  if (!(Math.abs(time) <= MAX_TIME)) {
    throw badParameter(
      parameter,
      text,
      'must be epoch milliseconds or ISO 8601 with a zone, such as 2026-01-31T12:00:00Z',
    );
  }
  return time;
}

/** `from` and `to` of a query together; `from` must not lie after `to`. */
export function parseSpan(query: { from?: string; to?: string }): {
  from: EpochMs | undefined;
  to: EpochMs | undefined;
} {
  const from = parseMoment('from', query.from);
  const to = parseMoment('to', query.to);
  if (from !== undefined && to !== undefined && from > to) {
    throw badParameter('from', query.from ?? '', `must not lie after 'to' (${query.to ?? ''})`);
  }
  return { from, to };
}
