import type { EpochMs } from '../../core/clock.ts';
import type { JoinedSeries } from './joined-series.ts';
import { KeptReadings } from './kept-readings.ts';
import { type Matcher, pairOf, type SideReading, type TakePair } from './matcher.ts';

/** All pairs no further apart than `withinMs`, at the time of the later one: Flink's interval join with equal bounds on both sides. */
export class IntervalMatcher implements Matcher {
  readonly openUntil = Number.POSITIVE_INFINITY;
  readonly #withinMs: number;
  readonly #kept = new KeptReadings();

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  take(reading: SideReading, lefts: readonly JoinedSeries[], emit: TakePair): void {
    const { of, time } = reading;
    const horizon = time - this.#withinMs;
    const kept = this.#kept;
    if (of.isLeft) {
      const { right } = of.group;
      if (right !== undefined) kept.forget(right, horizon);
      for (const other of kept.right) emit(pairOf(reading, other, time));
    } else {
      for (const left of lefts) {
        kept.forget(left, horizon);
        for (const other of kept.of(left)) emit(pairOf(other, reading, time));
      }
    }
    // Also of a series whose other side says nothing any more.
    kept.forget(of, horizon);
    kept.add(reading);
  }

  pass(_time: EpochMs): void {
    return;
  }

  get held(): number {
    return this.#kept.count;
  }

  shed(): boolean {
    return this.#kept.shed();
  }

  beginAnew(): void {
    this.#kept.clear();
  }

  snapshot(): unknown {
    return this.#kept.snapshot();
  }

  restore(snapshot: unknown, at: (place: unknown) => JoinedSeries): void {
    this.#kept.restore(snapshot, at);
  }
}
