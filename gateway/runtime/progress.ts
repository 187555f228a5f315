import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

/** What progress is told from. */
export interface ProgressParts {
  readonly clock: Clock;
  /** Those that what comes in may wait for. */
  readonly logs: readonly Log[];
  readonly admission: {
    /** It has nothing to do. */
    readonly isIdle: boolean;
    /** Batches that it has seen through to the disk. */
    readonly batches: number;
  };
}

/**
 * Tells a gateway that works, or waits for a reason, from one that hangs. Waiting for a full or failing disk, and for a sink where a full
 * outbox is to wait for it, are reasons: the log says so as its trouble.
 */
export class Progress {
  readonly #parts: ProgressParts;
  #batches = -1;
  #sinceMs = 0;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
  }

  /**
   * For how long, in milliseconds, something has been waiting to become durable without a batch getting there or a log telling why; 0
   * when all is well. It is measured from one call to the next: call it regularly.
   */
  stuckMs(): number {
    const { clock, logs, admission } = this.#parts;
    const now = clock.monotonicMs();
    const moves = admission.isIdle || admission.batches !== this.#batches;
    if (moves || logs.some((log) => log.status().trouble !== undefined)) {
      this.#batches = admission.batches;
      this.#sinceMs = now;
    }
    return now - this.#sinceMs;
  }
}
