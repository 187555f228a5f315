import type { Clock } from '../core/clock.ts';

/** What a command may know of the process it runs in; the front door fills it in, so that commands can be tested without one. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  /** Id of the process. */
  readonly pid: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Standard output: results. Resolves when the reader has taken it. */
  out(text: string | Uint8Array): Promise<void>;
  /** Standard error: everything for a person. */
  err(text: string): void;
  /** Whether a person watches standard error. */
  readonly isTerminal: boolean;
  /** Aborts when the user or the system asks the process to end. */
  readonly signal: AbortSignal;
}

/** A command ended in a way that is told by the exit code alone: what there is to say has been said. */
export class ExitCode extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit code ${code}`);
    this.code = code;
  }
}
