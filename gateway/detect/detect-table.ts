import { parseTime } from '../base/parse-time.ts';
import type { Detector } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import type { DetectorOptions } from './detector-kind.ts';
import { detectorFactory } from './detectors.ts';

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
  /** One of `detectorNames`. */
  readonly detector: string;
  /** What the detector takes, see its kind in `detectorKinds`. */
  readonly options?: DetectorOptions | undefined;
}

/** The columns of what `scoreTable` yields, in order: the head line of the CSV. */
export const SCORED_COLUMNS = ['timestamp', 'score', 'anomaly'] as const;

/** Smallest step of time that an `EpochMs` of our days keeps. */
const SMALLEST_STEP_MS = 0.001;

/**
 * Scores a table causally: the score of a row depends on no later row. The first row names the columns, the first column is the time,
 * every other column is a series of its own; a row's score is the highest of its columns' scores.
 *
 * Every row after the head yields one scored row, in order. A cell that is empty or no finite number is not judged, and a row without any
 * that is scores 0. A time that is unreadable or does not ascend is moved up to just behind the one before.
 *
 * Throws a `GatewayError` for an unknown detector or option, or where there is no column of values.
 */
export async function* scoreTable(
  rows: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  options: DetectTableOptions,
): AsyncGenerator<ScoredRow> {
  const createDetector = detectorFactory(options.detector, options.options);
  let detectors: readonly Detector[] | undefined;
  let time = 0;
  for await (const row of rows) {
    if (detectors === undefined) {
      detectors = columnsOf(row).map(createDetector);
      continue;
    }
    const timestamp = row[0] ?? '';
    const read = parseTime(timestamp);
    time =
      read !== undefined && read > time ? read : time + Math.max(SMALLEST_STEP_MS, Math.abs(time) * Number.EPSILON);
    let score = 0;
    let anomaly: 0 | 1 = 0;
    for (const [column, detector] of detectors.entries()) {
      const cell = row[column + 1]?.trim() ?? '';
      const value = Number(cell);
      if (cell === '' || !Number.isFinite(value)) continue;
      const verdict = detector.judge(value, time);
      score = Math.max(score, verdict.score);
      if (verdict.anomaly) anomaly = 1;
    }
    yield { timestamp, score, anomaly };
  }
}

function columnsOf(head: readonly string[]): readonly string[] {
  const columns = head.slice(1);
  if (columns.length > 0) return columns;
  throw new GatewayError(
    `Cannot score a table whose first line is ${JSON.stringify(head.join(','))}: it has no column of values`,
    {
      hint: 'the first line names the columns: the time, then one or more values, separated by commas',
    },
  );
}
