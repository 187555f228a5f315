/** Numbers that a profile takes in the block of memory of its series. */
export const PROFILE_NUMBERS = 6;

// Places of the numbers, from where the profile's begin.
const PLACE = 0;
const COUNT = 1;
const MEAN = 2;
const DISTANCE = 3;
const USUAL_DISTANCE = 4;
const LEARNT = 5;

/** Cycles that the profile of a bin is taken over. */
const CYCLES = 10;
/** Readings that the usual distance is taken over. */
const MEMORY = 4000;
/** Share of the usual distance anywhere that counts beside that of the bin: a bin that was quiet by luck is not to be trusted alone. */
const COMMON = 0.3;
/** Bins begin so long before the first reading would have it: what comes on the hour, give or take, is not on an edge. */
const MARGIN_MS = 60_000;
const LARGEST_FLOAT = 3.4e38;

/** The block of memory of a series. */
export interface SeriesMemory {
  readonly numbers: Float64Array;
  readonly floats: Float32Array;
  readonly bytes: Uint8Array;
}

/** Where in the block of a series a profile begins: `PROFILE_NUMBERS` numbers, two floats for each bin, a byte for each bin. */
export interface ProfilePlace {
  readonly numbersAt: number;
  readonly floatsAt: number;
  readonly bytesAt: number;
}

/**
 * What is usual at each time of a period, as the day or the week: of each of its bins the mean value and the mean distance from that, over the
 * last cycles. A cycle joins the profile when it has left the bin: so nothing is compared with itself. The profile is in the series' block of
 * memory; here is only what was found of the series looked at last. So one object serves all series.
 */
export class SeasonalProfile {
  readonly #binMs: number;
  readonly #bins: number;
  readonly #place: ProfilePlace;
  /** How far the last value was from what is usual at its time. */
  offset = 0.5;
  /** The distance that is usual there, to measure `offset` in; 0 where nothing ever moved. */
  spread = 0.5;

  constructor(binMs: number, bins: number, place: ProfilePlace) {
    this.#binMs = binMs;
    this.#bins = bins;
    this.#place = place;
  }

  /**
   * Compares a value with what is usual at its time, and learns it. `elapsedMs` is since the first reading, ascending; `value` from the first
   * reading too, so that the floats of the profile are precise where it matters.
   *
   * Answers in how many cycles, up to ten, this bin was seen; `offset` and `spread` hold from two on.
   */
  compare(series: SeriesMemory, value: number, elapsedMs: number): number {
    const { numbers, floats, bytes } = series;
    const { numbersAt: at, floatsAt, bytesAt } = this.#place;
    const place = Math.floor((elapsedMs + MARGIN_MS) / this.#binMs);
    const bin = place % this.#bins;
    if (place !== numbers[at + PLACE]!) this.#leave(series, place);

    const cycles = bytes[bytesAt + bin]!;
    const count = numbers[at + COUNT]! + 1;
    numbers[at + COUNT] = count;
    numbers[at + MEAN]! += (value - numbers[at + MEAN]!) / count;
    if (cycles === 0) return 0;
    const offset = value - floats[floatsAt + 2 * bin]!;
    const distance = Math.abs(offset);
    numbers[at + DISTANCE]! += (distance - numbers[at + DISTANCE]!) / count;
    const learnt = numbers[at + LEARNT]! + 1;
    numbers[at + LEARNT] = learnt;
    numbers[at + USUAL_DISTANCE]! += (distance - numbers[at + USUAL_DISTANCE]!) / Math.min(learnt, MEMORY);
    this.offset = offset;
    this.spread = floats[floatsAt + 2 * bin + 1]! + COMMON * numbers[at + USUAL_DISTANCE]!;
    return cycles;
  }

  /** Lets what was gathered in a bin join its profile, and begins to gather in the bin at `place`. */
  #leave(series: SeriesMemory, place: number): void {
    const { numbers, floats, bytes } = series;
    const { numbersAt: at, floatsAt, bytesAt } = this.#place;
    if (numbers[at + COUNT]! > 0) {
      const bin = numbers[at + PLACE]! % this.#bins;
      const earlier = bytes[bytesAt + bin]!;
      const cycles = Math.min(earlier + 1, CYCLES);
      const mean = floatsAt + 2 * bin;
      bytes[bytesAt + bin] = cycles;
      floats[mean] = within(floats[mean]! + (numbers[at + MEAN]! - floats[mean]!) / cycles);
      if (earlier > 0) {
        floats[mean + 1] = within(
          floats[mean + 1]! + (numbers[at + DISTANCE]! - floats[mean + 1]!) / Math.max(1, cycles - 1),
        );
      }
    }
    numbers[at + PLACE] = place;
    numbers[at + COUNT] = 0;
    numbers[at + MEAN] = 0;
    numbers[at + DISTANCE] = 0;
  }
}

function within(value: number): number {
  return Math.max(-LARGEST_FLOAT, Math.min(LARGEST_FLOAT, value));
}
