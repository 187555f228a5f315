import type { Influxd } from './influxd.ts';
import { type ReferenceWindow, type ReferenceWindows, referenceWindows } from './reference-windows.ts';

/** A recording, the device it is played as, and the window in which it is compared. */
export interface Recording {
  readonly file: string;
  readonly device: string;
  readonly window: string;
  readonly sizeMs: number;
  readonly expected: ReferenceWindows;
  /** Values in all windows. */
  readonly values: number;
}

/** Computes what is expected of a recording. */
export function recordingOf(what: Pick<Recording, 'file' | 'device' | 'window' | 'sizeMs'>): Recording {
  const expected = referenceWindows(what.file, what.sizeMs);
  let values = 0;
  for (const windows of expected.values()) for (const { count } of windows.values()) values += count;
  return { ...what, expected, values };
}

/** What InfluxDB holds against what it should hold; a line for each deviation, at most twenty of each kind. */
export interface Differences {
  readonly device: string;
  readonly compared: number;
  readonly different: readonly string[];
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

const MOST = 20;
/** Sums of up to a few thousand values in another order may differ in the last digits. */
const RELATIVE_ERROR = 1e-9;
/** The stated relative error of quantiles. */
const QUANTILE_ERROR = 0.0101;
/** The quantile of each field that is one. */
const QUANTILES: Readonly<Record<string, number>> = { median: 0.5, p95: 0.95 };

/** Compares every window of a recording, number by number. */
export async function differences(influxd: Influxd, database: string, recording: Recording): Promise<Differences> {
  const { device, window } = recording;
  const different: string[] = [];
  const missing: string[] = [];
  const extra: string[] = [];
  let compared = 0;
  for (const [metric, windows] of recording.expected) {
    const where = `"device" = '${device}' AND "window" = '${window}'`;
    const rows = await influxd.rows(database, `SELECT * FROM "${metric}" WHERE ${where}`);
    const stored = new Map(rows.map((row) => [Number(row['time']), row]));
    for (const [start, expected] of windows) {
      const row = stored.get(start);
      stored.delete(start);
      const name = `${device}/${metric} ${new Date(start).toISOString()}`;
      if (row === undefined) missing.push(name);
      else different.push(...deviations(name, row, expected));
      compared++;
    }
    for (const start of stored.keys()) extra.push(`${device}/${metric} ${new Date(start).toISOString()}`);
  }
  return {
    device,
    compared,
    different: different.slice(0, MOST),
    missing: missing.slice(0, MOST),
    extra: extra.slice(0, MOST),
  };
}

function deviations(name: string, row: Readonly<Record<string, unknown>>, expected: ReferenceWindow): string[] {
  const found: string[] = [];
  const check = (field: string, wanted: number, isRight: (stored: number) => boolean) => {
    const stored = row[field];
    if (typeof stored !== 'number' || !isRight(stored))
      found.push(`${name} ${field}: ${String(stored)}, not ${wanted}`);
  };
  for (const field of ['count', 'min', 'max', 'first', 'last'] as const) {
    check(field, expected[field], (stored) => stored === expected[field]);
  }
  const scale = Math.max(Math.abs(expected.min), Math.abs(expected.max));
  for (const field of ['mean', 'stddev'] as const) {
    check(field, expected[field], (stored) => Math.abs(stored - expected[field]) <= RELATIVE_ERROR * scale);
  }
  for (const [field, quantile] of Object.entries(QUANTILES)) {
    const [low, high] = ranksAround(expected.sorted, quantile);
    check(
      field,
      low,
      (stored) => stored >= low - QUANTILE_ERROR * Math.abs(low) && stored <= high + QUANTILE_ERROR * Math.abs(high),
    );
  }
  check('good', 1, (stored) => stored === 1);
  return found;
}

/** The values on both sides of a quantile: every definition of it lies between them. */
function ranksAround(sorted: readonly number[], quantile: number): readonly [number, number] {
  const rank = quantile * (sorted.length - 1);
  return [sorted[Math.max(0, Math.floor(rank) - 1)]!, sorted[Math.min(sorted.length - 1, Math.ceil(rank) + 1)]!];
}
