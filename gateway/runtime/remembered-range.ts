import type { Offset } from '../core/log.ts';

/** Knows from which journal record on the last so many readings lie, so that the journal is kept long enough to remember them. */
export class RememberedRange {
  readonly #capacity: number;
  #records: { offset: Offset; readings: number }[] = [];
  #first = 0;
  #readings = 0;

  /** @param capacity how many readings must stay readable */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(offset: Offset, readings: number): void {
    if (readings === 0) return;
    this.#records.push({ offset, readings });
    this.#readings += readings;
    while (this.#readings - this.#records[this.#first]!.readings >= this.#capacity) {
      this.#readings -= this.#records[this.#first]!.readings;
      this.#first++;
    }
    // Forgetting in large steps keeps a step cheap.
    if (this.#first > 1024 && this.#first * 2 > this.#records.length) {
      this.#records = this.#records.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The first record that must be kept; `otherwise` when nothing is remembered. */
  from(otherwise: Offset): Offset {
    return Math.min(otherwise, this.#records[this.#first]?.offset ?? otherwise);
  }
}
