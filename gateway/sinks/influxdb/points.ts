import { type Aggregate, type AlarmEvent, PRIORITIES, type Result } from '../../core/result.ts';
import type { FieldValue, Point } from './line-protocol.ts';

/** The measurement that holds the alarms. */
export const ALARMS = 'alarms';

/** Names that mean something of their own in every point; a tag of a series must not take their place. */
const RESERVED_TAGS = ['device', 'window', 'metric', 'detector', 'severity', 'time', '_measurement', '_field'];
const RESERVED_FIELDS = ['good', 'time', '_measurement', '_field'];

/**
 * False for what a person does with an alarm: that is dated by the wall clock, and would confuse the event times of the alarm. The history
 * keeps it.
 */
export function isStored(result: Result): boolean {
  return result.kind === 'aggregate' || result.state === 'raised' || result.state === 'cleared';
}

/** The point of a result, or undefined where it is not stored. */
export function pointOf(result: Result, gatewayTags: Readonly<Record<string, string>>): Point | undefined {
  if (!isStored(result)) return undefined;
  return result.kind === 'aggregate' ? aggregatePoint(result, gatewayTags) : alarmPoint(result, gatewayTags);
}

function aggregatePoint(result: Aggregate, gatewayTags: Readonly<Record<string, string>>): Point {
  const { series, window, start, good } = result;
  const fields: Record<string, FieldValue> = bare();
  for (const name of Object.keys(result.fields)) fields[unreserved(name, RESERVED_FIELDS)] = result.fields[name]!;
  fields['good'] = good;
  return {
    measurement: unreserved(series.metric, [ALARMS]),
    tags: Object.assign(commonTags(series.tags, gatewayTags), { device: series.device, window }),
    fields,
    time: start,
  };
}

function alarmPoint(event: AlarmEvent, gatewayTags: Readonly<Record<string, string>>): Point {
  const { series, detector, severity, score, value, message, time, suppressed, group, count = 1 } = event;
  return {
    measurement: ALARMS,
    tags: Object.assign(commonTags(series.tags, gatewayTags), {
      device: series.device,
      metric: series.metric,
      detector,
      severity,
    }),
    fields: {
      active: event.state === 'raised',
      ...{ score, value, message, count, priority: event.priority ?? PRIORITIES[severity] },
      shelved: suppressed === 'shelved',
      suppressed: suppressed !== undefined,
      ...(group === undefined ? {} : { group }),
    },
    time,
  };
}

function commonTags(
  seriesTags: Readonly<Record<string, string>>,
  gatewayTags: Readonly<Record<string, string>>,
): Record<string, string> {
  const tags: Record<string, string> = bare();
  for (const name of Object.keys(gatewayTags)) tags[unreserved(name, RESERVED_TAGS)] = gatewayTags[name]!;
  for (const name of Object.keys(seriesTags)) tags[unreserved(name, RESERVED_TAGS)] = seriesTags[name]!;
  return tags;
}

/**
 * A name that is reserved gets an underscore at its end, and so does one that already looks like that: `alarms` becomes
 * `alarms_`, `alarms_` becomes `alarms__`. Two different names never become equal, so nothing is overwritten.
 */
function unreserved(name: string, reserved: readonly string[]): string {
  return reserved.includes(name.replace(/_+$/, '')) ? `${name}_` : name;
}

/** An object without a prototype: a tag may be called `__proto__`. */
function bare<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
