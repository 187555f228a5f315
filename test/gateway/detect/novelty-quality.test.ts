import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { scoreTable } from '../../../gateway/detect/detect-table.ts';

/** The labelled series and the scorer lie beside the repository; they are read in place and not part of it. */
const shared = fileURLToPath(new URL('../../../../shared/anomaly/', import.meta.url));
const present = existsSync(`${shared}data/nab/windows.json`) && existsSync(`${shared}scorer/nab.mjs`);
if (!present) process.stderr.write('skipped: the labelled anomaly data is not beside the repository\n');

interface ScoredSeries {
  name: string;
  timestamps: string[];
  scores: number[];
  windows: [string, string][];
}

type Profile = 'standard' | 'reward_low_FP_rate' | 'reward_low_FN_rate';
type Result = Record<Profile, { score: number; threshold: number; detected: number; windows: number; fpRows: number }>;
type ScoreNab = (series: ScoredSeries[], options?: { thresholds?: Record<Profile, number> }) => Result;

function table(path: string): string[][] {
  const lines = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  return lines.map((line) => line.split(','));
}

describe.skipIf(!present)('novelty on labelled series, one configuration for all', () => {
  test('reaches the NAB score it was chosen for, at the best threshold and at its own', async () => {
    const windows = JSON.parse(readFileSync(`${shared}data/nab/windows.json`, 'utf8')) as Record<
      string,
      [string, string][]
    >;
    const series = await Promise.all(
      Object.entries(windows).map(async ([name, labelled]): Promise<ScoredSeries> => {
        const rows = await Array.fromAsync(scoreTable(table(`${shared}data/nab/${name}`), { detector: 'novelty' }));
        return {
          name,
          timestamps: rows.map((row) => row.timestamp),
          scores: rows.map((row) => row.score),
          windows: labelled,
        };
      }),
    );
    const { scoreNab } = (await import(pathToFileURL(`${shared}scorer/nab.mjs`).href)) as { scoreNab: ScoreNab };
    const best = scoreNab(series);
    const own = scoreNab(series, { thresholds: { standard: 1, reward_low_FP_rate: 1, reward_low_FN_rate: 1 } });
    for (const profile of ['standard', 'reward_low_FP_rate', 'reward_low_FN_rate'] as const) {
      const { score, threshold, detected, windows: labelled, fpRows } = best[profile];
      const found = `${detected} of ${labelled} windows, ${fpRows} false rows`;
      process.stdout.write(
        `novelty NAB ${profile}: ${score.toFixed(1)} at ${threshold.toFixed(2)} (${found}), ${own[profile].score.toFixed(1)} at 1\n`,
      );
    }
    expect(best.standard.score).toBeGreaterThan(62);
    expect(best.reward_low_FP_rate.score).toBeGreaterThan(57);
    expect(best.reward_low_FN_rate.score).toBeGreaterThan(68);
    expect(own.standard.score).toBeGreaterThan(60);
  });

  test('calls at most one reading in a thousand an anomaly in normal operation', async () => {
    let anomalies = 0;
    let readings = 0;
    for (const file of readdirSync(`${shared}data/skab-normal`)) {
      const rows = table(`${shared}data/skab-normal/${file}`);
      for (let column = 1; column < rows[0]!.length; column++) {
        const single = rows.map((row) => [row[0]!, row[column]!]);
        for await (const row of scoreTable(single, { detector: 'novelty' })) {
          anomalies += row.anomaly;
          readings++;
        }
      }
    }
    process.stdout.write(`novelty in normal operation: ${anomalies} anomalies in ${readings} readings\n`);
    expect(anomalies / readings).toBeLessThan(0.001);
  });
});
