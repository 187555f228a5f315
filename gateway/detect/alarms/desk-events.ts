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
  return { ...step(raised, 'shelved', time, isActive), by, until, message, suppressed: 'shelved' };
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

/** What a person says of an alarm that was fine, and whether its detector has learnt it. */
interface Fine {
  readonly by: string;
  readonly reason: string;
  readonly hasLearnt: boolean;
  readonly time: EpochMs;
}

/** An active alarm is over as it was fine; `time` is that of the last reading of its series. */
export function dismissedEvent(raised: AlarmEvent, fine: Fine): AlarmEvent {
  const { time, by } = fine;
  return {
    ...step(raised, 'cleared', time, false),
    by,
    message: `${subject(raised)}, is cleared: ${whatFollows(raised, fine)}`,
  };
}

/** An alarm has been seen, and was fine, at wall time `time`. */
export function fineEvent(raised: AlarmEvent, fine: Fine & { readonly isActive: boolean }): AlarmEvent {
  const { time, by, isActive } = fine;
  const message = `${subject(raised)}, was dismissed at ${isoTime(time)}: ${whatFollows(raised, fine)}`;
  return { ...step(raised, 'acknowledged', time, isActive), by, message };
}

function whatFollows({ message }: AlarmEvent, { by, reason, hasLearnt }: Fine): string {
  const learnt = hasLearnt
    ? 'its detector takes what it saw for normal from now on'
    : 'its detector has nothing to learn of it, so the like raises it again';
  return `${by} said that it was fine (${reason}); ${learnt}: ${message}`;
}

function subject({ detector, series, raisedAt }: AlarmEvent): string {
  return `The ${detector} alarm of ${series.metric} of ${series.device}, raised ${isoTime(raisedAt)}`;
}
