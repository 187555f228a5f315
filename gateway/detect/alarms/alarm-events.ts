import { isoTime } from '../../base/iso-time.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { AlarmEvent, ResultSeries, Severity } from '../../core/result.ts';
import { durationInWords, numberInWords } from '../words.ts';

/** What is known when a rule raises an alarm. */
export interface RaisedFacts {
  readonly series: ResultSeries;
  /** What the alarm is known by. @default the key of the series */
  readonly subject?: string | undefined;
  readonly detector: string;
  /** Tells alarms of rules with one detector apart; the detector's name, with a number from the second such rule on. */
  readonly ruleName: string;
  readonly severity: Severity;
  readonly priority: number;
  /** Event time of the value that raised it. */
  readonly time: EpochMs;
  /** Event time of the first anomaly; before `time` where the rule has a delay. */
  readonly since: EpochMs;
  readonly score: number;
  readonly value: number;
  /** See `Alarm`; 1 where it does not chatter. */
  readonly count: number;
  /** The detector's words for what was seen, where the value alone does not say it. */
  readonly seen?: string | undefined;
  /** The detector's words for what would have been normal. */
  readonly expected: string;
}

/** The first step of an alarm. Its id is `rule@subject@raisedAt`, with the time in milliseconds since 1970. */
export function raisedEvent(facts: RaisedFacts): AlarmEvent {
  const { series, detector, ruleName, severity, priority, time, since, score, value, count, expected } = facts;
  const { seen = `is ${withUnit(value, series)}`, subject: knownBy = series.key } = facts;
  const told = `${subject(series)} ${seen} where ${expected} was expected`;
  const chatters =
    count > 1 ? `; it came ${count} times within a minute, and is one until it was away for a minute` : '';
  return {
    kind: 'alarm',
    id: `${ruleName}@${knownBy}@${time}`,
    series,
    detector,
    severity,
    priority,
    state: 'raised',
    time,
    raisedAt: time,
    score,
    value,
    count,
    message: `${told}, since ${isoTime(since)} (${detector}, score ${numberInWords(score)})${chatters}.`,
  };
}

/** What is known when an alarm is over: `value`, read at `time`, was normal, and the last anomaly long enough ago. */
export interface ClearedFacts {
  readonly time: EpochMs;
  readonly lastAnomaly: EpochMs;
  readonly lastedMs: number;
  readonly score: number;
  readonly value: number;
  /** How often it had come. */
  readonly count: number;
}

/** The last step of an alarm. */
export function clearedEvent(raised: AlarmEvent, facts: ClearedFacts): AlarmEvent {
  const { time, lastAnomaly, lastedMs, score, value, count } = facts;
  const now = `${subject(raised.series)} is ${withUnit(value, raised.series)}, with no anomaly since ${isoTime(lastAnomaly)}`;
  const lasted = `the alarm of ${isoTime(raised.raisedAt)} lasted ${durationInWords(lastedMs)}`;
  const often = count > 1 ? `, and came ${count} times` : '';
  return { ...raised, state: 'cleared', time, score, value, count, message: `${now}; ${lasted}${often}.` };
}

/** An alarm whose rule has left the configuration, still to be cleared, and the last time of what it was raised for. */
export interface WithdrawnAlarm {
  readonly raised: AlarmEvent;
  readonly time: EpochMs;
}

/** The last step of such an alarm. */
export function withdrawnEvent(raised: AlarmEvent, time: EpochMs): AlarmEvent {
  const message = `The ${raised.detector} rule of this alarm of ${subject(raised.series)} is no longer configured, so it is cleared.`;
  return { ...raised, state: 'cleared', time, message };
}

/** The last step of an alarm of a series that has its times from the gateway's clock, which was set back. */
export function setBackEvent(raised: AlarmEvent, time: EpochMs): AlarmEvent {
  const what = `The ${raised.detector} alarm of ${subject(raised.series)}, raised ${isoTime(raised.raisedAt)}`;
  const message = `${what}, is cleared as the gateway's clock was set back; if the trouble goes on, a new one follows.`;
  return { ...raised, state: 'cleared', time, message };
}

function subject(series: ResultSeries): string {
  return `${series.metric} of ${series.device}`;
}

function withUnit(value: number, series: ResultSeries): string {
  return series.unit === undefined ? numberInWords(value) : `${numberInWords(value)} ${series.unit}`;
}
