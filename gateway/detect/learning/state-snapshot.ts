import { GatewayError } from '../../core/errors.ts';

/** The state of a detector that is one block of memory, as plain data: the layout of the block has a version of its own in each detector. */
interface StateSnapshot {
  readonly version: number;
  readonly state: Uint8Array;
}

/** A copy of the block that `numbers` is a view of, from its beginning to its end. */
export function snapshotOf(version: number, numbers: Float64Array): unknown {
  const snapshot: StateSnapshot = { version, state: new Uint8Array(numbers.buffer).slice() };
  return snapshot;
}

/** Puts a copy back; throws a `GatewayError` where it is of another version or size. `detector` is its name, for the error. */
export function restoreState(detector: string, version: number, numbers: Float64Array, snapshot: unknown): void {
  const block = new Uint8Array(numbers.buffer);
  if (isStateSnapshot(snapshot) && snapshot.version === version && snapshot.state.length === block.length) {
    block.set(snapshot.state);
    return;
  }
  const got = isStateSnapshot(snapshot)
    ? `of version ${snapshot.version} and ${snapshot.state.length} bytes`
    : 'no copy of a state';
  throw new GatewayError(
    `Cannot restore a ${detector} detector: its snapshot is ${got}, not of version ${version} and ${block.length} bytes`,
    { hint: 'it was written by another version or another detector; let it learn anew' },
  );
}

function isStateSnapshot(snapshot: unknown): snapshot is StateSnapshot {
  if (typeof snapshot !== 'object' || snapshot === null) return false;
  const { version, state } = snapshot as Partial<StateSnapshot>;
  return typeof version === 'number' && state instanceof Uint8Array;
}
