import type { Offset } from '../core/log.ts';

/** Where the last so many readings begin in the journal. */
export interface RememberedStart {
  /** The record that holds the first of them; it and all later ones must be kept. */
  readonly offset: Offset;
  /** Readings at the beginning of that record that are not among them. */
  readonly skip: number;
}

/** Knows where the last readings lie in the journal, so that a restart can remember exactly those. */
export class RememberedRange {
  readonly #capacity: number;
  #records: { readonly offset: Offset; readonly readings: number }[] = [];
  #first = 0;
  #held = 0;

  /** @param capacity the most readings that will be asked for */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A journal record has been analysed. */
  add(offset: Offset, readings: number): void {
    if (readings === 0) return;
    this.#records.push({ offset, readings });
    this.#held += readings;
    while (this.#held - this.#records[this.#first]!.readings >= this.#capacity) {
      this.#held -= this.#records[this.#first]!.readings;
      this.#first++;
    }
    // Forgetting in large steps keeps a step cheap.
    if (this.#first > 1024 && this.#first * 2 > this.#records.length) {
      this.#records = this.#records.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Where the last `readings` begin; at the first known record when there are fewer, at `otherwise` when there are none. */
  start(readings: number, otherwise: Offset): RememberedStart {
    let surplus = Math.max(0, this.#held - readings);
    for (let i = this.#first; i < this.#records.length; i++) {
      const record = this.#records[i]!;
      if (surplus < record.readings) return { offset: record.offset, skip: surplus };
      surplus -= record.readings;
    }
    return { offset: otherwise, skip: 0 };
  }
}
