import type { EpochMs } from '../../core/clock.ts';
import { Quality } from '../../core/quality.ts';
import { listOf, numberOf } from '../snapshot.ts';
import type { SideAggregate } from './join-definition.ts';
import type { JoinedSeries } from './joined-series.ts';
import { type Matcher, type SideReading, type TakePair, worst } from './matcher.ts';
import { SideSummary } from './side-summary.ts';
import { endOfWindow } from './window-pairs-matcher.ts';

const WHAT = 'the window of a join';

/**
 * What both sides come to in the same tumbling window, where both have something: one pair a window, a millisecond before its end, which is
 * the time that Flink gives to what a window join finds. Readings of bad quality are left out, as windows leave them out.
 */
export class WindowMatcher implements Matcher {
  readonly held = 0;
  readonly #sizeMs: number;
  readonly #aggregate: SideAggregate;
  /** End of the open window; +∞ where none is. */
  #end = Number.POSITIVE_INFINITY;
  /** By place; undefined for a series that has nothing in the open window. */
  #summaries: (SideSummary | undefined)[] = [];
  #right: SideSummary | undefined;

  constructor(sizeMs: number, aggregate: SideAggregate) {
    this.#sizeMs = sizeMs;
    this.#aggregate = aggregate;
  }

  take(reading: SideReading, lefts: readonly JoinedSeries[], emit: TakePair): void {
    this.pass(reading.time, lefts, emit);
    if (reading.quality === Quality.bad) return;
    if (this.#end === Number.POSITIVE_INFINITY) this.#end = endOfWindow(reading.time, this.#sizeMs);
    this.#summaryOf(reading.of).add(reading);
  }

  pass(time: EpochMs, lefts: readonly JoinedSeries[], emit: TakePair): void {
    if (time < this.#end) return;
    const right = this.#right;
    for (const left of lefts) {
      const summary = this.#summaries[left.place];
      if (right === undefined || summary === undefined) continue;
      emit({
        left,
        leftValue: summary.of(this.#aggregate),
        rightValue: right.of(this.#aggregate),
        time: this.#end - 1,
        quality: worst(summary.quality, right.quality),
        stamped: summary.stamped || right.stamped,
      });
    }
    this.#end = Number.POSITIVE_INFINITY;
    this.#summaries = [];
    this.#right = undefined;
  }

  get openUntil(): EpochMs {
    return this.#end;
  }

  shed(): boolean {
    return false;
  }

  /** Its window has ended before that. */
  beginAnew(): void {
    return;
  }

  snapshot(): unknown {
    if (this.#end === Number.POSITIVE_INFINITY) return null;
    return [this.#end, snapshotSummary(this.#right), this.#summaries.map(snapshotSummary)];
  }

  restore(snapshot: unknown): void {
    if (snapshot === null) return;
    const [end, right, summaries] = listOf(snapshot, WHAT);
    this.#end = numberOf(end, WHAT);
    this.#right = restoredSummary(right);
    this.#summaries = listOf(summaries, WHAT).map(restoredSummary);
  }

  #summaryOf({ isLeft, place }: JoinedSeries): SideSummary {
    if (!isLeft) {
      this.#right ??= new SideSummary();
      return this.#right;
    }
    while (this.#summaries.length <= place) this.#summaries.push(undefined);
    this.#summaries[place] ??= new SideSummary();
    return this.#summaries[place];
  }
}

function snapshotSummary(summary: SideSummary | undefined): unknown {
  return summary?.snapshot();
}

function restoredSummary(snapshot: unknown): SideSummary | undefined {
  return snapshot === undefined ? undefined : SideSummary.restored(snapshot);
}
