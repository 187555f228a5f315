import type { AlarmEvent, Severity } from '../../../../gateway/core/result.ts';

/** A step of an alarm as a stage emits it, before the desk has marked it. */
export function raise(device: string, time: number, severity: Severity = 'warning', metric = 'load'): AlarmEvent {
  const series = { key: `${device}/${metric}`, device, metric, tags: {} };
  return {
    kind: 'alarm',
    id: `range@${series.key}@${time}`,
    series,
    detector: 'range',
    severity,
    state: 'raised',
    time,
    raisedAt: time,
    score: 2,
    value: 40,
    message: `${metric} of ${device} is 40 where at most 20 was expected.`,
  };
}

/** The step that ends it. */
export function clear(raised: AlarmEvent, time: number): AlarmEvent {
  return { ...raised, state: 'cleared', time, value: 10 };
}
