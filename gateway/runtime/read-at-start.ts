import type { Clock } from '../core/clock.ts';
import { type Log, LogReadError, type LogReader, type LogRecord } from '../core/log.ts';

/** What the disk has refused so often is passed over: with the waits between, after three seconds, and what the system itself has tried. */
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 200;

/** What a read at a start works with. */
export interface StartReading {
  readonly log: Log;
  readonly clock: Clock;
  /** Ends it early: it rejects with its reason. */
  readonly signal: AbortSignal;
}

/**
 * The next records while the gateway starts. Nothing comes in meanwhile, so a stretch that the disk refuses is not waited for for long: it is
 * passed over, and counted as damage. Rejects where the disk gives nothing at all.
 */
export async function readAtStart(
  { log, clock, signal }: StartReading,
  reader: LogReader,
  maxBytes: number,
): Promise<readonly LogRecord[]> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await reader.read(maxBytes);
    } catch (error) {
      if (!(error instanceof LogReadError)) throw error;
      if (attempt % ATTEMPTS > 0) await clock.sleep(FIRST_WAIT_MS * 2 ** ((attempt % ATTEMPTS) - 1), signal);
      else if (!(await log.passOver(error.offset))) throw error;
    }
  }
}
