import { numbersOf } from '../snapshot.ts';
import { DOWNSCALE, LARGE, representable } from './magnitude.ts';

/**
 * Sample variance and standard deviation (divided by n − 1; 0 for a single value), in one pass without cancellation.
 *
 * Sources: B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", Technometrics 4, 1962; merging:
 * T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.
 */
export class Spread {
  #count = 0;
  #mean = 0;
  /** Sum of the squared distances from the mean. */
  #squares = 0;
  #scale = 1;

  add(value: number): void {
    if (value > LARGE || value < -LARGE) this.#scaleDown();
    const scaled = value * this.#scale;
    const count = this.#count + 1;
    const distance = scaled - this.#mean;
    const mean = this.#mean + distance / count;
    this.#squares += distance * (scaled - mean);
    this.#mean = mean;
    this.#count = count;
  }

  /** Takes over the values of another spread. */
  merge(other: Spread): void {
    if (other.#count === 0) return;
    if (other.#scale < this.#scale) this.#scaleDown();
    const factor = this.#scale / other.#scale;
    const count = this.#count + other.#count;
    const distance = other.#mean * factor - this.#mean;
    this.#squares += other.#squares * factor * factor + distance * distance * ((this.#count * other.#count) / count);
    this.#mean += distance * (other.#count / count);
    this.#count = count;
  }

  /** Undefined where the variance is beyond the largest double. */
  variance(): number | undefined {
    return representable(this.#variance() / this.#scale / this.#scale);
  }

  /** Undefined where it is beyond the largest double. */
  stddev(): number | undefined {
    return representable(Math.sqrt(this.#variance()) / this.#scale);
  }

  snapshot(): readonly number[] {
    return [this.#count, this.#mean, this.#squares, this.#scale];
  }

  restore(snapshot: unknown): void {
    const [count, mean, squares, scale] = numbersOf(snapshot, 4, 'the spread of a window');
    this.#count = count!;
    this.#mean = mean!;
    this.#squares = squares!;
    this.#scale = scale!;
  }

  #variance(): number {
    return this.#count < 2 ? 0 : this.#squares / (this.#count - 1);
  }

  #scaleDown(): void {
    if (this.#scale !== 1) return;
    this.#scale = DOWNSCALE;
    this.#mean *= DOWNSCALE;
    this.#squares *= DOWNSCALE * DOWNSCALE;
  }
}
