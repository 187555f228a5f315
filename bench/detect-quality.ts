import { detectorKind } from '../gateway/detect/detectors/detectors.ts';
import { ONSET_NUMBERS, onsetScore } from '../gateway/detect/learning/onset.ts';
import type { DetectData, NabProfile, NabResult, NabTable, Scorers } from './detect-data.ts';
import { scoresOf } from './detect-data.ts';

/** A series of NAB as a detector saw it. */
export interface JudgedSeries {
  readonly table: NabTable;
  readonly scores: readonly number[];
  /** What is missing to a perfect score, in windows. */
  readonly lost: number;
}

/** What a detector reaches on a data folder; what there is no data for is undefined. */
export interface Quality {
  readonly nab:
    | {
        /** With the threshold that is best for each profile. */
        readonly best: Readonly<Record<NabProfile, NabResult>>;
        /** With the detector's own threshold. */
        readonly own: NabResult;
        /** The series by what was lost of the standard profile, most first. */
        readonly worst: readonly JudgedSeries[];
      }
    | undefined;
  readonly skab: { readonly f1: number; readonly far: number; readonly mar: number } | undefined;
  /** Share of the rows of normal operation that are called anomalies. */
  readonly falseShare: number | undefined;
}

/** An onset is over so many rows after its highest score, as in the detectors that tell onsets only. */
const QUIET = 100;
/** The first rows of a SKAB recording are for learning. */
export const SKAB_LEARNING = 400;

/** Judges every table of the data and scores it by the published protocols. */
export async function detectorQuality(detector: string, data: DetectData, scorers: Scorers): Promise<Quality> {
  return {
    nab: data.nab.length === 0 ? undefined : await nabQuality(detector, data.nab, scorers),
    skab: data.skab.length === 0 ? undefined : await skabQuality(detector, data, scorers),
    falseShare: data.normal.length === 0 ? undefined : await falseShare(detector, data),
  };
}

async function nabQuality(
  detector: string,
  tables: readonly NabTable[],
  { scoreNab }: Scorers,
): Promise<Quality['nab']> {
  const judged = await Promise.all(
    tables.map(async (table) => ({ table, scores: onsetsOf(detector, (await scoresOf(table, detector)).scores) })),
  );
  const series = judged.map(({ table: { name, rows, windows }, scores }) => ({
    name,
    timestamps: rows.slice(1).map(([timestamp]) => timestamp!),
    scores,
    windows,
  }));
  const best = scoreNab(series);
  const own = scoreNab(series, { thresholds: { standard: 1, reward_low_FP_rate: 1, reward_low_FN_rate: 1 } }).standard;
  const worst = judged
    .map((one, i) => ({ ...one, lost: best.standard.perFile[i]!.windows - best.standard.perFile[i]!.raw }))
    .sort((a, b) => b.lost - a.lost);
  return { best, own, worst };
}

/** NAB counts each row of an anomaly, a person its alarm: of a detector that tells how long an anomaly lasts only the onsets are counted. */
function onsetsOf(detector: string, scores: readonly number[]): readonly number[] {
  if (detectorKind(detector).onsetOnly) return scores;
  const onset = new Float64Array(ONSET_NUMBERS);
  return scores.map((score) => onsetScore(onset, 0, score, QUIET));
}

async function skabQuality(detector: string, data: DetectData, { skabBinary }: Scorers): Promise<Quality['skab']> {
  return skabBinary(
    await Promise.all(
      data.skab.map(async (table) => ({
        name: table.name,
        label: table.labels.slice(SKAB_LEARNING),
        pred: (await scoresOf(table, detector)).anomalies.slice(SKAB_LEARNING),
      })),
    ),
  );
}

/** The share of the rows of normal operation that a detector calls anomalies. */
export async function falseShare(detector: string, data: DetectData): Promise<number> {
  const anomalies = (await Promise.all(data.normal.map((table) => scoresOf(table, detector)))).flatMap(
    (judged) => judged.anomalies,
  );
  return anomalies.reduce((sum, anomaly) => sum + anomaly, 0) / anomalies.length;
}
