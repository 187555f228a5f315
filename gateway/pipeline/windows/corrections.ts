import type { EpochMs } from '../../core/clock.ts';
import type { OpenWindow, OpenWindows } from './open-windows.ts';
import type { SeriesState } from './series-state.ts';

/** A window that has changed after the watermark passed its end. */
export interface Correction {
  readonly state: SeriesState;
  readonly windows: OpenWindows;
  readonly window: OpenWindow;
}

/** Corrections that are gathered for a while, so that a device that delivers its backlog does not cause one for each reading. */
export class Corrections {
  readonly #delayMs: number;
  #gathered: Correction[] = [];
  #dueAt: EpochMs = Number.POSITIVE_INFINITY;

  /** @param delayMs how long the first of them waits for others, in receive time */
  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** When they are given, in receive time; +∞ when there are none. */
  get dueAt(): EpochMs {
    return this.#dueAt;
  }

  /** All of them. */
  get gathered(): readonly Correction[] {
    return this.#gathered;
  }

  /** A window has changed at this receive time. */
  expect(correction: Correction, now: EpochMs): void {
    if (this.#dueAt === Number.POSITIVE_INFINITY) this.#dueAt = now + this.#delayMs;
    this.#gathered.push(correction);
  }

  /** All of them, which are given now. */
  take(): readonly Correction[] {
    const taken = this.#gathered;
    this.resume(Number.POSITIVE_INFINITY, []);
    return taken;
  }

  /** The wall clock was set: none is nearer by that. */
  step(byMs: number): void {
    this.#dueAt += byMs;
  }

  /** Goes on as an earlier process was. */
  resume(dueAt: EpochMs, gathered: readonly Correction[]): void {
    this.#dueAt = dueAt;
    this.#gathered = [...gathered];
  }
}
