import type { EpochMs } from '../../core/clock.ts';
import { listOf } from '../snapshot.ts';
import type { JoinedSeries } from './joined-series.ts';
import type { SideReading } from './matcher.ts';
import { restoredReading, snapshotReading } from './side-reading.ts';

/** Readings that may still meet others of the other side: of each series in order of time. */
export class KeptReadings {
  /** Those of the series of the right. */
  readonly right: SideReading[] = [];
  /** By place. */
  readonly #lefts: SideReading[][] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Those of a series. */
  of({ isLeft, place }: JoinedSeries): readonly SideReading[] {
    return isLeft ? this.#leftOf(place) : this.right;
  }

  /** Adds a reading that is not older than the others of its series. */
  add(reading: SideReading): void {
    const { isLeft, place } = reading.of;
    (isLeft ? this.#leftOf(place) : this.right).push(reading);
    this.#count++;
  }

  /** Forgets those of a series that are older than `horizon`. */
  forget({ isLeft, place }: JoinedSeries, horizon: EpochMs): void {
    const list = isLeft ? this.#leftOf(place) : this.right;
    let gone = 0;
    while (gone < list.length && list[gone]!.time < horizon) gone++;
    if (gone === 0) return;
    list.splice(0, gone);
    this.#count -= gone;
  }

  /** Forgets all of them. */
  clear(): void {
    for (const list of [this.right, ...this.#lefts]) list.length = 0;
    this.#count = 0;
  }

  /** Forgets the oldest; false where there is none. */
  shed(): boolean {
    let oldest: SideReading[] | undefined;
    for (const list of [this.right, ...this.#lefts]) {
      if (list.length > 0 && (oldest === undefined || list[0]!.time < oldest[0]!.time)) oldest = list;
    }
    if (oldest === undefined) return false;
    oldest.shift();
    this.#count--;
    return true;
  }

  snapshot(): unknown {
    return [this.right, ...this.#lefts].flatMap((list) => list.map(snapshotReading));
  }

  restore(snapshot: unknown, at: (place: unknown) => JoinedSeries): void {
    for (const entry of listOf(snapshot, 'what a join keeps')) this.add(restoredReading(entry, at));
  }

  #leftOf(place: number): SideReading[] {
    while (this.#lefts.length <= place) this.#lefts.push([]);
    return this.#lefts[place]!;
  }
}
