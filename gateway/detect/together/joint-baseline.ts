import { rowStart, triangleSize } from './cholesky.ts';
import {
  averageInUnits,
  beginAnew,
  CHANNEL_NUMBERS,
  lastInUnits,
  learnNoise,
  moveLevel,
  noiseOfAverage,
  passReading,
  resolutionOf,
  seenOf,
  smoothedOffset,
  wanderOf,
} from './joint-channels.ts';
import { MAX_CHANNELS } from './joint-detector.ts';

/** A channel that only wanders is followed within about so many readings, even during an anomaly: its level is no news. */
const FOLLOW = 50;

/** What a baseline is of. */
export interface BaselineSettings {
  /** Readings that the averages move over. */
  readonly smooth: number;
  /** Readings that spreads and correlations are taken over. */
  readonly memory: number;
}

/** The parts of a baseline that are kept. */
export interface BaselineSnapshot {
  readonly channels: Float64Array;
  readonly covariances: Float64Array;
}

/** What is normal for several channels: the level of each, and how their moving averages depart from it, together. */
export class JointBaseline {
  readonly #settings: BaselineSettings;
  #channels = new Float64Array(0);
  #covariances = new Float64Array(0);
  /** Of the moving averages from their levels, at the moment; NaN where a channel says nothing. */
  #offsets = new Float64Array(0);

  constructor(settings: BaselineSettings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#offsets.length;
  }

  /** How the offsets go together, as rows of the lower triangle. */
  get covariances(): Float64Array {
    return this.#covariances;
  }

  addChannel(): void {
    const size = this.size + 1;
    this.#channels = grown(this.#channels, size * CHANNEL_NUMBERS);
    this.#covariances = grown(this.#covariances, triangleSize(size));
    this.#offsets = new Float64Array(size).fill(Number.NaN);
  }

  /**
   * Moves the averages; answers whether any channel says something.
   *
   * @param furthestOf how far from its level a reading of the channel at a place may be to count as what it is
   */
  takeIn(values: Float64Array, furthestOf: (place: number) => number): boolean {
    let present = 0;
    for (let place = 0; place < this.size; place++) {
      const value = values[place]!;
      const isPresent = !Number.isNaN(value);
      if (isPresent) present++;
      this.#offsets[place] = isPresent
        ? smoothedOffset(this.#channels, placeOf(place), value, this.#settings.smooth, furthestOf(place))
        : Number.NaN;
    }
    return present > 0;
  }

  /** How far the moving average is from the level; NaN where the channel says nothing. */
  offsetOf(place: number): number {
    return this.#offsets[place]!;
  }

  /** Readings that the channel was learnt from. */
  seenOf(place: number): number {
    return seenOf(this.#channels, placeOf(place));
  }

  /** Standard deviation of the offset: not below that of noise alone, nor what the sensor can tell apart in so many of them; 0 for a constant. */
  spreadOf(place: number, resolvedIn: number): number {
    const at = placeOf(place);
    const noise = noiseOfAverage(this.#channels, at, this.#settings.smooth);
    const spread = Math.sqrt(Math.max(this.#covariances[rowStart(place) + place]!, noise));
    return Math.max(spread, resolutionOf(this.#channels, at) / resolvedIn);
  }

  /** The moving average of a channel plus `offset`, in the unit of its series. */
  averageOf(place: number, offset: number): number {
    return averageInUnits(this.#channels, placeOf(place), offset);
  }

  /** The last reading of a channel, in the unit of its series. */
  lastOf(place: number): number {
    return lastInUnits(this.#channels, placeOf(place));
  }

  /** Has the offset of a channel learnt as another one. */
  replaceOffset(place: number, offset: number): void {
    this.#offsets[place] = offset;
  }

  /** The moment is normal. */
  learn(): void {
    const { memory } = this.#settings;
    for (let place = 0; place < this.size; place++) {
      if (Number.isNaN(this.#offsets[place]!)) continue;
      this.#learnCovariances(place);
      learnNoise(this.#channels, placeOf(place), memory);
    }
    for (let place = 0; place < this.size; place++) {
      const offset = this.#offsets[place]!;
      if (Number.isNaN(offset)) continue;
      const share = Math.max(1 / Math.min(memory, this.seenOf(place)), this.#followOf(place, 1));
      moveLevel(this.#channels, placeOf(place), offset * share);
    }
  }

  /**
   * Moves the level of a channel after its offset, as far as it wanders: what is normal for it is not known any more.
   *
   * @param unexplained share of its variance that the other channels do not explain: what wanders with them is held
   */
  follow(place: number, unexplained: number): void {
    moveLevel(this.#channels, placeOf(place), this.#offsets[place]! * this.#followOf(place, unexplained));
  }

  /** Ends a moment, normal or not. */
  pass(): void {
    for (let place = 0; place < this.size; place++) {
      if (!Number.isNaN(this.#offsets[place]!)) passReading(this.#channels, placeOf(place));
    }
  }

  /** What the channels say now is normal, and as little is believed of what was learnt as if it were from `seen` readings. */
  beginAnew(seen: number): void {
    for (let place = 0; place < this.size; place++) beginAnew(this.#channels, placeOf(place), seen);
  }

  snapshot(): BaselineSnapshot {
    return { channels: this.#channels.slice(), covariances: this.#covariances.slice() };
  }

  /** Into a baseline that has no more channels; false where it is no snapshot of one. */
  restore(snapshot: unknown): boolean {
    if (typeof snapshot !== 'object' || snapshot === null) return false;
    const { channels, covariances } = snapshot as Partial<BaselineSnapshot>;
    if (!(channels instanceof Float64Array) || !(covariances instanceof Float64Array)) return false;
    const size = channels.length / CHANNEL_NUMBERS;
    const fits = Number.isInteger(size) && size >= this.size && size <= MAX_CHANNELS;
    if (!fits || covariances.length !== triangleSize(size)) return false;
    while (this.size < size) this.addChannel();
    this.#channels.set(channels);
    this.#covariances.set(covariances);
    return true;
  }

  #learnCovariances(place: number): void {
    const row = rowStart(place);
    for (let other = 0; other <= place; other++) {
      const product = this.#offsets[place]! * this.#offsets[other]!;
      if (Number.isNaN(product)) continue;
      const share = 1 / Math.min(this.#settings.memory, this.seenOf(place), this.seenOf(other));
      this.#covariances[row + other]! += (product - this.#covariances[row + other]!) * share;
    }
  }

  /** The share of its offset by which the level of a channel follows it: the cube leaves those alone of which only a part is wandering. */
  #followOf(place: number, unexplained: number): number {
    const variance = this.#covariances[rowStart(place) + place]! * unexplained;
    return wanderOf(this.#channels, placeOf(place), variance, this.#settings.smooth) ** 3 / FOLLOW;
  }
}

function placeOf(channel: number): number {
  return channel * CHANNEL_NUMBERS;
}

function grown(numbers: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(size);
  larger.set(numbers);
  return larger;
}
