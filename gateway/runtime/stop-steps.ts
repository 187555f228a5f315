import { finishedWithin } from '../base/time-limit.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import type { Logger } from '../core/telemetry.ts';

/** What the steps of a stop work with. */
export interface StopStepsParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Cuts every step short. */
  readonly signal: AbortSignal;
}

/** The steps of a stop, one after the other, each with a time of its own: what hangs or fails in one does not keep the next from its work. */
export class StopSteps {
  readonly #parts: StopStepsParts;
  #hasHung = false;

  constructor(parts: StopStepsParts) {
    this.#parts = parts;
  }

  /** Whether a step was left because its time was over. */
  get hasHung(): boolean {
    return this.#hasHung;
  }

  /** Stops all of them at the same time; `what` they are, for the log. */
  stop(what: string, ms: number, all: readonly Lifecycle[]): Promise<void> {
    return this.run(`stop ${what}`, ms, (signal) => Promise.all(all.map((one) => one.stop(signal))));
  }

  /** Does one step: `what` it does, for the log. Never rejects. */
  async run(what: string, ms: number, work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const { logger } = this.#parts;
    try {
      if (await finishedWithin({ ...this.#parts, ms }, work)) return;
      this.#hasHung = true;
      logger.warn(
        { ms },
        `cannot ${what} in time: what was acknowledged is on the disk, and the next start replays it`,
      );
    } catch (error) {
      logger.warn({ error: messageOf(error) }, `cannot ${what}: the next start goes on from what is on the disk`);
    }
  }
}
