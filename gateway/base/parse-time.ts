import type { EpochMs } from '../core/clock.ts';

const NUMBER = /^-?\d+(\.\d+)?$/;
const CALENDAR = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?\s*(Z|[+-]\d{2}:\d{2})?$/i;

/**
 * Reads a time as files write it: `2026-11-23T08:15:00.25Z`, with `T` or a space, with a zone or none (then it is UTC), with seconds or
 * none, or the date alone; or a plain number of milliseconds since 1970. Undefined for anything else.
 */
export function parseTime(text: string): EpochMs | undefined {
  const trimmed = text.trim();
  if (NUMBER.test(trimmed)) return finite(Number(trimmed));
  const parts = CALENDAR.exec(trimmed);
  if (parts === null) return undefined;
  return finite(Date.parse(`${parts[1]}T${parts[2] ?? '00:00'}${(parts[3] ?? 'Z').toUpperCase()}`));
}

function finite(time: number): EpochMs | undefined {
  return Number.isFinite(time) ? time : undefined;
}
