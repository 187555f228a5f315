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
  /** What is usual at the time that was looked at. */
  usual = 0.5;
  /** How far the last value was from that. */
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
    const cycles = this.seek(series, elapsedMs);
    this.learn(series, value);
    if (cycles === 0) return 0;
    this.offset = value - this.usual;
    this.spread = this.#spreadOf(series);
    return cycles;
  }

  /** Goes to the bin of a time; `usual` and `spread` hold from one and two cycles on. Answers in how many cycles, up to ten, the bin was seen. */
  seek(series: SeriesMemory, elapsedMs: number): number {
    const { numbers, floats, bytes } = series;
    const { numbersAt: at, floatsAt, bytesAt } = this.#place;
    const place = Math.floor((elapsedMs + MARGIN_MS) / this.#binMs);
    const bin = place % this.#bins;
    if (place !== numbers[at + PLACE]!) this.#leave(series, place);
    this.usual = floats[floatsAt + 2 * bin]!;
    this.spread = this.#spreadOf(series);
    return bytes[bytesAt + bin]!;
  }

  /** Lets a value join the bin that was sought last. */
  learn(series: SeriesMemory, value: number): void {
    const { numbers, bytes } = series;
    const { numbersAt: at, bytesAt } = this.#place;
    const count = numbers[at + COUNT]! + 1;
    numbers[at + COUNT] = count;
    numbers[at + MEAN]! += (value - numbers[at + MEAN]!) / count;
    if (bytes[bytesAt + (numbers[at + PLACE]! % this.#bins)] === 0) return;
    const distance = Math.abs(value - this.usual);
    numbers[at + DISTANCE]! += (distance - numbers[at + DISTANCE]!) / count;
    const learnt = numbers[at + LEARNT]! + 1;
    numbers[at + LEARNT] = learnt;
    numbers[at + USUAL_DISTANCE]! += (distance - numbers[at + USUAL_DISTANCE]!) / Math.min(learnt, MEMORY);
  }

  #spreadOf({ numbers, floats }: SeriesMemory): number {
    const { numbersAt: at, floatsAt } = this.#place;
    return floats[floatsAt + 2 * (numbers[at + PLACE]! % this.#bins) + 1]! + COMMON * numbers[at + USUAL_DISTANCE]!;
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
