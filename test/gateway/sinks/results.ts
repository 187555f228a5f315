import { seriesKey } from '../../../gateway/core/reading.ts';
import type { Aggregate, AlarmEvent, ResultSeries } from '../../../gateway/core/result.ts';

/** 2026-01-05T08:00Z, the start of a minute. */
export const T0 = Date.UTC(2026, 0, 5, 8);

export function seriesOf(device: string, metric: string, tags: Record<string, string> = {}): ResultSeries {
  return { key: seriesKey({ device, metric, tags }), device, metric, tags };
}

/** The result of the first minute of `press-1/temperature`, but for what `change` says. */
export function aggregate(change: Partial<Omit<Aggregate, 'kind'>> = {}): Aggregate {
  const start = change.start ?? T0;
  return {
    kind: 'aggregate',
    series: seriesOf('press-1', 'temperature'),
    window: 'minute',
    start,
    end: start + 60_000,
    revision: 0,
    fields: { count: 60, mean: 21.5, min: 20, max: 23 },
    good: 1,
    ...change,
  };
}

/** An alarm of the novelty detector on `press-1/temperature`, but for what `change` says. */
export function alarm(change: Partial<Omit<AlarmEvent, 'kind' | 'id'>> = {}): AlarmEvent {
  const series = change.series ?? seriesOf('press-1', 'temperature');
  const detector = change.detector ?? 'novelty';
  const raisedAt = change.raisedAt ?? T0 + 5000;
  return {
    kind: 'alarm',
    id: `${detector}@${series.key}@${raisedAt}`,
    severity: 'warning',
    state: 'raised',
    time: raisedAt,
    score: 1.75,
    value: 31,
    message: 'expected between 20 and 23, saw 31',
    ...change,
    series,
    detector,
    raisedAt,
  };
}
