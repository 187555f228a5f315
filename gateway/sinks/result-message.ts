import { type Aggregate, type AlarmEvent, isActive, type Result, resultId } from '../core/result.ts';
import { percentEncode } from './percent-encode.ts';

/** The gateway that a message comes from. */
export interface Sender {
  readonly name: string;
  /** Go onto everything that leaves it; those of a series go before. */
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * The identity of a result for whoever receives it: `gateway/series@window@start@revision`, for an alarm `gateway/alarm@state`. A result
 * that comes again, after a crash or a lost answer, has it again. Control characters are percent-encoded.
 */
export function messageId(result: Result, { name }: Sender): string {
  return percentEncode(`${name}/${resultId(result)}`);
}

/** A result as JSON for other programs, in the words of the API; times are milliseconds since 1970. */
export function resultMessage(result: Result, sender: Sender): Readonly<Record<string, unknown>> {
  return result.kind === 'aggregate' ? aggregateMessage(result, sender) : alarmMessage(result, sender);
}

/** The tags of a result: those of its gateway and of its series. */
export function tagsOf(result: Result, sender: Sender): Readonly<Record<string, string>> {
  return { ...sender.tags, ...result.series.tags };
}

function aggregateMessage(result: Aggregate, sender: Sender): Readonly<Record<string, unknown>> {
  const { window, start, end, revision, good, fields } = result;
  return { ...head(result, sender), window, start, end, revision, good, fields };
}

function alarmMessage(event: AlarmEvent, sender: Sender): Readonly<Record<string, unknown>> {
  const { id: alarm, series: _, kind: __, ...words } = event;
  return { ...head(event, sender), alarm, ...words, active: isActive(event) };
}

function head(result: Result, sender: Sender): Readonly<Record<string, unknown>> {
  const { key, device, metric, unit } = result.series;
  const id = messageId(result, sender);
  return { id, gateway: sender.name, series: key, device, metric, tags: tagsOf(result, sender), unit };
}
