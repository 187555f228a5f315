import type { EpochMs } from '../../core/clock.ts';
import type { Quality } from '../../core/quality.ts';
import { listOf, numbersOf, unreadable } from '../snapshot.ts';

const WHAT = 'readings in the order of time';

/** Readings of one series in one queue: beyond, the oldest has to leave. */
export const MAX_QUEUED = 4096;

/** How many readings all queues hold, and how many they may: beyond, one that takes a reading has to give up its oldest. */
export class ReadingTally {
  readonly max: number;
  count = 0;

  constructor(max: number) {
    this.max = max;
  }
}

/** Readings of one series in the order of event time, equal ones in that of their arrival, of which the oldest leave. */
export class ReadingQueue<V extends number | string = number> {
  readonly #tally: ReadingTally;
  /** Those before `#head` have left. */
  #times: EpochMs[] = [];
  #values: V[] = [];
  #qualities: Quality[] = [];
  #head = 0;

  constructor(tally: ReadingTally) {
    this.#tally = tally;
  }

  get count(): number {
    return this.#times.length - this.#head;
  }

  /** Whether the oldest must leave, as there is no room for so many. */
  get isOverfull(): boolean {
    return this.count > MAX_QUEUED || (this.count > 1 && this.#tally.count > this.#tally.max);
  }

  /** Time of the oldest; +∞ where there is none. */
  get time(): EpochMs {
    return this.#times[this.#head] ?? Number.POSITIVE_INFINITY;
  }

  /** Value of the oldest. */
  get value(): V {
    return this.#values[this.#head]!;
  }

  /** Quality of the oldest. */
  get quality(): Quality {
    return this.#qualities[this.#head]!;
  }

  add(value: V, quality: Quality, time: EpochMs): void {
    const times = this.#times;
    let at = times.length;
    while (at > this.#head && times[at - 1]! > time) at--;
    if (at === times.length) {
      times.push(time);
      this.#values.push(value);
      this.#qualities.push(quality);
    } else {
      times.splice(at, 0, time);
      this.#values.splice(at, 0, value);
      this.#qualities.splice(at, 0, quality);
    }
    this.#tally.count++;
  }

  /** The oldest leaves. */
  shift(): void {
    this.#head++;
    this.#tally.count--;
    // Now and then, so that each costs the same on average.
    if (this.#head === this.#times.length || this.#head >= MAX_QUEUED) {
      this.#times.splice(0, this.#head);
      this.#values.splice(0, this.#head);
      this.#qualities.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** The oldest `count` readings, in order. */
  forOldest(count: number, visit: (value: V, quality: Quality, time: EpochMs) => void): void {
    const to = Math.min(this.#head + count, this.#times.length);
    for (let i = this.#head; i < to; i++) visit(this.#values[i]!, this.#qualities[i]!, this.#times[i]!);
  }

  /** Every reading leaves. */
  clear(): void {
    while (this.count > 0) this.shift();
  }

  snapshot(): unknown {
    const from = this.#head;
    return [this.#times.slice(from), this.#values.slice(from), this.#qualities.slice(from)];
  }

  /** Into a new instance. */
  restore(snapshot: unknown): void {
    const [times, values, qualities] = listOf(snapshot, WHAT);
    const count = listOf(times, WHAT).length;
    if (count > MAX_QUEUED) throw unreadable(WHAT, count);
    this.#times = [...numbersOf(times, count, WHAT)];
    this.#values = valuesOf<V>(values, count);
    this.#qualities = [...numbersOf(qualities, count, WHAT)] as Quality[];
    this.#tally.count += count;
  }
}

function valuesOf<V extends number | string>(snapshot: unknown, count: number): V[] {
  const values = listOf(snapshot, WHAT);
  const isFit =
    values.length === count && values.every((value) => typeof value === 'number' || typeof value === 'string');
  if (!isFit) throw unreadable(WHAT, snapshot);
  return [...values] as V[];
}
