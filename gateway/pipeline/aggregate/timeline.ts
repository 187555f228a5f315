import type { EpochMs } from '../../core/clock.ts';
import { numbersOf, recordOf } from '../snapshot.ts';

/** At least so many of the latest readings are kept apart, so that one out of order still finds its place; at most twice as many. */
export const ORDERED_READINGS = 64;

/** What the values between two readings are taken to be. */
export type Interpolation = 'step' | 'linear';

/** How the course of the values between the readings is seen. */
export interface TimelineOptions {
  /** `step`: a value holds until the next reading. `linear`: it moves evenly to the next. */
  readonly interpolation: Interpolation;
  /** Over a longer silence nothing is said: it counts for no time and no area. In milliseconds; +∞ bridges everything. */
  readonly maxGapMs: number;
  /** Values whose share of the time is wanted; see `Timeline.durationAtMs`. */
  readonly states: readonly number[];
}

/**
 * What depends on the order of the readings in event time: the area below the values, the time they cover, how long they were in a state,
 * how often they changed, by how much a counter went up.
 *
 * Exact for readings in any order, as long as no reading is older than the 64 latest of its window: those are kept, sorted, and only what is
 * before them is summed up. An older reading has no part in these numbers. Of several readings of one time the one that
 * arrived later comes later. Two timelines of different stretches of time merge into what one would have been.
 */
