import { DOWNSCALE, LARGE, representable } from './magnitude.ts';
import type { Numbers, Part } from './part.ts';

const COUNT = 0;
const MEAN = 1;
/** Sum of the squared distances from the mean. */
const SQUARES = 2;
const SCALE = 3;

/**
 * Sample variance and standard deviation (divided by n − 1; 0 for a single value), in one pass without cancellation.
 *
 * Sources: B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", Technometrics 4, 1962; merging:
 * T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.
 */
export class Spread implements Part {
  readonly initial = [0, 0, 0, 1];
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }

  add(numbers: Numbers, value: number): void {
    const { at } = this;
    if (value > LARGE || value < -LARGE) this.#scaleDown(numbers);
    const scaled = value * numbers[at + SCALE]!;
    const count = numbers[at + COUNT]! + 1;
    const distance = scaled - numbers[at + MEAN]!;
    const mean = numbers[at + MEAN]! + distance / count;
    numbers[at + SQUARES]! += distance * (scaled - mean);
    numbers[at + MEAN] = mean;
    numbers[at + COUNT] = count;
  }

  merge(numbers: Numbers, other: Numbers, from: number): void {
    const { at } = this;
    const laterCount = other[from + COUNT]!;
    if (laterCount === 0) return;
    if (other[from + SCALE]! < numbers[at + SCALE]!) this.#scaleDown(numbers);
    const factor = numbers[at + SCALE]! / other[from + SCALE]!;
    const before = numbers[at + COUNT]!;
    const count = before + laterCount;
    const distance = other[from + MEAN]! * factor - numbers[at + MEAN]!;
    numbers[at + SQUARES]! +=
      other[from + SQUARES]! * factor * factor + distance * distance * ((before * laterCount) / count);
    numbers[at + MEAN]! += distance * (laterCount / count);
    numbers[at + COUNT] = count;
  }

  /** Undefined where the variance is beyond the largest double. */
  variance(numbers: Numbers): number | undefined {
    const scale = numbers[this.at + SCALE]!;
    return representable(this.#scaledVariance(numbers) / scale / scale);
  }

  /** Undefined where it is beyond the largest double. */
  stddev(numbers: Numbers): number | undefined {
    return representable(Math.sqrt(this.#scaledVariance(numbers)) / numbers[this.at + SCALE]!);
  }

  #scaledVariance(numbers: Numbers): number {
    const count = numbers[this.at + COUNT]!;
    return count < 2 ? 0 : numbers[this.at + SQUARES]! / (count - 1);
  }

  #scaleDown(numbers: Numbers): void {
    const { at } = this;
    if (numbers[at + SCALE] !== 1) return;
    numbers[at + SCALE] = DOWNSCALE;
    numbers[at + MEAN]! *= DOWNSCALE;
    numbers[at + SQUARES]! *= DOWNSCALE * DOWNSCALE;
  }
}
