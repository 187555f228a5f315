import { GatewayError } from '../core/errors.ts';

/** The error for a snapshot that cannot be read. `what` names the part, as in `the sum of a window`. */
export function unreadable(what: string, found: unknown): GatewayError {
  const shown = typeof found === 'object' && found !== null ? 'data of another form' : String(found);
  return new GatewayError(`Cannot restore ${what} from its snapshot: found ${shown}`, {
    hint: 'The snapshot is damaged or from another version: start without it, and the journal is replayed from its beginning.',
  });
}

/** The snapshot as a list of exactly `length` numbers. */
export function numbersOf(snapshot: unknown, length: number, what: string): readonly number[] {
  const list = listOf(snapshot, what);
  if (list.length !== length || !list.every((item) => typeof item === 'number')) throw unreadable(what, snapshot);
  return list as readonly number[];
}

/** The snapshot as a list. */
export function listOf(snapshot: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(snapshot)) throw unreadable(what, snapshot);
  return snapshot;
}

/** The snapshot as an object with properties. */
export function recordOf(snapshot: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof snapshot !== 'object' || snapshot === null) throw unreadable(what, snapshot);
  return snapshot as Record<string, unknown>;
}

/** The snapshot as a number; a `GatewayError` that names the part `what` for anything else. */
export function numberOf(snapshot: unknown, what: string): number {
  if (typeof snapshot !== 'number') throw unreadable(what, snapshot);
  return snapshot;
}

/** The snapshot as text; a `GatewayError` that names the part `what` for anything else. */
export function textOf(snapshot: unknown, what: string): string {
  if (typeof snapshot !== 'string') throw unreadable(what, snapshot);
  return snapshot;
}
