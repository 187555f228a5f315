import { DOWNSCALE, LARGE, representable } from './magnitude.ts';
import type { Numbers, Part } from './part.ts';

const SUM = 0;
const LOST = 1;
const SCALE = 2;

/**
 * Sum and mean with a compensation for what rounding lost: the error does not grow with the number of values.
 *
 * Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54, 1974.
 */
export class Sum implements Part {
  readonly initial = [0, 0, 1];
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }

  add(numbers: Numbers, value: number): void {
    if (value > LARGE || value < -LARGE) this.#scaleDown(numbers);
    this.#add(numbers, value * numbers[this.at + SCALE]!);
  }

  merge(numbers: Numbers, other: Numbers, from: number): void {
    const { at } = this;
    const scale = other[from + SCALE]!;
    if (scale < numbers[at + SCALE]!) this.#scaleDown(numbers);
    const factor = numbers[at + SCALE]! / scale;
    this.#add(numbers, other[from + SUM]! * factor);
    numbers[at + LOST]! += other[from + LOST]! * factor;
  }

  /** Undefined where the sum is beyond the largest double. */
  sum(numbers: Numbers): number | undefined {
    return representable(this.#scaled(numbers) / numbers[this.at + SCALE]!);
  }

  /** @param count how many values were added, at least 1 */
  mean(numbers: Numbers, count: number): number {
    const mean = this.#scaled(numbers) / count / numbers[this.at + SCALE]!;
    return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, mean));
  }

  #scaled(numbers: Numbers): number {
    return numbers[this.at + SUM]! + numbers[this.at + LOST]!;
  }

  #add(numbers: Numbers, value: number): void {
    const { at } = this;
    const sum = numbers[at + SUM]!;
    const next = sum + value;
    numbers[at + LOST]! += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    numbers[at + SUM] = next;
  }

  #scaleDown(numbers: Numbers): void {
    const { at } = this;
    if (numbers[at + SCALE] !== 1) return;
    numbers[at + SCALE] = DOWNSCALE;
    numbers[at + SUM]! *= DOWNSCALE;
    numbers[at + LOST]! *= DOWNSCALE;
  }
}
