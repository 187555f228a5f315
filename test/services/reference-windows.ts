import { readFileSync } from 'node:fs';

/** What a window must hold, computed in the plainest way from all its values at once. */
export interface ReferenceWindow {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly stddev: number;
  readonly first: number;
  readonly last: number;
  /** Every value in order of size, for judging quantiles by rank. */
  readonly sorted: readonly number[];
}

/** Windows by column and then by their start in milliseconds. */
export type ReferenceWindows = Map<string, Map<number, ReferenceWindow>>;

/**
 * The expected windows of a CSV file (first column: a UTC time without a zone; the others: numbers), independent of the gateway: another
 * parser, another arithmetic, everything kept and sorted. A row that repeats time and value of a column counts once.
 */
export function referenceWindows(file: string, sizeMs: number): ReferenceWindows {
  const [header, ...lines] = readFileSync(file, 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  const windows: ReferenceWindows = new Map();
  for (const [column, name] of header!.entries()) {
    if (column === 0) continue;
    const seen = new Set<string>();
    const grouped = new Map<number, { time: number; value: number }[]>();
    for (const line of lines) {
      const time = utc(line[0]!);
      const value = Number(line[column]!);
      if (seen.has(`${time} ${value}`)) continue;
      seen.add(`${time} ${value}`);
      const start = time - (time % sizeMs);
      if (!grouped.has(start)) grouped.set(start, []);
      grouped.get(start)!.push({ time, value });
    }
    windows.set(name, new Map([...grouped].map(([start, readings]) => [start, summarise(readings)])));
  }
  return windows;
}

function utc(text: string): number {
  const [year, month, day, hour, minute, second] = text.split(/[- :T]/).map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute, second);
}

function summarise(readings: { time: number; value: number }[]): ReferenceWindow {
  const byTime = [...readings].sort((a, b) => a.time - b.time);
  const values = byTime.map(({ value }) => value);
  const sorted = [...values].sort((a, b) => a - b);
  const mean = sum(values) / values.length;
  const squares = values.map((value) => (value - mean) ** 2);
  return {
    count: values.length,
    mean,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    stddev: values.length > 1 ? Math.sqrt(sum(squares) / (values.length - 1)) : 0,
    first: values[0]!,
    last: values.at(-1)!,
    sorted,
  };
}

/** Adds from small to large, so that little is lost to rounding. */
function sum(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => Math.abs(a) - Math.abs(b)).reduce((total, number) => total + number, 0);
}
