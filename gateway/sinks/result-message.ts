import { type Aggregate, type AlarmEvent, type Result, resultId } from '../core/result.ts';
import { percentEncode } from './percent-encode.ts';

/**
 * The identity of a result for whoever receives it: `gateway/series@window@start@revision`, for an alarm `gateway/alarm@state`. A result
 * that comes again, after a crash or a lost answer, has it again. Control characters are percent-encoded.
 */
export function messageId(result: Result, gateway: string): string {
  return percentEncode(`${gateway}/${resultId(result)}`);
}

/** A result as JSON for other programs, in the words of the API; times are milliseconds since 1970. */
export function resultMessage(result: Result, gateway: string): Readonly<Record<string, unknown>> {
  return result.kind === 'aggregate' ? aggregateMessage(result, gateway) : alarmMessage(result, gateway);
}

function aggregateMessage(result: Aggregate, gateway: string): Readonly<Record<string, unknown>> {
  const { window, start, end, revision, good, fields } = result;
  return { ...head(result, gateway), window, start, end, revision, good, fields };
}

function alarmMessage(event: AlarmEvent, gateway: string): Readonly<Record<string, unknown>> {
  const { id: alarm, series: _, kind: __, ...words } = event;
  return { ...head(event, gateway), alarm, active: event.active ?? event.state !== 'cleared', ...words };
}

function head(result: Result, gateway: string): Readonly<Record<string, unknown>> {
  const { key, device, metric, tags, unit } = result.series;
  return { id: messageId(result, gateway), gateway, series: key, device, metric, tags, unit };
}
