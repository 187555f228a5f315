import type { EpochMs } from '../../core/clock.ts';
import type { Quality } from '../../core/quality.ts';
import type { Window } from '../../core/window.ts';
import type { Accumulator } from '../aggregate/accumulator.ts';
import { listOf, numberOf } from '../snapshot.ts';
import type { Computation } from './computation.ts';

const WHAT = 'a window of readings';

/** A window whose end its readings decide. */
export class RunningWindow implements Window {
  readonly start: EpochMs;
  readonly accumulator: Accumulator;
  /** Of the next result. */
  revision: number;
  /** Whether it has taken readings since its last result. */
  changed = false;
  /** Whether its last result was early. */
  isPartial = false;
  #oldest: EpochMs = Number.POSITIVE_INFINITY;
  #newest: EpochMs = Number.NEGATIVE_INFINITY;
  #endsAt: EpochMs | undefined;

  /** @param start a whole number of milliseconds that no other window of its series and name has */
  constructor(start: EpochMs, revision: number, computation: Computation) {
    this.start = start;
    this.revision = revision;
    this.accumulator = computation.plan.accumulator();
  }

  add(value: number, quality: Quality, time: EpochMs): void {
    this.accumulator.add(value, quality, time);
    if (time < this.#oldest) this.#oldest = time;
    if (time > this.#newest) this.#newest = time;
    this.changed = true;
  }

  /** No reading of it comes any more, as another is of this time. */
  endAt(time: EpochMs): void {
    this.#endsAt = Math.max(time, this.start + 1);
  }

  /** Where it has not been said, the millisecond after its newest reading, and after its start. */
  get end(): EpochMs {
    return this.#endsAt ?? Math.max(this.start, Math.floor(this.#newest)) + 1;
  }

  /** From its oldest reading to the millisecond after the newest; the window itself where its end was said. */
  get extent(): Window {
    if (this.#endsAt !== undefined) return this;
    return { start: this.#oldest, end: Math.floor(this.#newest) + 1 };
  }

  snapshot(): unknown {
    const { start, revision, changed, isPartial, accumulator } = this;
    return [start, revision, changed, isPartial, this.#oldest, this.#newest, accumulator.snapshot()];
  }

  /** A window as it was in an earlier process. */
  static restored(snapshot: unknown, computation: Computation): RunningWindow {
    const [start, revision, changed, isPartial, oldest, newest, accumulator] = listOf(snapshot, WHAT);
    const window = new RunningWindow(numberOf(start, WHAT), numberOf(revision, WHAT), computation);
    window.changed = changed === true;
    window.isPartial = isPartial === true;
    window.#oldest = numberOf(oldest, WHAT);
    window.#newest = numberOf(newest, WHAT);
    window.accumulator.restore(accumulator);
    return window;
  }
}
