import type { EpochMs } from '../../core/clock.ts';

/**
 * Puts the readings of several channels together into moments, in event time: at each the newest value of every channel, unless that is too old
 * (an as-of join). A moment is complete when every channel has brought something new; or, as one may be slow or silent, when a reading comes
 * that belongs to the next. So the quickest channel sets the pace, and what was read at one time stays together.
 */
export class AsOfVector {
  readonly #maxAgeMs: number;
  #values = new Float64Array(0);
  #times = new Float64Array(0);
  /** Whether the channel has brought something since the last moment. */
  #isNew = new Uint8Array(0);
  #moment = new Float64Array(0);
  #momentTime: EpochMs = Number.NEGATIVE_INFINITY;

  /** @param maxAgeMs how much older than the newest a value may be, at least 0 */
  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  get size(): number {
    return this.#values.length;
  }

  /** The last moment: a value for each channel, NaN where it had none that was new enough. Written anew by each `take` and `complete`. */
  get moment(): Float64Array {
    return this.#moment;
  }

  /** The time of the last moment, that of its newest value; −∞ before the first. */
  get momentTime(): EpochMs {
    return this.#momentTime;
  }

  addChannel(): void {
    const { size } = this;
    this.#values = grown(this.#values, new Float64Array(size + 1));
    this.#times = grown(this.#times, new Float64Array(size + 1));
    this.#times[size] = Number.NEGATIVE_INFINITY;
    this.#isNew = grown(this.#isNew, new Uint8Array(size + 1));
    this.#moment = new Float64Array(size + 1).fill(Number.NaN);
  }

  /** Time of the newest value of a channel; −∞ before the first. */
  timeOf(place: number): EpochMs {
    return this.#times[place]!;
  }

  /** The newest value of a channel. */
  valueOf(place: number): number {
    return this.#values[place]!;
  }

  /**
   * Whether a reading of this time belongs to another moment than what is new: it is the second of its channel since the last moment, or
   * nearer to the next reading of its channel, as often as they come, than to what is new. Then that is complete, before it is taken.
   */
  beginsAnother(place: number, time: EpochMs): boolean {
    const before = this.#times[place]!;
    if (!(time > before)) return false;
    let oldest = Number.POSITIVE_INFINITY;
    for (let other = 0; other < this.size; other++) {
      if (this.#isNew[other] === 1) oldest = Math.min(oldest, this.#times[other]!);
    }
    return this.#isNew[place] === 1 || time - oldest > (time - before) / 2;
  }

  /** Takes a reading; false where it is not newer than the last of its channel. */
  take(place: number, value: number, time: EpochMs): boolean {
    // Written so that a time that is not a number is left out too.
    if (!(time > this.#times[place]!)) return false;
    this.#values[place] = value;
    this.#times[place] = time;
    this.#isNew[place] = 1;
    return true;
  }

  /** Whether there is nothing to wait for: each channel has brought something new, or has been silent for too long. */
  get isComplete(): boolean {
    const newest = this.#newest();
    for (let place = 0; place < this.size; place++) {
      if (this.#isNew[place] === 0 && newest - this.#times[place]! <= this.#maxAgeMs) return false;
    }
    return true;
  }

  /** Makes a moment of what there is; false where it would not be newer than the last one, or fewer than two channels are new enough. */
  complete(): boolean {
    const newest = this.#newest();
    if (!(newest > this.#momentTime)) return false;
    let known = 0;
    for (let place = 0; place < this.size; place++) {
      const isKnown = newest - this.#times[place]! <= this.#maxAgeMs;
      this.#moment[place] = isKnown ? this.#values[place]! : Number.NaN;
      if (isKnown) known++;
    }
    if (known < 2) return false;
    this.#momentTime = newest;
    this.#isNew.fill(0);
    return true;
  }

  /** The times of what was read are not to be believed any more: whatever comes next is newer. */
  beginAnew(): void {
    this.#times.fill(Number.NEGATIVE_INFINITY);
    this.#isNew.fill(0);
    this.#momentTime = Number.NEGATIVE_INFINITY;
  }

  snapshot(): unknown {
    return {
      values: this.#values.slice(),
      times: this.#times.slice(),
      isNew: this.#isNew.slice(),
      momentTime: this.#momentTime,
    };
  }

  /** Into one that has as many channels; false where it is no such snapshot. */
  restore(snapshot: unknown): boolean {
    const { values, times, isNew, momentTime } = (snapshot ?? {}) as Record<string, unknown>;
    if (!(values instanceof Float64Array && times instanceof Float64Array && isNew instanceof Uint8Array)) return false;
    if (typeof momentTime !== 'number' || [values, times, isNew].some(({ length }) => length !== this.size))
      return false;
    this.#values.set(values);
    this.#times.set(times);
    this.#isNew.set(isNew);
    this.#momentTime = momentTime;
    return true;
  }

  #newest(): EpochMs {
    let newest = Number.NEGATIVE_INFINITY;
    for (let place = 0; place < this.size; place++) newest = Math.max(newest, this.#times[place]!);
    return newest;
  }
}

function grown<Numbers extends Float64Array | Uint8Array>(from: Numbers, into: Numbers): Numbers {
  into.set(from);
  return into;
}
