import { existsSync, readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { scoreTable } from '../../../../gateway/detect/detect-table.ts';
import { shared, table } from '../detectors/labelled-series.ts';

/** Whether the labelled recordings of several sensors are there; where not, the tests that need them are skipped and say so. */
export const labelledRecordingsPresent =
  existsSync(`${shared}data/skab/labels`) && existsSync(`${shared}scorer/skab.mjs`);
if (!labelledRecordingsPresent) {
  process.stderr.write('skipped: the labelled recordings (SKAB) are not beside the repository\n');
}

/** By SKAB's protocol the first rows of a recording are for learning, and never scored. */
const LEARNING_ROWS = 400;

/** What SKAB's protocol gives: F1, and shares of the normal rows called anomalies and of the anomalous ones missed, in percent. */
export interface SkabResult {
  readonly f1: number;
  readonly far: number;
  readonly mar: number;
}
type SkabBinary = (
  files: readonly { readonly name: string; readonly label: readonly number[]; readonly pred: readonly number[] }[],
) => SkabResult;

/** What a recording is changed into before it is judged. */
export interface RecordingChange {
  /** Its first rows are missing; the rows that are scored are the same all the same. @default 0 */
  readonly startsLater?: number;
  /** @default the value itself */
  readonly map?: (value: number, column: number) => number;
}

/** Judges every recording jointly, and scores it by SKAB's protocol. */
export async function skabResult(
  detector: string,
  { startsLater = 0, map }: RecordingChange = {},
): Promise<SkabResult> {
  const { skabBinary } = (await import(pathToFileURL(`${shared}scorer/skab.mjs`).href)) as { skabBinary: SkabBinary };
  const files = readdirSync(`${shared}data/skab/labels`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.csv'))
    .sort();
  const judged = files.map(async (name) => {
    const [head, ...rows] = table(`${shared}data/skab/${name}`);
    const label = table(`${shared}data/skab/labels/${name}`)
      .slice(1)
      .map(([, anomaly]) => Number(anomaly));
    const changed = rows
      .slice(startsLater)
      .map(([time, ...cells]) => [time!, ...cells.map((cell, column) => String(map?.(Number(cell), column) ?? cell))]);
    const scored = await Array.fromAsync(scoreTable([head!, ...changed], { detector }));
    const pred = scored.slice(LEARNING_ROWS - startsLater).map(({ anomaly }) => anomaly);
    return { name, label: label.slice(LEARNING_ROWS), pred };
  });
  return skabBinary(await Promise.all(judged));
}

/** The share of the rows of normal operation, judged jointly, that are called anomalies. */
export async function falseRows(detector: string): Promise<number> {
  let anomalies = 0;
  let rows = 0;
  for (const file of readdirSync(`${shared}data/skab-normal`)) {
    for await (const { anomaly } of scoreTable(table(`${shared}data/skab-normal/${file}`), { detector })) {
      anomalies += anomaly;
      rows++;
    }
  }
  return anomalies / rows;
}
