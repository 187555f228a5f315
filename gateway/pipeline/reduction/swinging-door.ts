import type { EpochMs } from '../../core/clock.ts';

/**
 * Which points of a course may be left out, when straight lines between those that go on are to come within `deviation` of every one of them.
 *
 * From the last point that went on, each one left out since allows a range of slopes; a line with a slope within all of them passes all of
 * them. A point whose own slope is outside closes the door: the one before it goes on, and a new door opens there.
 *
 * Source: E. H. Bristol, "Swinging Door Trending: Adaptive Trend Recording?", ISA National Conference Proceedings, 1990; with the doors hung
 * at the point itself, so that the bound holds for every point and not only for the doors.
 */
export class SwingingDoor {
  readonly deviation: number;
  #time: EpochMs = 0;
  #value = 0;
  #least = Number.NEGATIVE_INFINITY;
  #greatest = Number.POSITIVE_INFINITY;

  /** @param deviation in units of the value, at least 0 */
  constructor(deviation: number) {
    this.deviation = deviation;
  }

  /** A point has gone on: the door hangs there now, wide open. */
  open(time: EpochMs, value: number): void {
    this.#time = time;
    this.#value = value;
    this.#least = Number.NEGATIVE_INFINITY;
    this.#greatest = Number.POSITIVE_INFINITY;
  }

  /**
   * Whether a line to this point passes all that were left out since the door was opened.
   * @param time later than theirs
   */
  lets(time: EpochMs, value: number): boolean {
    const slope = (value - this.#value) / (time - this.#time);
    return slope >= this.#least && slope <= this.#greatest;
  }

  /** This point is left out, unless a later one closes the door: lines have to pass it from now on. */
  leaveOut(time: EpochMs, value: number): void {
    const ms = time - this.#time;
    this.#least = Math.max(this.#least, (value - this.deviation - this.#value) / ms);
    this.#greatest = Math.min(this.#greatest, (value + this.deviation - this.#value) / ms);
  }

  snapshot(): readonly number[] {
    return [this.#time, this.#value, this.#least, this.#greatest];
  }

  /** @param numbers those of `snapshot` */
  restore([time, value, least, greatest]: readonly number[]): void {
    this.#time = time!;
    this.#value = value!;
    this.#least = least!;
    this.#greatest = greatest!;
  }
}
