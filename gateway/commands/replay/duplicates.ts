import type { Reading } from '../../core/reading.ts';
import { Deduplicator } from '../../pipeline/deduplicate.ts';

/**
 * Recognises the duplicates among some readings of a recording. How far back one is known depends on all readings, so it is told of each where in
 * the recording it stands: then whoever sees which readings, each is a duplicate or is none.
 */
export class Duplicates {
  readonly #deduplicator: Deduplicator;
  #series = 0;
  #seen = 0;

  /** @param capacity at least so many of the last readings of the recording are remembered */
  constructor(capacity: number) {
    this.#deduplicator = new Deduplicator(capacity);
  }

  get capacity(): number {
    return this.#deduplicator.capacity;
  }

  get remembered(): number {
    return this.#deduplicator.remembered;
  }

  /**
   * The next one is of this series.
   * @param series a number that no other series has here
   * @param before how many readings of the recording came before it
   */
  expect(series: number, before: number): void {
    this.#series = series;
    this.#deduplicator.skip(before - this.#seen);
    this.#seen = before + 1;
  }

  /** Whether the one that was expected has been seen before; remembers it. */
  isDuplicate({ value, sourceTime }: Reading): boolean {
    return this.#deduplicator.isKnown(this.#series, value, sourceTime);
  }
}
