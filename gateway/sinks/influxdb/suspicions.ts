import type { Point } from './line-protocol.ts';

/** Field type conflicts that are remembered; a server that has more is learnt anew. */
const MAX_CONFLICTS = 1_000;

/**
 * What a server has refused before. Points like those are sent apart from the others: a request that is refused in part costs many
 * more, to find out which part, and the same reason mostly comes again with the next batch.
 */
export class Suspicions {
  /** Reasons by measurement and field. */
  readonly #conflicts = new Map<string, Map<string, string>>();
  #conflictCount = 0;
  /** Points up to this time were beyond the retention policy. */
  #horizon = Number.NEGATIVE_INFINITY;
  #horizonReason = '';

  /**
   * Reads the server's words about a request that it refused in part: which of the points they may mean. Undefined where they do not
   * tell; `dropped` is the number it says, where it says one.
   */
  static of(
    reason: string,
    dropped: number | undefined,
    points: readonly Point[],
  ): ((point: Point) => boolean) | undefined {
    const conflict = fieldConflict(reason);
    if (conflict !== undefined) {
      const { measurement, field } = conflict;
      return (point) => point.measurement === measurement && Object.hasOwn(point.fields, field);
    }
    if (!isBeyondRetention(reason) || dropped === undefined || dropped < 1) return undefined;
    const times = points.map(({ time }) => time).sort((a, b) => a - b);
    const horizon = times[Math.min(dropped, times.length) - 1]!;
    return ({ time }) => time <= horizon;
  }

  /** The server has refused these points with these words. */
  add(reason: string, points: readonly Point[]): void {
    const conflict = fieldConflict(reason);
    if (conflict !== undefined) this.#addConflict(conflict.measurement, conflict.field, reason);
    else if (isBeyondRetention(reason)) {
      this.#horizon = points.reduce((latest, { time }) => Math.max(latest, time), this.#horizon);
      this.#horizonReason = reason;
    }
  }

  /** With which words a point will probably be refused; undefined where nothing like it was. */
  reasonFor({ measurement, fields, time }: Point): string | undefined {
    if (time <= this.#horizon) return this.#horizonReason;
    const conflicts = this.#conflicts.get(measurement);
    if (conflicts === undefined) return undefined;
    for (const [field, reason] of conflicts) if (Object.hasOwn(fields, field)) return reason;
    return undefined;
  }

  /** The server has taken these points: nothing is said against their like any more. */
  clear(points: readonly Point[]): void {
    for (const { measurement, time } of points) {
      this.#conflictCount -= this.#conflicts.get(measurement)?.size ?? 0;
      this.#conflicts.delete(measurement);
      if (time <= this.#horizon) this.#horizon = Number.NEGATIVE_INFINITY;
    }
  }

  #addConflict(measurement: string, field: string, reason: string): void {
    if (this.#conflictCount >= MAX_CONFLICTS) {
      this.#conflicts.clear();
      this.#conflictCount = 0;
    }
    const conflicts = this.#conflicts.get(measurement) ?? new Map<string, string>();
    if (!conflicts.has(field)) this.#conflictCount++;
    conflicts.set(field, reason);
    this.#conflicts.set(measurement, conflicts);
  }
}

/** Names stand in the message as they are, not escaped. */
function fieldConflict(reason: string): { readonly measurement: string; readonly field: string } | undefined {
  const found = /input field "(.+)" on measurement "(.+)" is type /.exec(reason);
  return found === null ? undefined : { field: found[1]!, measurement: found[2]! };
}

function isBeyondRetention(reason: string): boolean {
  return reason.includes('points beyond retention policy');
}
