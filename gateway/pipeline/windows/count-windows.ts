import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { Quality } from '../../core/quality.ts';
import type { Series } from '../../core/reading.ts';
import type { Emit } from '../../core/stage.ts';
import { listOf, numberOf } from '../snapshot.ts';
import { MAX_OVERLAP } from './assigners.ts';
import type { Computation } from './computation.ts';
import { OrderedWindows } from './ordered-windows.ts';
import { RunningWindow } from './running-window.ts';

/** Windows of so many readings; one begins with each `every`-th reading, by default where the one before has ended. */
export interface CountShape {
  readonly count: number;
  readonly every?: number | undefined;
}

/** Readings in one window: a day of ten in a second. */
const MAX_COUNT = 1_000_000;
const WHAT = 'windows of a number of readings';

/**
 * A shape with its default in place.
 *
 * @throws GatewayError for numbers that are not allowed
 */
export function checkedCount({ count, every = count }: CountShape): { readonly count: number; readonly every: number } {
  const isWhole = Number.isInteger(count) && count >= 1 && count <= MAX_COUNT;
  if (!isWhole) {
    throw new GatewayError(`Cannot make windows of ${count} readings`, {
      hint: `That is a whole number from 1 to ${MAX_COUNT}.`,
    });
  }
  const least = Math.ceil(count / MAX_OVERLAP);
  if (Number.isInteger(every) && every >= least && every <= count) return { count, every };
  throw new GatewayError(`Cannot begin windows of ${count} readings with every ${every} of them`, {
    hint: `That is a whole number from ${least} to ${count}, so that no reading is left out and at most ${MAX_OVERLAP} windows overlap.`,
  });
}

/**
 * Windows of a number of readings, in the order in which they came. One ends with the reading that makes it full; those of bad quality do not
 * fill it. Nothing is late for it, and no silence ends it.
 */
export class CountWindows extends OrderedWindows {
  readonly #count: number;
  readonly #every: number;
  #open: RunningWindow[] = [];
  /** Readings since the last window began; none has before the first. */
  #sinceBegin = Number.POSITIVE_INFINITY;

  constructor(definition: Computation, series: Series, shape: CountShape) {
    super(definition, series);
    const { count, every } = checkedCount(shape);
    this.#count = count;
    this.#every = every;
  }

  get isByTime(): boolean {
    return false;
  }

  get open(): readonly RunningWindow[] {
    return this.#open;
  }

  take(value: number | string, quality: Quality, time: EpochMs, emit: Emit): void {
    if (typeof value === 'string') return;
    const open = this.#open;
    if (this.#sinceBegin >= this.#every) {
      open.push(new RunningWindow(this.nextStart(time), this.firstRevision, this.definition));
      this.#sinceBegin = 0;
    }
    for (const window of open) window.add(value, quality, time);
    if (quality === Quality.bad) return;
    this.#sinceBegin++;
    const oldest = open[0];
    if (oldest === undefined || oldest.accumulator.count < this.#count) return;
    open.shift();
    this.give(oldest, emit);
  }

  protected snapshotOpen(): unknown {
    return [this.#sinceBegin, this.#open.map((window) => window.snapshot())];
  }

  protected restoreOpen(snapshot: unknown): void {
    const [sinceBegin, open] = listOf(snapshot, WHAT);
    this.#sinceBegin = numberOf(sinceBegin, WHAT);
    this.#open = listOf(open, WHAT).map((window) => RunningWindow.restored(window, this.definition));
  }
}
