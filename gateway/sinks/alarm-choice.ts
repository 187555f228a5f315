import { seriesPattern } from '../base/series-pattern.ts';
import { type AlarmEvent, SEVERITIES, type Severity } from '../core/result.ts';

/** Which alarms a sink takes. */
export interface AlarmChoice {
  /** The least severity. */
  readonly severity: Severity;
  /** Pattern of their series. */
  readonly series: string;
}

/** Says of a step of an alarm whether it was chosen. */
export function alarmChoice({ severity, series }: AlarmChoice): (event: AlarmEvent) => boolean {
  const least = SEVERITIES.indexOf(severity);
  const isMeant = seriesPattern(series);
  return (event) => SEVERITIES.indexOf(event.severity) >= least && isMeant(event.series);
}
