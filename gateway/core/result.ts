import type { EpochMs } from './clock.ts';

/** The part of a series that travels with a result: results outlive the process, so they name their series in full. */
export interface ResultSeries {
  readonly key: string;
  readonly device: string;
  readonly metric: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly unit?: string;
}

/** The result of one window for one series. */
export interface Aggregate {
  readonly kind: 'aggregate';
  readonly series: ResultSeries;
  /** Name of the window in the configuration, for example `minute`. */
  readonly window: string;
  /** The window is `[start, end)`. */
  readonly start: EpochMs;
  readonly end: EpochMs;
  /** 0 for the first result of this window, one more for each correction by a late reading. */
  readonly revision: number;
  /** The aggregates by name (`count`, `mean`, `p95` …); every value is finite. */
  readonly fields: Readonly<Record<string, number>>;
  /** Share of readings with good quality, 0 to 1. */
  readonly good: number;
}

/** How much an alarm matters, in the order of `SEVERITIES`. */
export type Severity = 'info' | 'warning' | 'critical';
/** Every severity, the least one first. */
export const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];

/** One step in the life of an alarm. */
export interface AlarmEvent {
  readonly kind: 'alarm';
  /** The same for every step of one alarm: `detector@seriesKey@raisedAt`. */
  readonly id: string;
  readonly series: ResultSeries;
  readonly detector: string;
  readonly severity: Severity;
  readonly state: 'raised' | 'cleared' | 'acknowledged';
  /** When this step happened, in event time of the series; the wall time of the person for an acknowledgement. */
  readonly time: EpochMs;
  /** When the alarm was raised. */
  readonly raisedAt: EpochMs;
  /** How unusual, comparable across detectors; an alarm needs at least 1. */
  readonly score: number;
  /** The value that raised or cleared it. */
  readonly value: number;
  /** One sentence for the operator: what was expected, what was seen, since when. */
  readonly message: string;
}

/** What the pipeline produces and the sinks take. */
export type Result = Aggregate | AlarmEvent;

/** The identity by which sinks and consumers recognise a result they already have; equal after a replay. */
export function resultId(result: Result): string {
  return result.kind === 'aggregate'
    ? `${result.series.key}@${result.window}@${result.start}@${result.revision}`
    : `${result.id}@${result.state}`;
}
