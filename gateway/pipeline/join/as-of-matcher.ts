import type { EpochMs } from '../../core/clock.ts';
import type { JoinedSeries } from './joined-series.ts';
import { type Matcher, pairOf, type SideReading, type TakePair } from './matcher.ts';
import { restoredReading, snapshotReading } from './side-reading.ts';

/** Each reading of the left with the last one of the right that is not newer, and not older by more than `asOfMs`; at the time of the left one. */
export class AsOfMatcher implements Matcher {
  readonly openUntil = Number.POSITIVE_INFINITY;
  readonly held = 0;
  readonly #asOfMs: number;
  #last: SideReading | undefined;

  constructor(asOfMs: number) {
    this.#asOfMs = asOfMs;
  }

  take(reading: SideReading, _lefts: readonly JoinedSeries[], emit: TakePair): void {
    if (!reading.of.isLeft) {
      this.#last = reading;
      return;
    }
    const last = this.#last;
    if (last === undefined || reading.time - last.time > this.#asOfMs) return;
    emit(pairOf(reading, last, reading.time));
  }

  pass(_time: EpochMs): void {
    return;
  }

  shed(): boolean {
    return false;
  }

  beginAnew(): void {
    this.#last = undefined;
  }

  snapshot(): unknown {
    return this.#last === undefined ? null : snapshotReading(this.#last);
  }

  restore(snapshot: unknown, at: (place: unknown) => JoinedSeries): void {
    if (snapshot !== null) this.#last = restoredReading(snapshot, at);
  }
}
