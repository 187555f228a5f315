import type { EpochMs } from '../../core/clock.ts';
import { Quality } from '../../core/quality.ts';
import { listOf, numberOf } from '../snapshot.ts';
import type { JoinedSeries } from './joined-series.ts';
import { KeptReadings } from './kept-readings.ts';
import { type Matcher, pairOf, type SideReading, type TakePair } from './matcher.ts';

const WHAT = 'the window of a join';

/**
 * Every pair of the same tumbling window, a millisecond before its end: Flink's window join. Pairs of one left series come in order of the
 * left reading, then of the right one. Readings of bad quality are left out, as windows leave them out.
 */
export class WindowPairsMatcher implements Matcher {
  readonly #sizeMs: number;
  readonly #kept = new KeptReadings();
  /** End of the open window; +∞ where none is. */
  #end = Number.POSITIVE_INFINITY;

  constructor(sizeMs: number) {
    this.#sizeMs = sizeMs;
  }

  take(reading: SideReading, lefts: readonly JoinedSeries[], emit: TakePair): void {
    this.pass(reading.time, lefts, emit);
    if (reading.quality === Quality.bad) return;
    if (this.#end === Number.POSITIVE_INFINITY) this.#end = endOfWindow(reading.time, this.#sizeMs);
    this.#kept.add(reading);
  }

  pass(time: EpochMs, lefts: readonly JoinedSeries[], emit: TakePair): void {
    if (time < this.#end) return;
    const kept = this.#kept;
    for (const series of lefts) {
      for (const left of kept.of(series)) for (const right of kept.right) emit(pairOf(left, right, this.#end - 1));
    }
    this.#end = Number.POSITIVE_INFINITY;
    kept.clear();
  }

  get openUntil(): EpochMs {
    return this.#end;
  }

  get held(): number {
    return this.#kept.count;
  }

  shed(): boolean {
    return this.#kept.shed();
  }

  /** Its window has ended before that. */
  beginAnew(): void {
    return;
  }

  snapshot(): unknown {
    return [this.#end, this.#kept.snapshot()];
  }

  restore(snapshot: unknown, at: (place: unknown) => JoinedSeries): void {
    const [end, kept] = listOf(snapshot, WHAT);
    this.#end = numberOf(end, WHAT);
    this.#kept.restore(kept, at);
  }
}

/** End of the tumbling window that holds a time; windows are counted from the epoch. */
export function endOfWindow(time: EpochMs, sizeMs: number): EpochMs {
  return (Math.floor(time / sizeMs) + 1) * sizeMs;
}
