import type { EpochMs } from '../../core/clock.ts';
import type { Numbers, Part } from './part.ts';

const FIRST = 0;
const FIRST_TIME = 1;
const LAST = 2;
const LAST_TIME = 3;

/**
 * The first and the last value by source time. Of several values with one source time `first` is the one that arrived first
 * and `last` the one that arrived last.
 */
export class Ends implements Part {
  readonly initial = [0, Number.POSITIVE_INFINITY, 0, Number.NEGATIVE_INFINITY];
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }

  add(numbers: Numbers, value: number, time: EpochMs): void {
    this.#begin(numbers, value, time);
    this.#end(numbers, value, time);
  }

  merge(numbers: Numbers, other: Numbers, from: number): void {
    this.#begin(numbers, other[from + FIRST]!, other[from + FIRST_TIME]!);
    this.#end(numbers, other[from + LAST]!, other[from + LAST_TIME]!);
  }

  first(numbers: Numbers): number {
    return numbers[this.at + FIRST]!;
  }

  last(numbers: Numbers): number {
    return numbers[this.at + LAST]!;
  }

  #begin(numbers: Numbers, value: number, time: EpochMs): void {
    const { at } = this;
    if (time >= numbers[at + FIRST_TIME]!) return;
    numbers[at + FIRST_TIME] = time;
    numbers[at + FIRST] = value;
  }

  #end(numbers: Numbers, value: number, time: EpochMs): void {
    const { at } = this;
    if (time < numbers[at + LAST_TIME]!) return;
    numbers[at + LAST_TIME] = time;
    numbers[at + LAST] = value;
  }
}
