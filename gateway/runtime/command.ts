import type { EpochMs } from '../core/clock.ts';
import { RecordKind } from './reading-codec.ts';

/** A decision of a person, journaled so that it survives and is replayed in its place among the readings. */
export interface Command {
  readonly type: 'acknowledge-alarm';
  /** Id of the alarm. */
  readonly id: string;
  /** Who acknowledged it. */
  readonly by: string;
  readonly time: EpochMs;
}

/** The payload of the journal record of a command: its kind, then JSON. */
export function encodeCommand(command: Command): Uint8Array {
  return Buffer.concat([Buffer.of(RecordKind.command), Buffer.from(JSON.stringify(command))]);
}

/** Reads it back. @throws SyntaxError where it is not JSON */
export function decodeCommand(payload: Uint8Array): Command {
  return JSON.parse(new TextDecoder().decode(payload.subarray(1))) as Command;
}
