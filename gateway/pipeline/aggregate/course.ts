import type { EpochMs } from '../../core/clock.ts';
import { numbersOf } from '../snapshot.ts';
import type { TimelineOptions } from './timeline.ts';

const FIRST_TIME = 0;
const FIRST = 1;
const LAST_TIME = 2;
const LAST = 3;
const CHANGES = 4;
const INCREASE = 5;
const COVERED_MS = 6;
/** Value × milliseconds. */
const AREA = 7;
/** Of the covered time, while the value was not 0. */
const NONZERO_MS = 8;
/** Of the covered time, by state: the rest of the numbers. */
const STATE_MS = 9;

const EMPTY: readonly number[] = [Number.POSITIVE_INFINITY, 0, Number.NEGATIVE_INFINITY, 0, 0, 0, 0, 0, 0];

/** The sum of readings that came in order. */
export class Course {
  readonly #options: TimelineOptions;
  /** Side by side, as those of an accumulator are. */
  readonly #numbers: number[] = EMPTY.slice();

  constructor(options: TimelineOptions) {
    this.#options = options;
    for (let i = 0; i < options.states.length; i++) this.#numbers.push(0);
  }

  /** +∞ before the first reading. */
  get firstTime(): EpochMs {
    return this.#numbers[FIRST_TIME]!;
  }

  /** −∞ before the first reading. */
  get lastTime(): EpochMs {
    return this.#numbers[LAST_TIME]!;
  }

  /** @param time not before the one of the last reading */
  add(value: number, time: EpochMs): void {
    const numbers = this.#numbers;
    if (numbers[LAST_TIME] === Number.NEGATIVE_INFINITY) {
      numbers[FIRST_TIME] = time;
      numbers[FIRST] = value;
    } else this.#step(value, time);
    numbers[LAST_TIME] = time;
    numbers[LAST] = value;
  }

  /** Goes on with a course that begins where this one has ended, or later. */
  follow(next: Course): void {
    const numbers = this.#numbers;
    const others = next.#numbers;
    if (others[FIRST_TIME] === Number.POSITIVE_INFINITY) return;
    this.add(others[FIRST]!, others[FIRST_TIME]!);
    numbers[LAST_TIME] = others[LAST_TIME]!;
    numbers[LAST] = others[LAST]!;
    for (let i = CHANGES; i < numbers.length; i++) numbers[i]! += others[i]!;
  }

  /** How often a value was another than the one before. */
  get changes(): number {
    return this.#numbers[CHANGES]!;
  }

  /** By how much a counter went up. After it has gone down it is taken to have begun anew at 0. */
  get increase(): number {
    return this.#numbers[INCREASE]!;
  }

  /** Milliseconds between neighbours that are no further apart than `maxGapMs`. */
  get coveredMs(): number {
    return this.#numbers[COVERED_MS]!;
  }

  /** The last value less the first. */
  get delta(): number {
    return this.#numbers[LAST]! - this.#numbers[FIRST]!;
  }

  /** `delta` for each second between the first and the last reading; undefined where they are of one time. */
  get rate(): number | undefined {
    const ms = this.lastTime - this.firstTime;
    return ms > 0 ? (this.delta / ms) * 1000 : undefined;
  }

  /** The area below the values, in value × seconds. */
  get integral(): number {
    return this.#numbers[AREA]! / 1000;
  }

  /** The mean weighted by time; where no time is covered, as of a single reading, the last value. */
  get timeMean(): number {
    return this.coveredMs > 0 ? this.#numbers[AREA]! / this.coveredMs : this.#numbers[LAST]!;
  }

  /** Milliseconds in which the value was not 0: a machine that runs, a door that is open. */
  get nonzeroMs(): number {
    return this.#numbers[NONZERO_MS]!;
  }

  /** Milliseconds in which the value was the state of that place in `TimelineOptions.states`. */
  durationAtMs(place: number): number {
    return this.#numbers[STATE_MS + place]!;
  }

  copy(): Course {
    const copy = new Course(this.#options);
    copy.#put(this.#numbers);
    return copy;
  }

  snapshot(): readonly number[] {
    return this.#numbers.slice();
  }

  restore(snapshot: unknown): void {
    this.#put(numbersOf(snapshot, this.#numbers.length, 'the course of a window'));
  }

  #put(numbers: readonly number[]): void {
    for (let i = 0; i < numbers.length; i++) this.#numbers[i] = numbers[i]!;
  }

  /** From the last reading to the next. */
  #step(value: number, time: EpochMs): void {
    const numbers = this.#numbers;
    const last = numbers[LAST]!;
    if (value !== last) numbers[CHANGES]!++;
    numbers[INCREASE]! += value >= last ? value - last : Math.max(0, value);
    const ms = time - numbers[LAST_TIME]!;
    const { maxGapMs, interpolation, states } = this.#options;
    if (ms > maxGapMs) return;
    numbers[COVERED_MS]! += ms;
    // Half of each, as the sum of two large values may be beyond a double.
    numbers[AREA]! += (interpolation === 'step' ? last : last / 2 + value / 2) * ms;
    if (last !== 0) numbers[NONZERO_MS]! += ms;
    for (let i = 0; i < states.length; i++) if (states[i] === last) numbers[STATE_MS + i]! += ms;
  }
}
