import { numbersOf } from '../snapshot.ts';
import { representable } from './magnitude.ts';

/** The smallest and the largest value. */
export class Extent {
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  add(value: number): void {
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  merge(other: Extent): void {
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  /** Undefined where the difference is beyond the largest double. */
  range(): number | undefined {
    return representable(this.max - this.min);
  }

  snapshot(): readonly number[] {
    return [this.min, this.max];
  }

  restore(snapshot: unknown): void {
    const [min, max] = numbersOf(snapshot, 2, 'the extent of a window');
    this.min = min!;
    this.max = max!;
  }
}
