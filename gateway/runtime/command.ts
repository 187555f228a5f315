import type { EpochMs } from '../core/clock.ts';
import type { StartedMaintenance } from '../core/maintenance.ts';
import type { TableContent } from '../core/table.ts';
import { RecordKind } from './reading-codec.ts';

/**
 * What else the analysis is told beside readings: a decision of a person, what is known of devices, what the gateway has to say of itself, or something
 * about time. Journaled, so that it survives and is replayed in its place among the readings.
 */
export type Command =
  | AcknowledgeAlarm
  | ShelveAlarm
  | UnshelveAlarm
  | DismissAlarm
  | StartMaintenance
  | StopMaintenance
  | TableChanged
  | SeriesRefused
  | SeriesAllowed
  | TimeCommand;

/** What the analysis is told about time. */
export type TimeCommand = TimePassed | ListeningAgain | ClockStep | ClockUnknown | ClockKnown | ClockGivenUp;

/** A person has seen an alarm. */
export interface AcknowledgeAlarm {
  readonly type: 'acknowledge-alarm';
  /** Id of the alarm. */
  readonly id: string;
  /** Who acknowledged it. */
  readonly by: string;
  readonly time: EpochMs;
}

/** An operator puts the rule and the series of an alarm aside for a time. */
export interface ShelveAlarm {
  readonly type: 'shelve-alarm';
  /** Id of the alarm. */
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly time: EpochMs;
  readonly until: EpochMs;
}

/** An operator takes back what is shelved. */
export interface UnshelveAlarm {
  readonly type: 'unshelve-alarm';
  /** Id of an alarm of it. */
  readonly id: string;
  readonly by: string;
  readonly time: EpochMs;
}

/** An operator says that what an alarm told of was fine. */
export interface DismissAlarm {
  readonly type: 'dismiss-alarm';
  /** Id of the alarm. */
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly time: EpochMs;
}

/** An operator puts series into maintenance. */
export interface StartMaintenance {
  readonly type: 'start-maintenance';
  readonly maintenance: StartedMaintenance;
}

/** An operator ends a maintenance before its time. */
export interface StopMaintenance {
  readonly type: 'stop-maintenance';
  readonly id: string;
  readonly by: string;
  readonly time: EpochMs;
}

/** What is known of devices has changed: what follows in the journal goes by it. */
export interface TableChanged {
  readonly type: 'table-changed';
  /** Name of the table. */
  readonly table: string;
  readonly content: TableContent;
}

/** A series was refused, as there are as many as may be. */
export interface SeriesRefused {
  readonly type: 'series-refused';
  /** Key of the first that was. */
  readonly first: string;
  readonly max: number;
  readonly time: EpochMs;
}

/** There is room for further series again. */
export interface SeriesAllowed {
  readonly type: 'series-allowed';
  readonly time: EpochMs;
}

/** Something waits for a deadline that has passed by `time`, and no reading tells so. */
export interface TimePassed {
  readonly type: 'time-passed';
  readonly time: EpochMs;
}

/** The gateway was not running, or held its sources back, and takes readings again from `time` on: nobody was silent meanwhile. */
export interface ListeningAgain {
  readonly type: 'listening-again';
  readonly time: EpochMs;
}

/** The wall clock was set. */
export interface ClockStep extends ClockReference {
  readonly type: 'clock-step';
  /** What it said before; `time` is what it says since. */
  readonly before: EpochMs;
  /** `time` less `before`. */
  readonly byMs: number;
}

/** A moment by the two clocks of a box that tell how much time has passed since it was switched on, and which time it is. */
export interface ClockReference {
  /** Which run of the operating system it was: the monotonic clock begins anew with the next. */
  readonly boot: string;
  readonly monotonicMs: number;
  /** Wall time. */
  readonly time: EpochMs;
}

/** From here on nobody knows what time it is; wall times go on from the estimate `time`. */
export interface ClockUnknown extends ClockReference {
  readonly type: 'clock-unknown';
}

/** From here on it is known what time it is: `time`, where it was `before` by the estimate. */
export interface ClockKnown extends ClockReference {
  readonly type: 'clock-known';
  readonly before: EpochMs;
}

/** The time was waited for long enough: readings without a time of their own keep their estimates. */
export interface ClockGivenUp {
  readonly type: 'clock-given-up';
}

/** The payload of the journal record of a command: its kind, then JSON. */
export function encodeCommand(command: Command): Uint8Array {
  return Buffer.concat([Buffer.of(RecordKind.command), Buffer.from(JSON.stringify(command))]);
}

/** Reads it back. @throws SyntaxError where it is not JSON */
export function decodeCommand(payload: Uint8Array): Command {
  return JSON.parse(new TextDecoder().decode(payload.subarray(1))) as Command;
}
