import type { EpochMs } from '../../core/clock.ts';
import { numbersOf } from '../snapshot.ts';

/**
 * The first and the last value by source time. Of several values with one source time `first` is the one that arrived first
 * and `last` the one that arrived last.
 */
export class Ends {
  first = 0;
  last = 0;
  #firstTime = Number.POSITIVE_INFINITY;
  #lastTime = Number.NEGATIVE_INFINITY;

  add(value: number, time: EpochMs): void {
    if (time < this.#firstTime) {
      this.#firstTime = time;
      this.first = value;
    }
    if (time >= this.#lastTime) {
      this.#lastTime = time;
      this.last = value;
    }
  }

  /** Takes over values that arrived later than its own. */
  merge(later: Ends): void {
    if (later.#firstTime < this.#firstTime) {
      this.#firstTime = later.#firstTime;
      this.first = later.first;
    }
    if (later.#lastTime >= this.#lastTime) {
      this.#lastTime = later.#lastTime;
      this.last = later.last;
    }
  }

  snapshot(): readonly number[] {
    return [this.first, this.#firstTime, this.last, this.#lastTime];
  }

  restore(snapshot: unknown): void {
    const [first, firstTime, last, lastTime] = numbersOf(snapshot, 4, 'the ends of a window');
    this.first = first!;
    this.#firstTime = firstTime!;
    this.last = last!;
    this.#lastTime = lastTime!;
  }
}
