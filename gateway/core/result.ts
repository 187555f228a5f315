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
/** The number of a severity as OPC UA has them, 1 to 1000 (Part 9, 5.5.2); the middles of low, medium and high urgency. */
export const PRIORITIES: Readonly<Record<Severity, number>> = { info: 100, warning: 500, critical: 900 };

/** Why nobody is to be told of an alarm: an operator has shelved it, or too many come at once. */
export type Suppression = 'shelved' | 'flood';

/** One step in the life of an alarm. What may be missing is so in events of an earlier release. */
export interface AlarmEvent {
  readonly kind: 'alarm';
  /** The same for every step of one alarm: `rule@subject@raisedAt`; the subject is the key of the series, or of several that are judged together. */
  readonly id: string;
  readonly series: ResultSeries;
  readonly detector: string;
  readonly severity: Severity;
  readonly state: 'raised' | 'cleared' | 'acknowledged' | 'shelved' | 'unshelved';
  /** When this step happened: in event time of the series where readings have led to it, else in wall time. */
  readonly time: EpochMs;
  /** When the alarm was raised. */
  readonly raisedAt: EpochMs;
  /** How unusual, comparable across detectors; an alarm needs at least 1. */
  readonly score: number;
  /** The value that raised or cleared it. */
  readonly value: number;
  /** One sentence for the operator: what was expected, what was seen, since when. */
  readonly message: string;
  /** 1 to 1000, the most urgent last; see `PRIORITIES`. */
  readonly priority?: number;
  /** Alarms of one device that came shortly one after the other bear one. */
  readonly group?: string;
  /** How often it has come: more than 1 where it chatters, see `Alarm`. */
  readonly count?: number;
  /** Raised and not cleared, after this step. */
  readonly active?: boolean;
  /** Why nobody is to be told; undefined where people are. It counts and is kept all the same. */
  readonly suppressed?: Suppression | undefined;
  /** Wall time until which it is shelved, where that was done. */
  readonly until?: EpochMs | undefined;
  /** Who did it, where it was a person. */
  readonly by?: string | undefined;
}

/** Whether the alarm is raised and not cleared, after this step. An earlier release has it in the step alone. */
export function isActive({ active, state }: AlarmEvent): boolean {
  return active ?? state !== 'cleared';
}

/** Whether a step is for people to be told of: not what is suppressed, nor what one of them has done. */
export function isForPeople({ state, suppressed, active }: AlarmEvent): boolean {
  if (suppressed !== undefined) return false;
  return state === 'raised' || state === 'cleared' || (state === 'unshelved' && active === true);
}

/** What the pipeline produces and the sinks take. */
export type Result = Aggregate | AlarmEvent;

/** The identity by which sinks and consumers recognise a result they already have; equal after a replay. */
export function resultId(result: Result): string {
  if (result.kind === 'aggregate') {
    return `${result.series.key}@${result.window}@${result.start}@${result.revision}`;
  }
  const { id, state, time } = result;
  // An alarm may be shelved again and again.
  return state === 'shelved' || state === 'unshelved' ? `${id}@${state}@${time}` : `${id}@${state}`;
}
