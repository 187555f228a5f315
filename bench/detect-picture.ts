import type { JudgedSeries } from './detect-quality.ts';

const WIDTH = 1400;
const HEIGHT = 260;
const SCORES = 60;
const MARGIN = 20;

/**
 * A series as SVG: its values, the labelled windows behind them, below it its scores with the threshold, and a mark for each row that counts
 * as detected: green in a window, red outside of any.
 */
export function seriesPicture({ table, scores, lost }: JudgedSeries, threshold: number): string {
  const rows = table.rows.slice(1);
  const values = rows.map((row) => Number(row[1]));
  const x = (row: number) => MARGIN + (row / Math.max(1, rows.length - 1)) * (WIDTH - 2 * MARGIN);
  const rowOf = new Map(rows.map(([timestamp], row) => [timestamp, row]));
  const windows = table.windows.map(([from, to]) => [rowOf.get(from) ?? 0, rowOf.get(to) ?? 0] as const);
  const bottom = HEIGHT + SCORES;
  const highest = Math.max(threshold, ...scores);
  const shades = windows.map(
    ([from, to]) =>
      `<rect x="${round(x(from))}" y="0" width="${round(x(to) - x(from))}" height="${bottom}" fill="#ffd54f" opacity="0.45"/>`,
  );
  const marks = scores.flatMap((score, row) => {
    if (score < threshold) return [];
    const hit = windows.some(([from, to]) => row >= from && row <= to);
    return [`<circle cx="${round(x(row))}" cy="8" r="4" fill="${hit ? '#2e7d32' : '#c62828'}"/>`];
  });
  const bars = scores.flatMap((score, row) => {
    if (score <= 0) return [];
    const height = (score / highest) * (SCORES - 10);
    return [`<path d="M${round(x(row))} ${bottom}v${round(-height)}" stroke="#6a1b9a"/>`];
  });
  const level = round(bottom - (threshold / highest) * (SCORES - 10));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${bottom + 24}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...shades,
    `<path d="${line(values, x)}" fill="none" stroke="#1565c0"/>`,
    ...bars,
    `<path d="M0 ${level}H${WIDTH}" stroke="#c62828" stroke-dasharray="4"/>`,
    ...marks,
    `<text x="${MARGIN}" y="${bottom + 16}">${table.name}: ${windows.length} windows, ${lost.toFixed(2)} of them lost</text>`,
    '</svg>\n',
  ].join('\n');
}

function line(values: readonly number[], x: (row: number) => number): string {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  const y = (value: number) => MARGIN + (1 - (value - lowest) / (highest - lowest || 1)) * (HEIGHT - 2 * MARGIN);
  return values.map((value, row) => `${row === 0 ? 'M' : 'L'}${round(x(row))} ${round(y(value))}`).join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