export class Timeline {
  readonly #options: TimelineOptions;
  /** Everything before the readings that are kept apart. */
  #settled: Course;
  /** By time; only what is in front of `#size` counts. */
  #times: number[] = [];
  #values: number[] = [];

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#settled = new Course(options);
  }

  add(value: number, time: EpochMs): void {
    if (time < this.#settled.lastTime) return;
    const times = this.#times;
    let at = times.length;
    while (at > 0 && times[at - 1]! > time) at--;
    if (at === times.length) {
      times.push(time);
      this.#values.push(value);
    } else {
      times.splice(at, 0, time);
      this.#values.splice(at, 0, value);
    }
    if (times.length >= 2 * ORDERED_READINGS) this.#settle(ORDERED_READINGS);
  }

  /** Takes in another, which stays as it is, and whose readings arrived later. Exact where the one ends before the other begins. */
  merge(later: Timeline): void {
    const [before, after] = later.#firstTime < this.#firstTime ? [later, this] : [this, later];
    const times = after.#times;
    const values = after.#values;
    // As long as nothing of the later one is summed up, what the earlier one keeps apart stays apart.
    const isApart = after.#settled.firstTime === Number.POSITIVE_INFINITY;
    const merged = isApart ? before.#settled.copy() : before.course();
    merged.follow(after.#settled);
    this.#settled = merged;
    this.#times = isApart ? before.#times.slice() : [];
    this.#values = isApart ? before.#values.slice() : [];
    for (let i = 0; i < times.length; i++) this.add(values[i]!, times[i]!);
  }

  /** The whole of it, as it is now. */
  course(): Course {
    const course = this.#settled.copy();
    for (let i = 0; i < this.#times.length; i++) course.add(this.#values[i]!, this.#times[i]!);
    return course;
  }

  get #firstTime(): EpochMs {
    return Math.min(this.#settled.firstTime, this.#times[0] ?? Number.POSITIVE_INFINITY);
  }

  #settle(count: number): void {
    for (let i = 0; i < count; i++) this.#settled.add(this.#values[i]!, this.#times[i]!);
    this.#times.splice(0, count);
    this.#values.splice(0, count);
  }

  snapshot(): unknown {
    return { settled: this.#settled.snapshot(), times: this.#times.slice(), values: this.#values.slice() };
  }

  restore(snapshot: unknown): void {
    const { settled, times, values } = recordOf(snapshot, WHAT);
    this.#settled = new Course(this.#options);
    this.#settled.restore(settled);
    const count = Array.isArray(times) ? Math.min(times.length, 2 * ORDERED_READINGS) : 0;
    this.#times = [...numbersOf(times, count, WHAT)];
    this.#values = [...numbersOf(values, count, WHAT)];
  }
}

const WHAT = 'the timeline of a window';

/** The sum of readings that came in order. */
export class Course {
  firstTime: EpochMs = Number.POSITIVE_INFINITY;
  lastTime: EpochMs = Number.NEGATIVE_INFINITY;
  /** How often a value was another than the one before. */
  changes = 0;
  /** By how much a counter went up. After it has gone down it is taken to have begun anew at 0. */
  increase = 0;
  /** Milliseconds between neighbours that are no further apart than `maxGapMs`. */
  coveredMs = 0;
  readonly #options: TimelineOptions;
  #first = 0;
  #last = 0;
  /** Value × milliseconds. */
  #area = 0;
  /** Of `coveredMs`, while the value was not 0. */
  #nonzeroMs = 0;
  /** Of `coveredMs`, by state. */
  readonly #stateMs: Float64Array;

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#stateMs = new Float64Array(options.states.length);
  }

  /** @param time not before the one of the last reading */
  add(value: number, time: EpochMs): void {
    if (this.lastTime === Number.NEGATIVE_INFINITY) {
      this.firstTime = time;
      this.#first = value;
    } else this.#step(value, time);
    this.lastTime = time;
    this.#last = value;
  }

  /** Goes on with a course that begins where this one has ended, or later. */
  follow(next: Course): void {
    if (next.firstTime === Number.POSITIVE_INFINITY) return;
    this.add(next.#first, next.firstTime);
    this.lastTime = next.lastTime;
    this.#last = next.#last;
    this.changes += next.changes;
    this.increase += next.increase;
    this.coveredMs += next.coveredMs;
    this.#area += next.#area;
    this.#nonzeroMs += next.#nonzeroMs;
    for (let i = 0; i < this.#stateMs.length; i++) this.#stateMs[i]! += next.#stateMs[i]!;
  }

  /** The last value less the first. */
  get delta(): number {
    return this.#last - this.#first;
  }

  /** `delta` for each second between the first and the last reading; undefined where they are of one time. */
  get rate(): number | undefined {
    const ms = this.lastTime - this.firstTime;
    return ms > 0 ? (this.delta / ms) * 1000 : undefined;
  }

  /** The area below the values, in value × seconds. */
  get integral(): number {
    return this.#area / 1000;
  }

  /** The mean weighted by time; where no time is covered, as of a single reading, the last value. */
  get timeMean(): number {
    return this.coveredMs > 0 ? this.#area / this.coveredMs : this.#last;
  }

  /** Milliseconds in which the value was not 0: a machine that runs, a door that is open. */
  get nonzeroMs(): number {
    return this.#nonzeroMs;
  }

  /** Milliseconds in which the value was the state of that place in `TimelineOptions.states`. */
  durationAtMs(place: number): number {
    return this.#stateMs[place]!;
  }

  copy(): Course {
    const copy = new Course(this.#options);
    copy.restore(this.snapshot());
    return copy;
  }

  snapshot(): readonly number[] {
    const { firstTime, lastTime, changes, increase, coveredMs } = this;
    const totals = [changes, increase, coveredMs, this.#area, this.#nonzeroMs];
    return [firstTime, this.#first, lastTime, this.#last, ...totals, ...this.#stateMs];
  }

  restore(snapshot: unknown): void {
    const numbers = numbersOf(snapshot, TOTALS + this.#stateMs.length, WHAT);
    const [firstTime, first, lastTime, last, changes, increase, coveredMs, area, nonzeroMs] = numbers;
    this.firstTime = firstTime!;
    this.#first = first!;
    this.lastTime = lastTime!;
    this.#last = last!;
    this.changes = changes!;
    this.increase = increase!;
    this.coveredMs = coveredMs!;
    this.#area = area!;
    this.#nonzeroMs = nonzeroMs!;
    this.#stateMs.set(numbers.slice(TOTALS));
  }

  /** From the last reading to the next. */
  #step(value: number, time: EpochMs): void {
    const last = this.#last;
    if (value !== last) this.changes++;
    this.increase += value >= last ? value - last : Math.max(0, value);
    const ms = time - this.lastTime;
    if (ms > this.#options.maxGapMs) return;
    this.coveredMs += ms;
    // Half of each, as the sum of two large values may be beyond a double.
    this.#area += (this.#options.interpolation === 'step' ? last : last / 2 + value / 2) * ms;
    if (last !== 0) this.#nonzeroMs += ms;
    const { states } = this.#options;
    for (let i = 0; i < states.length; i++) if (states[i] === last) this.#stateMs[i]! += ms;
  }
}

const TOTALS = 9;
