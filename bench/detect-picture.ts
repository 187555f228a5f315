import type { JudgedRecording } from './detect-joint.ts';
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

/** What a recording shows for each of its channels, in pixels. */
const LANE = 70;

/**
 * A recording of several channels as SVG, one below the other: the labelled rows behind them, below them the scores up to three times the
 * threshold, and marks for the rows called anomalies: green where they are, red where not.
 */
export function recordingPicture({ table, scores, anomalies, result }: JudgedRecording): string {
  const [head, ...rows] = table.rows;
  const names = head!.slice(1);
  const x = (row: number) => MARGIN + (row / Math.max(1, rows.length - 1)) * (WIDTH - 2 * MARGIN);
  const bottom = names.length * LANE + SCORES;
  const rects = (flags: readonly number[], y: number, height: number, fill: (row: number) => string) =>
    flags.flatMap((flag, row) =>
      flag === 0 ? [] : [`<rect x="${round(x(row))}" y="${y}" width="1.5" height="${height}" fill="${fill(row)}"/>`],
    );
  const lanes = names.map((name, channel) => {
    const values = rows.map((row) => Number(row[channel + 1]));
    const lane = `<path d="${line(values, x, LANE, 4)}" fill="none" stroke="#1565c0"/>`;
    return `<g transform="translate(0 ${channel * LANE})">${lane}<text x="2" y="12">${name}</text></g>`;
  });
  const bars = scores.map((score, row) => {
    const height = (Math.min(score, 3) / 3) * (SCORES - 10);
    return `<path d="M${round(x(row))} ${bottom}v${round(-height)}" stroke="#6a1b9a"/>`;
  });
  const { f1, far, mar } = result;
  const words = `F1 ${f1.toFixed(2)}, false ${far.toFixed(1)} %, missed ${mar.toFixed(1)} %`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${bottom + 24}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...rects(table.labels, 0, bottom, () => '#fff1c1'),
    ...lanes,
    ...bars,
    ...rects(anomalies, bottom - SCORES, 6, (row) => (table.labels[row] === 1 ? '#2e7d32' : '#c62828')),
    `<text x="${MARGIN}" y="${bottom + 16}">${table.name}: ${words}</text>`,
    '</svg>\n',
  ].join('\n');
}

function line(
  values: readonly number[],
  x: (row: number) => number,
  height: number = HEIGHT,
  margin: number = MARGIN,
): string {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  const y = (value: number) => margin + (1 - (value - lowest) / (highest - lowest || 1)) * (height - 2 * margin);
  return values.map((value, row) => `${row === 0 ? 'M' : 'L'}${round(x(row))} ${round(y(value))}`).join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
