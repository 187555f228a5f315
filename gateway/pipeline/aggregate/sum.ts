import { numbersOf } from '../snapshot.ts';
import { DOWNSCALE, LARGE, representable } from './magnitude.ts';

/**
 * Sum and mean with a compensation for what rounding lost: the error does not grow with the number of values.
 *
 * Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54, 1974.
 */
export class Sum {
  #sum = 0;
  #lost = 0;
  #scale = 1;

  add(value: number): void {
    if (value > LARGE || value < -LARGE) this.#scaleDown();
    this.#add(value * this.#scale);
  }

  /** Takes over the values of another sum. */
  merge(other: Sum): void {
    if (other.#scale < this.#scale) this.#scaleDown();
    const factor = this.#scale / other.#scale;
    this.#add(other.#sum * factor);
    this.#lost += other.#lost * factor;
  }

  /** Undefined where the sum is beyond the largest double. */
  sum(): number | undefined {
    return representable((this.#sum + this.#lost) / this.#scale);
  }

  /** @param count how many values were added, at least 1 */
  mean(count: number): number {
    const mean = (this.#sum + this.#lost) / count / this.#scale;
    return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, mean));
  }

  snapshot(): readonly number[] {
    return [this.#sum, this.#lost, this.#scale];
  }

  restore(snapshot: unknown): void {
    const [sum, lost, scale] = numbersOf(snapshot, 3, 'the sum of a window');
    this.#sum = sum!;
    this.#lost = lost!;
    this.#scale = scale!;
  }

  #add(value: number): void {
    const sum = this.#sum;
    const next = sum + value;
    this.#lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    this.#sum = next;
  }

  #scaleDown(): void {
    if (this.#scale !== 1) return;
    this.#scale = DOWNSCALE;
    this.#sum *= DOWNSCALE;
    this.#lost *= DOWNSCALE;
  }
}
