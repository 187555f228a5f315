import { isoTime } from '../../base/iso-time.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { AlarmEvent } from '../../core/result.ts';
import type { Shelved } from './shelf.ts';

/** What of an alarm is in every step after its raise; score and value stay those that raised it. */
function step(raised: AlarmEvent, state: AlarmEvent['state'], time: EpochMs, isActive: boolean): AlarmEvent {
  return { ...raised, state, time, active: isActive };
}

/** `by` has seen the alarm, at wall time `time`. */
export function acknowledgedEvent(
  raised: AlarmEvent,
  { time, by, isActive }: { readonly time: EpochMs; readonly by: string | undefined; readonly isActive: boolean },
): AlarmEvent {
  const who = by === undefined ? '' : ` by ${by}`;
  const message = `${subject(raised)}, was acknowledged at ${isoTime(time)}${who}: ${raised.message}`;
  return { ...step(raised, 'acknowledged', time, isActive), by, message };
}

/** An operator has put the condition aside, at wall time `time`. */
export function shelvedEvent({ raised, by, reason, until }: Shelved, time: EpochMs, isActive: boolean): AlarmEvent {
  const message = `${subject(raised)}, is shelved by ${by} until ${isoTime(until)} (${reason}): ${raised.message}`;
  return { ...step(raised, 'shelved', time, isActive), by, message, suppressed: 'shelved' };
}

/** It is not aside any more: by the word of `by`, or as its time is up. */
export function unshelvedEvent(
  raised: AlarmEvent,
  { time, by, isActive }: { readonly time: EpochMs; readonly by: string | undefined; readonly isActive: boolean },
): AlarmEvent {
  const why = by === undefined ? 'as its time is up' : `by ${by}`;
  const now = isActive ? `still active: ${raised.message}` : 'not active.';
  const message = `${subject(raised)}, is no longer shelved since ${isoTime(time)}, ${why}; it is ${now}`;
  return { ...step(raised, 'unshelved', time, isActive), by, message, suppressed: undefined };
}

function subject({ detector, series, raisedAt }: AlarmEvent): string {
  return `The ${detector} alarm of ${series.metric} of ${series.device}, raised ${isoTime(raisedAt)}`;
}
