import type { EpochMs } from '../core/clock.ts';
import type { Bound } from '../core/memory.ts';
import type { Reading, Series } from '../core/reading.ts';

/** So many of each kind are remembered: 24 bytes each. */
const MAX_NOTES = 4_096;

/** What is remembered of the readings of one series and time. */
export interface RememberedFate {
  /** The watermark of the device when it came too late for some window; undefined where it did not, or that is forgotten. */
  readonly lateAt: EpochMs | undefined;
  readonly isReduced: boolean;
  readonly duplicates: number;
}

/**
 * The last readings that did not simply go through everything, so that a person can be told why. Kept since the process started; what a
 * restart replays from the journal is in it, what a checkpoint covers is not.
 */
export class FateMemory {
  readonly #late = new Notes();
  readonly #reduced = new Notes();
  readonly #duplicates = new Notes();

  /** A window had closed. Hot path, as the others. @param watermark of its device then */
  late(reading: Reading, watermark: EpochMs): void {
    this.#late.add(reading, watermark);
  }

  /** The reduction has left it out. */
  reduced(reading: Reading): void {
    this.#reduced.add(reading, 0);
  }

  /** It was seen before. */
  duplicate(reading: Reading): void {
    this.#duplicates.add(reading, 0);
  }

  /** What is remembered of readings of a series at a time. */
  of(series: Series, time: EpochMs): RememberedFate {
    return {
      lateAt: this.#late.find(series, time)[0],
      isReduced: this.#reduced.find(series, time).length > 0,
      duplicates: this.#duplicates.find(series, time).length,
    };
  }

  /** Notes of late and left out readings that have made room for newer ones. */
  get forgotten(): number {
    return this.#late.forgotten + this.#reduced.forgotten;
  }

  /** What it holds in memory, and the most it can. */
  bounds(): readonly Bound[] {
    const all = [this.#late, this.#reduced, this.#duplicates];
    const used = all.reduce((sum, { held }) => sum + held, 0);
    return [{ name: 'fates remembered', used, max: all.length * MAX_NOTES, unit: 'readings' }];
  }
}

/** A ring of readings, as columns. */
class Notes {
  readonly #series: Series[] = [];
  readonly #times = new Float64Array(MAX_NOTES);
  readonly #details = new Float64Array(MAX_NOTES);
  #total = 0;

  get held(): number {
    return Math.min(this.#total, MAX_NOTES);
  }

  get forgotten(): number {
    return this.#total - this.held;
  }

  add({ series, sourceTime }: Reading, detail: number): void {
    const at = this.#total++ % MAX_NOTES;
    this.#series[at] = series;
    this.#times[at] = sourceTime;
    this.#details[at] = detail;
  }

  /** Their details. */
  find(series: Series, time: EpochMs): readonly number[] {
    const details: number[] = [];
    for (let at = 0; at < this.held; at++) {
      if (this.#times[at] === time && this.#series[at] === series) details.push(this.#details[at]!);
    }
    return details;
  }
}
