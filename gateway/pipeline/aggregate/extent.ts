import { representable } from './magnitude.ts';
import type { Numbers, Part } from './part.ts';

const MIN = 0;
const MAX = 1;

/** The smallest and the largest value. */
export class Extent implements Part {
  readonly initial = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }

  add(numbers: Numbers, value: number): void {
    const { at } = this;
    if (value < numbers[at + MIN]!) numbers[at + MIN] = value;
    if (value > numbers[at + MAX]!) numbers[at + MAX] = value;
  }

  merge(numbers: Numbers, other: Numbers, from: number): void {
    const { at } = this;
    numbers[at + MIN] = Math.min(numbers[at + MIN]!, other[from + MIN]!);
    numbers[at + MAX] = Math.max(numbers[at + MAX]!, other[from + MAX]!);
  }

  min(numbers: Numbers): number {
    return numbers[this.at + MIN]!;
  }

  max(numbers: Numbers): number {
    return numbers[this.at + MAX]!;
  }

  /** Undefined where the difference is beyond the largest double. */
  range(numbers: Numbers): number | undefined {
    return representable(this.max(numbers) - this.min(numbers));
  }
}
