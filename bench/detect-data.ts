import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scoreTable } from '../gateway/detect/detect-table.ts';

/** A table of a data folder: its head and its rows, and what is known of them. */
export interface LabelledTable {
  readonly name: string;
  readonly rows: readonly (readonly string[])[];
}

/** A series of the Numenta Anomaly Benchmark, with its labelled windows by their timestamps. */
export interface NabTable extends LabelledTable {
  readonly windows: readonly (readonly [from: string, to: string])[];
}

/** A recording of the SKAB testbed; for each row whether it is an anomaly, and whether something changes there: 0 or 1. */
export interface SkabTable extends LabelledTable {
  readonly labels: readonly number[];
  readonly changes: readonly number[];
}

/** What there is in a data folder; what is not there is left out. */
export interface DetectData {
  readonly nab: readonly NabTable[];
  readonly skab: readonly SkabTable[];
  /** Normal operation only. */
  readonly normal: readonly LabelledTable[];
}

/** What NAB's protocol gives for one profile. */
export interface NabResult {
  readonly score: number;
  readonly threshold: number;
  readonly windows: number;
  readonly detected: number;
  readonly fpRows: number;
  readonly perFile: readonly { readonly name: string; readonly raw: number; readonly windows: number }[];
}

/** The profiles of NAB. */
export type NabProfile = 'standard' | 'reward_low_FP_rate' | 'reward_low_FN_rate';

/** The scorers that the data came with. */
export interface Scorers {
  readonly scoreNab: (
    series: readonly {
      readonly name: string;
      readonly timestamps: readonly string[];
      readonly scores: readonly number[];
      readonly windows: NabTable['windows'];
    }[],
    options?: { readonly thresholds?: Readonly<Record<NabProfile, number>> },
  ) => Readonly<Record<NabProfile, NabResult>>;
  readonly skabBinary: (
    files: readonly { readonly name: string; readonly label: readonly number[]; readonly pred: readonly number[] }[],
  ) => SkabResult & { readonly perFile: readonly (SkabResult & { readonly name: string })[] };
  readonly cpFromOutlier: (pred: readonly number[]) => ArrayLike<number>;
  readonly skabChangepoint: (
    files: readonly {
      readonly name: string;
      readonly time: readonly number[];
      readonly cpLabel: readonly number[];
      readonly cp: ArrayLike<number>;
    }[],
  ) => Readonly<Record<'standard' | 'LowFP' | 'LowFN', number>>;
}

/** What SKAB's protocol gives for anomalous rows: F1, and the shares of false and of missed rows in percent. */
export interface SkabResult {
  readonly f1: number;
  readonly far: number;
  readonly mar: number;
}

/** Reads a folder laid out as `nab/<category>/<file>.csv` with `nab/windows.json`, `skab/` with `skab/labels/`, `skab-normal/`. */
export function readDetectData(folder: string): DetectData {
  const nab = join(folder, 'nab');
  const skab = join(folder, 'skab');
  const windows = existsSync(join(nab, 'windows.json'))
    ? (JSON.parse(readFileSync(join(nab, 'windows.json'), 'utf8')) as Record<string, NabTable['windows']>)
    : {};
  return {
    nab: Object.entries(windows).map(([name, labelled]) => ({ ...readTable(nab, name), windows: labelled })),
    skab: tablesIn(join(skab, 'labels')).map((name) => {
      const labels = readTable(join(skab, 'labels'), name).rows.slice(1);
      return {
        ...readTable(skab, name),
        labels: labels.map(([, anomaly]) => Number(anomaly)),
        changes: labels.map(([, , change]) => Number(change)),
      };
    }),
    normal: tablesIn(join(folder, 'skab-normal')).map((name) => readTable(join(folder, 'skab-normal'), name)),
  };
}

/** The scorers beside the data, or in `folder` where one is named. */
export async function loadScorers(data: string, folder: string | undefined): Promise<Scorers> {
  const places = [folder, join(data, '..', 'scorer'), join(import.meta.dirname, '../../shared/anomaly/scorer')];
  const found = places.find((place) => place !== undefined && existsSync(join(place, 'nab.mjs')));
  if (found === undefined) throw new Error(`There is no scorer beside ${data}: name its folder with --scorer`);
  const load = (file: string) => import(pathToFileURL(resolve(found, file)).href);
  return { ...(await load('nab.mjs')), ...(await load('skab.mjs')) } as Scorers;
}

/** The score of each row of a table, and whether it is an anomaly. */
export async function scoresOf(
  table: LabelledTable,
  detector: string,
): Promise<{ scores: number[]; anomalies: number[] }> {
  const rows = await Array.fromAsync(scoreTable(table.rows, { detector }));
  return { scores: rows.map(({ score }) => score), anomalies: rows.map(({ anomaly }) => anomaly) };
}

function readTable(folder: string, name: string): LabelledTable {
  const lines = readFileSync(join(folder, name), 'utf8').trim().split(/\r?\n/);
  return { name, rows: lines.map((line) => line.split(',')) };
}

function tablesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.csv'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
