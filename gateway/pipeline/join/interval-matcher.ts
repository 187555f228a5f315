import type { EpochMs } from '../../core/clock.ts';
import { listOf } from '../snapshot.ts';
import type { JoinedSeries } from './joined-series.ts';
import { type Matcher, type SideReading, type TakePair, worst } from './matcher.ts';
import { restoredReading, snapshotReading } from './side-reading.ts';

/** All pairs no further apart than `withinMs`, at the time of the later one: Flink's interval join with equal bounds on both sides. */
export class IntervalMatcher implements Matcher {
  readonly openUntil = Number.POSITIVE_INFINITY;
  readonly #withinMs: number;
  /** What the other side may still meet, in order of time, by place. */
  readonly #recent: SideReading[][] = [];
  #right: SideReading[] = [];
  #held = 0;

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  take(reading: SideReading, lefts: readonly JoinedSeries[], emit: TakePair): void {
    const own = this.#of(reading.of);
    const horizon = reading.time - this.#withinMs;
    if (reading.of.isLeft) {
      this.#forget(this.#right, horizon);
      for (const other of this.#right) emit(pairOf(reading, other, reading.time));
    } else {
      for (const left of lefts) {
        const others = this.#of(left);
        this.#forget(others, horizon);
        for (const other of others) emit(pairOf(other, reading, reading.time));
      }
    }
    // Also of a series whose other side says nothing any more.
    this.#forget(own, horizon);
    own.push(reading);
    this.#held++;
  }

  pass(_time: EpochMs): void {
    return;
  }

  get held(): number {
    return this.#held;
  }

  shed(): boolean {
    let oldest: SideReading[] | undefined;
    for (const list of [this.#right, ...this.#recent]) {
      if (list.length > 0 && (oldest === undefined || list[0]!.time < oldest[0]!.time)) oldest = list;
    }
    if (oldest === undefined) return false;
    oldest.shift();
    this.#held--;
    return true;
  }

  snapshot(): unknown {
    return [this.#right, ...this.#recent].flatMap((list) => list.map(snapshotReading));
  }

  restore(snapshot: unknown, at: (place: unknown) => JoinedSeries): void {
    for (const entry of listOf(snapshot, 'what a join keeps')) {
      const reading = restoredReading(entry, at);
      this.#of(reading.of).push(reading);
      this.#held++;
    }
  }

  #of({ isLeft, place }: JoinedSeries): SideReading[] {
    if (!isLeft) return this.#right;
    while (this.#recent.length <= place) this.#recent.push([]);
    return this.#recent[place]!;
  }

  #forget(list: SideReading[], horizon: EpochMs): void {
    let gone = 0;
    while (gone < list.length && list[gone]!.time < horizon) gone++;
    if (gone === 0) return;
    list.splice(0, gone);
    this.#held -= gone;
  }
}

function pairOf(left: SideReading, right: SideReading, time: EpochMs) {
  return {
    left: left.of,
    leftValue: left.value,
    rightValue: right.value,
    time,
    quality: worst(left.quality, right.quality),
    stamped: left.stamped || right.stamped,
  };
}
