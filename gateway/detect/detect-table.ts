import { parseTime } from '../base/parse-time.ts';
import type { Verdict } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import type { DetectorOptions } from './detectors/detector-kind.ts';
import { detectorFactory } from './detectors/detectors.ts';
import { MAX_CHANNELS } from './together/joint-detector.ts';
import { findJointKind, jointDetectorFactory } from './together/joint-detectors.ts';

/** The judgement of one row of a table; written as a CSV line `timestamp,score,anomaly`. */
export interface ScoredRow {
  /** As it stands in the input. */
  readonly timestamp: string;
  /** Finite, at least 0; 1 is the detector's threshold. */
  readonly score: number;
  readonly anomaly: 0 | 1;
}

/** How a table is scored. */
export interface DetectTableOptions {
  /** One of `detectorNames`, which judges each column by itself, or of `jointDetectorNames`, which judges them together. */
  readonly detector: string;
  /** What the detector takes, see its kind. */
  readonly options?: DetectorOptions | undefined;
}

/** The columns of what `scoreTable` yields, in order: the head line of the CSV. */
export const SCORED_COLUMNS = ['timestamp', 'score', 'anomaly'] as const;

/** Smallest step of time that an `EpochMs` of our days keeps. */
const SMALLEST_STEP_MS = 0.001;

/** The detector that a table is scored by where none is named: several columns are judged together. */
export function defaultDetector(columns: number): string {
  return columns > 1 ? 'mahalanobis' : 'auto';
}

/**
 * Scores a table causally: the score of a row depends on no later row. The first row names the columns, the first column is the time,
 * every other column is a series: of those that are judged each by itself the highest score is the row's.
 *
 * Every row after the head yields one scored row, in order. A cell that is empty or no finite number is not judged, and a row without any
 * that is scores 0. A time that is unreadable or does not ascend is moved up to just behind the one before.
 *
 * Throws a `GatewayError` for an unknown detector or option, where there is no column of values, or too many to be judged together.
 */
export async function* scoreTable(
  rows: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  options: DetectTableOptions,
): AsyncGenerator<ScoredRow> {
  const judgeOf = rowJudges(options);
  let judge: JudgeRow | undefined;
  let values = new Float64Array(0);
  let time = 0;
  for await (const row of rows) {
    if (judge === undefined) {
      values = new Float64Array(columnsOf(row));
      judge = judgeOf(values.length);
      continue;
    }
    const timestamp = row[0] ?? '';
    const read = parseTime(timestamp);
    time =
      read !== undefined && read > time ? read : time + Math.max(SMALLEST_STEP_MS, Math.abs(time) * Number.EPSILON);
    for (let column = 0; column < values.length; column++) values[column] = numberIn(row[column + 1]);
    const { score, anomaly } = judge(values, time);
    yield { timestamp, score, anomaly: anomaly ? 1 : 0 };
  }
}

/** Judges a row of values, NaN where there is none. */
type JudgeRow = (values: Float64Array, time: number) => Pick<Verdict, 'score' | 'anomaly'>;

/** Checks the options, and answers what judges rows of so many columns. */
function rowJudges({ detector, options }: DetectTableOptions): (columns: number) => JudgeRow {
  return findJointKind(detector) === undefined
    ? judgesOfColumns(detectorFactory(detector, options))
    : judgesTogether(detector, options);
}

function judgesOfColumns(createDetector: ReturnType<typeof detectorFactory>): (columns: number) => JudgeRow {
  return (columns) => {
    const detectors = Array.from({ length: columns }, createDetector);
    return (values, time) => {
      const row = { score: 0, anomaly: false };
      for (const [column, detector] of detectors.entries()) {
        if (Number.isNaN(values[column]!)) continue;
        const verdict = detector.judge(values[column]!, time);
        row.score = Math.max(row.score, verdict.score);
        row.anomaly ||= verdict.anomaly;
      }
      return row;
    };
  };
}

function judgesTogether(name: string, options: DetectorOptions | undefined): (columns: number) => JudgeRow {
  const createDetector = jointDetectorFactory(name, options);
  return (columns) => {
    if (columns < 2 || columns > MAX_CHANNELS) {
      throw new GatewayError(
        `Cannot judge ${columns === 1 ? 'one column' : `${columns} columns`} together by ${name}`,
        {
          hint: `that takes 2 to ${MAX_CHANNELS} columns of values; auto and others judge each by itself`,
        },
      );
    }
    const detector = createDetector();
    for (let column = 0; column < columns; column++) detector.addChannel();
    return (values, time) => detector.judge(values, time);
  };
}

function numberIn(cell: string | undefined): number {
  const text = cell?.trim() ?? '';
  const value = Number(text);
  return text === '' || !Number.isFinite(value) ? Number.NaN : value;
}

function columnsOf(head: readonly string[]): number {
  if (head.length > 1) return head.length - 1;
  throw new GatewayError(
    `Cannot score a table whose first line is ${JSON.stringify(head.join(','))}: it has no column of values`,
    {
      hint: 'the first line names the columns: the time, then one or more values, separated by commas',
    },
  );
}
