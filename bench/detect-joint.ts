import { type DetectData, type Scorers, type SkabResult, type SkabTable, scoresOf } from './detect-data.ts';
import { falseShare, SKAB_LEARNING } from './detect-quality.ts';

/** A recording of several channels as a detector saw it. */
export interface JudgedRecording {
  readonly table: SkabTable;
  readonly scores: readonly number[];
  readonly anomalies: readonly number[];
  readonly result: SkabResult;
}

/** What a detector of several series reaches on the recordings of a data folder. */
export interface JointQuality {
  readonly rows: SkabResult;
  /** By the same protocol, a switch of the judgement as a change: its NAB score by profile. */
  readonly changes: Readonly<Record<'standard' | 'LowFP' | 'LowFN', number>>;
  /** Mean over recordings whose first rows are missing. */
  readonly later: SkabResult;
  /** Share of the rows of normal operation that are called anomalies. */
  readonly falseShare: number | undefined;
  /** By F1, the worst first. */
  readonly worst: readonly JudgedRecording[];
}

/** So many of the first rows are missing: the same rows are scored. */
const LATER_STARTS = [40, 80, 120, 160, 200];

/** Judges the recordings and scores them by SKAB's protocol. */
export async function jointQuality(detector: string, data: DetectData, scorers: Scorers): Promise<JointQuality> {
  const judged = await judgedFrom(0, detector, data.skab);
  const rows = rowsOf(judged, 0, scorers);
  const later = await Promise.all(
    LATER_STARTS.map(async (start) => rowsOf(await judgedFrom(start, detector, data.skab), start, scorers)),
  );
  const mean = (of: (result: SkabResult) => number) => later.reduce((sum, one) => sum + of(one), 0) / later.length;
  const worst = judged
    .map((one, i) => ({ ...one, result: rows.perFile[i]! }))
    .sort((one, other) => one.result.f1 - other.result.f1);
  return {
    rows,
    changes: scorers.skabChangepoint(judged.map((one) => changesOf(one, scorers))),
    later: { f1: mean(({ f1 }) => f1), far: mean(({ far }) => far), mar: mean(({ mar }) => mar) },
    falseShare: data.normal.length === 0 ? undefined : await falseShare(detector, data),
    worst,
  };
}

type Judged = Omit<JudgedRecording, 'result'>;

function judgedFrom(start: number, detector: string, tables: readonly SkabTable[]): Promise<Judged[]> {
  return Promise.all(
    tables.map(async (table) => {
      const [head, ...rows] = table.rows;
      return { table, ...(await scoresOf({ name: table.name, rows: [head!, ...rows.slice(start)] }, detector)) };
    }),
  );
}

function rowsOf(judged: readonly Judged[], start: number, { skabBinary }: Scorers): ReturnType<Scorers['skabBinary']> {
  return skabBinary(
    judged.map(({ table: { name, labels }, anomalies }) => ({
      name,
      label: labels.slice(SKAB_LEARNING),
      pred: anomalies.slice(SKAB_LEARNING - start),
    })),
  );
}

function changesOf({ table, anomalies }: Judged, { cpFromOutlier }: Scorers) {
  return {
    name: table.name,
    time: table.rows.slice(1 + SKAB_LEARNING).map(([timestamp]) => Date.parse(`${timestamp!.replace(' ', 'T')}Z`)),
    cpLabel: table.changes.slice(SKAB_LEARNING),
    cp: cpFromOutlier(anomalies.slice(SKAB_LEARNING)),
  };
}
