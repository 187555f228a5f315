import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { Quality } from '../../core/quality.ts';
import type { Series } from '../../core/reading.ts';
import type { Emit } from '../../core/stage.ts';
import type { Accumulator } from '../aggregate/accumulator.ts';
import { listOf, numbersOf } from '../snapshot.ts';
import type { Computation } from './computation.ts';
import { OrderedWindows } from './ordered-windows.ts';
import { ReadingQueue, type ReadingTally } from './reading-queue.ts';
import type { RunningWindow } from './running-window.ts';
import { resultOf } from './window-results.ts';

/** With each reading a window of this size that ends with it, in milliseconds. */
export interface SlidingShape {
  readonly slidingMs: number;
}

/** So many readings are aggregated once and for all: a result adds at most as many one by one, and merges the rest block by block. */
const BLOCK = 32;
const WHAT = 'a sliding window';
const NONE_OPEN: readonly RunningWindow[] = [];

/**
 * The size of the windows in milliseconds.
 *
 * @throws GatewayError for one that is not allowed
 */
export function checkedSliding({ slidingMs }: SlidingShape): number {
  if (Number.isSafeInteger(slidingMs) && slidingMs >= 1) return slidingMs;
  throw new GatewayError(`Cannot make sliding windows of ${slidingMs} ms`, {
    hint: 'That is a whole number of milliseconds, at least 1.',
  });
}

/**
 * With each reading the window that ends with its millisecond, as in Flink and eKuiper. Readings have to come in the order of event time; one of bad
 * quality is in the windows of those that follow, and has none of its own. Of several readings of one millisecond each corrects the result of the one
 * before.
 *
 * Where more readings lie in a window than there is room for, it is that of the latest, and its results have the field `cut`, 1.
 */
export class SlidingWindows extends OrderedWindows {
  readonly #sizeMs: number;
  readonly #readings: ReadingQueue;
  /** Readings in order, in blocks of which all are full but the last; the oldest readings of the first have left. */
  #blocks: Accumulator[] = [];
  /** How many readings of the first block have left. */
  #gone = 0;
  /** How many the last block holds. */
  #last = BLOCK;
  #end: EpochMs = Number.NEGATIVE_INFINITY;
  #revision = 0;
  /** Time of the last reading that left for want of room. */
  #cutAt: EpochMs = Number.NEGATIVE_INFINITY;

  constructor(definition: Computation, series: Series, shape: SlidingShape, tally: ReadingTally) {
    super(definition, series);
    this.#sizeMs = checkedSliding(shape);
    this.#readings = new ReadingQueue(tally);
  }

  get isByTime(): boolean {
    return true;
  }

  /** Each ends as it begins. */
  get open(): readonly RunningWindow[] {
    return NONE_OPEN;
  }

  override get openCount(): number {
    return this.#readings.count > 0 ? 1 : 0;
  }

  take(value: number | string, quality: Quality, time: EpochMs, emit: Emit): void {
    if (typeof value === 'string') return;
    const end = Math.floor(time) + 1;
    const start = end - this.#sizeMs;
    this.#add(value, quality, time);
    while (this.#readings.time < start) this.#shift();
    while (this.#readings.isOverfull) {
      this.#cutAt = this.#readings.time;
      this.#shift();
    }
    if (quality === Quality.bad) return;
    this.#revision = end === this.#end ? this.#revision + 1 : this.firstRevision;
    this.#end = end;
    const window = { start, end, revision: this.#revision, isPartial: false, accumulator: this.#content() };
    const result = resultOf(this.series, this.definition, window, false);
    emit(this.#cutAt < start ? result : { ...result, fields: { ...result.fields, cut: 1 } });
  }

  override beginAnew(emit: Emit): void {
    super.beginAnew(emit);
    this.#readings.clear();
    this.#blocks = [];
    this.#gone = 0;
    this.#last = BLOCK;
    this.#end = Number.NEGATIVE_INFINITY;
    this.#cutAt = Number.NEGATIVE_INFINITY;
  }

  #add(value: number, quality: Quality, time: EpochMs): void {
    this.#readings.add(value, quality, time);
    this.#put(value, quality, time);
  }

  /** Into the last block. */
  #put(value: number, quality: Quality, time: EpochMs): void {
    if (this.#last === BLOCK) {
      this.#blocks.push(this.definition.plan.accumulator());
      this.#last = 0;
    }
    this.#blocks.at(-1)!.add(value, quality, time);
    this.#last++;
  }

  #shift(): void {
    this.#readings.shift();
    this.#gone++;
    if (this.#gone < BLOCK) return;
    this.#blocks.shift();
    this.#gone = 0;
  }

  #content(): Accumulator {
    const content = this.definition.plan.accumulator();
    this.#readings.forOldest(BLOCK - this.#gone, (value, quality, time) => content.add(value, quality, time));
    for (let i = 1; i < this.#blocks.length; i++) content.merge(this.#blocks[i]!);
    return content;
  }

  protected snapshotOpen(): unknown {
    return [this.#readings.snapshot(), [this.#gone, this.#end, this.#revision, this.#cutAt]];
  }

  protected restoreOpen(snapshot: unknown): void {
    const [readings, numbers] = listOf(snapshot, WHAT);
    const [gone, end, revision, cutAt] = numbersOf(numbers, 4, WHAT);
    this.#readings.restore(readings);
    this.#gone = gone!;
    if (this.#gone > 0) {
      this.#blocks = [this.definition.plan.accumulator()];
      this.#last = this.#gone;
    }
    this.#end = end!;
    this.#revision = revision!;
    this.#cutAt = cutAt!;
    this.#readings.forOldest(this.#readings.count, (value, quality, time) => this.#put(value, quality, time));
  }
}
