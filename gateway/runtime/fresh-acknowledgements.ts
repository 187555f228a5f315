import type { EpochMs } from '../core/clock.ts';
import type { AlarmRow } from '../core/sink.ts';

/** More are acknowledged in one moment by nobody; the oldest are left to the history. */
const MOST = 1_000;

/**
 * Acknowledgements that the history does not show yet, because they reach it through the outbox a moment later: whoever has
 * acknowledged an alarm must not read that nobody has.
 */
export class FreshAcknowledgements {
  readonly #times = new Map<string, EpochMs>();

  /** An alarm was acknowledged at wall time `time`. */
  add(id: string, time: EpochMs): void {
    this.#times.set(id, time);
    if (this.#times.size > MOST) this.#times.delete(this.#times.keys().next().value!);
  }

  /** The rows of the history, with what it does not show yet. */
  applyTo(rows: readonly AlarmRow[]): readonly AlarmRow[] {
    if (this.#times.size === 0) return rows;
    return rows.map((row) => {
      const acknowledgedAt = this.#times.get(row.id);
      if (acknowledgedAt === undefined) return row;
      if (row.acknowledgedAt === null) return { ...row, acknowledgedAt };
      this.#times.delete(row.id);
      return row;
    });
  }
}
