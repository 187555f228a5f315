import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { scoreTable } from '../../../../gateway/detect/detect-table.ts';

/** Where the labelled series and the scorer lie, beside the repository: they are read in place and not part of it. */
export const shared = fileURLToPath(new URL('../../../../../shared/anomaly/', import.meta.url));

/** Whether the labelled series are there; where not, the tests that need them are skipped and say so. */
export const labelledSeriesPresent =
  existsSync(`${shared}data/nab/windows.json`) && existsSync(`${shared}scorer/nab.mjs`);
if (!labelledSeriesPresent) {
  process.stderr.write('skipped: the labelled anomaly data is not beside the repository\n');
}

/** The profiles of the Numenta Anomaly Benchmark. */
export const NAB_PROFILES = ['standard', 'reward_low_FP_rate', 'reward_low_FN_rate'] as const;

/** Maps a value of a series and its time to those of a copy. */
export type Distortion = (value: number, time: number) => readonly [value: number, time: number];

type Profile = (typeof NAB_PROFILES)[number];
interface ScoredSeries {
  name: string;
  timestamps: string[];
  scores: number[];
  windows: [string, string][];
}
type Result = Record<Profile, { score: number; threshold: number; detected: number; windows: number; fpRows: number }>;
type ScoreNab = (series: ScoredSeries[], options?: { thresholds?: Record<Profile, number> }) => Result;

/** Scores a detector by NAB's protocol: with the threshold that is best for each profile, and with its own, 1. */
export async function nabResults(detector: string, distort?: Distortion): Promise<{ best: Result; own: Result }> {
  const windows = JSON.parse(readFileSync(`${shared}data/nab/windows.json`, 'utf8')) as Record<
    string,
    [string, string][]
  >;
  const series = await Promise.all(
    Object.entries(windows).map(async ([name, labelled]): Promise<ScoredSeries> => {
      const original = table(`${shared}data/nab/${name}`);
      const rows = distort === undefined ? original : distorted(original, distort);
      const scored = await Array.fromAsync(scoreTable(rows, { detector }));
      return {
        name,
        timestamps: original.slice(1).map((row) => row[0]!),
        scores: scored.map((row) => row.score),
        windows: labelled,
      };
    }),
  );
  const { scoreNab } = (await import(pathToFileURL(`${shared}scorer/nab.mjs`).href)) as { scoreNab: ScoreNab };
  const thresholds = { standard: 1, reward_low_FP_rate: 1, reward_low_FN_rate: 1 };
  return { best: scoreNab(series), own: scoreNab(series, { thresholds }) };
}

/** Prints what a detector reached in each profile. */
export function printNabResults(title: string, { best, own }: { best: Result; own: Result }): void {
  for (const profile of NAB_PROFILES) {
    const { score, threshold, detected, windows, fpRows } = best[profile];
    const found = `${detected} of ${windows} windows, ${fpRows} false rows`;
    const at1 = `${own[profile].score.toFixed(1)} at 1`;
    process.stdout.write(
      `${title} NAB ${profile}: ${score.toFixed(1)} at ${threshold.toFixed(2)} (${found}), ${at1}\n`,
    );
  }
}

/** The share of readings of normal operation, each sensor judged by itself, that a detector calls anomalies. */
export async function falseShare(detector: string): Promise<number> {
  let anomalies = 0;
  let readings = 0;
  for (const file of readdirSync(`${shared}data/skab-normal`)) {
    const rows = table(`${shared}data/skab-normal/${file}`);
    for (let column = 1; column < rows[0]!.length; column++) {
      const single = rows.map((row) => [row[0]!, row[column]!]);
      for await (const row of scoreTable(single, { detector })) {
        anomalies += row.anomaly;
        readings++;
      }
    }
  }
  process.stdout.write(`${detector} in normal operation: ${anomalies} anomalies in ${readings} readings\n`);
  return anomalies / readings;
}

/** The rows of a CSV without quotes, its head first. */
export function table(path: string): string[][] {
  const lines = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  return lines.map((line) => line.split(','));
}

function distorted(rows: readonly string[][], distort: Distortion): string[][] {
  return rows.map(([timestamp, cell], row) => {
    if (row === 0) return [timestamp!, cell!];
    const [value, time] = distort(Number(cell), Date.parse(`${timestamp!.replace(' ', 'T')}Z`));
    return [new Date(time).toISOString(), String(value)];
  });
}
