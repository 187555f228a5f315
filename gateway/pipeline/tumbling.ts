import type { EpochMs } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';

/** Assigns each time to one of equal windows side by side: `[n · size, (n + 1) · size)`, counted from the epoch. */
export class Tumbling {
  readonly sizeMs: number;

  /** @param sizeMs a whole number of milliseconds, at least 1 */
  constructor(sizeMs: number) {
    if (!Number.isSafeInteger(sizeMs) || sizeMs < 1) {
      throw new GatewayError(`Cannot make tumbling windows of ${sizeMs} ms`, {
        hint: 'The size is a whole number of milliseconds, at least 1.',
      });
    }
    this.sizeMs = sizeMs;
  }

  /** The start of the window that holds `time`; exact, as the remainder of two doubles is. */
  startOf(time: EpochMs): EpochMs {
    const into = time % this.sizeMs;
    return into < 0 ? time - into - this.sizeMs : time - into;
  }
}
