import type { EpochMs } from '../../core/clock.ts';
import { listOf, numbersOf, recordOf } from '../snapshot.ts';
import { Course } from './course.ts';

/** At least so many of the latest readings are kept apart, so that one out of order still finds its place. */
export const ORDERED_READINGS = 64;

/** So many of the oldest are summed up at once, when one more than that is kept. */
const SETTLED_AT_ONCE = 16;
const MOST_KEPT = ORDERED_READINGS + SETTLED_AT_ONCE;
const WHAT = 'the timeline of a window';

/** What the values between two readings are taken to be. */
export type Interpolation = 'step' | 'linear';

/** How the course of the values between the readings is seen. */
export interface TimelineOptions {
  /** `step`: a value holds until the next reading. `linear`: it moves evenly to the next. */
  readonly interpolation: Interpolation;
  /** Over a longer silence nothing is said: it counts for no time and no area. In milliseconds; +∞ bridges everything. */
  readonly maxGapMs: number;
  /** Values whose share of the time is wanted; see `Course.durationAtMs`. */
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
  /** Everything before the readings that are kept apart; undefined as long as there is nothing. */
  #settled: Course | undefined;
  #settledTime: EpochMs = Number.NEGATIVE_INFINITY;
  /** Time and value of each reading that is kept apart, by time; what is behind `#size` of them is room for more. */
  #kept: number[] = NO_ROOM;
  #size = 0;

  constructor(options: TimelineOptions) {
    this.#options = options;
  }

  /** Reads what `add` will look for, and changes nothing; see `Stage.warm`. */
  warm(): number {
    return this.#size === 0 ? 0 : this.#kept[2 * this.#size - 1]!;
  }

  add(value: number, time: EpochMs): void {
    if (time < this.#settledTime) return;
    if (this.#size * 2 === this.#kept.length) this.#makeRoom();
    const kept = this.#kept;
    let at = this.#size * 2;
    for (; at > 0 && kept[at - 2]! > time; at -= 2) {
      kept[at] = kept[at - 2]!;
      kept[at + 1] = kept[at - 1]!;
    }
    kept[at] = time;
    kept[at + 1] = value;
    this.#size++;
  }

  /** Takes in another, which stays as it is, and whose readings arrived later. Exact where the one ends before the other begins. */
  merge(later: Timeline): void {
    const [before, after] = later.#firstTime < this.#firstTime ? [later, this] : [this, later];
    const kept = after.#kept;
    const size = after.#size;
    // As long as nothing of the later one is summed up, what the earlier one keeps apart stays apart.
    const isApart = after.#settled === undefined;
    const settled = isApart ? before.#settled?.copy() : before.course();
    if (after.#settled !== undefined) settled?.follow(after.#settled);
    this.#settled = settled;
    this.#settledTime = settled?.lastTime ?? Number.NEGATIVE_INFINITY;
    this.#kept = isApart ? before.#kept.slice() : NO_ROOM;
    this.#size = isApart ? before.#size : 0;
    for (let i = 0; i < size; i++) this.add(kept[2 * i + 1]!, kept[2 * i]!);
  }

  /** The whole of it, as it is now. */
  course(): Course {
    const course = this.#settled?.copy() ?? new Course(this.#options);
    this.#addTo(course, this.#size);
    return course;
  }

  snapshot(): unknown {
    const course = this.#settled ?? new Course(this.#options);
    const kept = this.#kept.slice(0, this.#size * 2);
    return {
      settled: course.snapshot(),
      times: kept.filter((_, i) => i % 2 === 0),
      values: kept.filter((_, i) => i % 2 === 1),
    };
  }

  restore(snapshot: unknown): void {
    const { settled, times, values } = recordOf(snapshot, WHAT);
    const course = new Course(this.#options);
    course.restore(settled);
    this.#settled = Number.isFinite(course.lastTime) ? course : undefined;
    this.#settledTime = course.lastTime;
    this.#kept = NO_ROOM;
    this.#size = 0;
    const count = listOf(times, WHAT).length;
    const orderedTimes = numbersOf(times, count, WHAT);
    const orderedValues = numbersOf(values, count, WHAT);
    for (let i = 0; i < count; i++) this.add(orderedValues[i]!, orderedTimes[i]!);
  }

  get #firstTime(): EpochMs {
    const firstKept = this.#size === 0 ? Number.POSITIVE_INFINITY : this.#kept[0]!;
    return this.#settled?.firstTime ?? firstKept;
  }

  /** Most windows take few readings: room grows with them, until the oldest are summed up. */
  #makeRoom(): void {
    if (this.#size < MOST_KEPT) {
      const room = roomFor(Math.min(MOST_KEPT, Math.max(8, this.#size * 2)));
      for (let i = 0; i < this.#size * 2; i++) room[i] = this.#kept[i]!;
      this.#kept = room;
      return;
    }
    this.#settled ??= new Course(this.#options);
    this.#addTo(this.#settled, SETTLED_AT_ONCE);
    this.#settledTime = this.#settled.lastTime;
    this.#size -= SETTLED_AT_ONCE;
    const kept = this.#kept;
    for (let i = 0; i < this.#size * 2; i++) kept[i] = kept[i + 2 * SETTLED_AT_ONCE]!;
  }

  #addTo(course: Course, count: number): void {
    const kept = this.#kept;
    for (let i = 0; i < count; i++) course.add(kept[2 * i + 1]!, kept[2 * i]!);
  }
}

/** Never written to. */
const NO_ROOM: number[] = [];

/** A copy of doubles that are no whole numbers holds doubles as they are, in just as much memory as they need. */
const ROOM: readonly number[] = Array.from({ length: 2 * MOST_KEPT }, () => 0.5);

function roomFor(readings: number): number[] {
  return ROOM.slice(0, 2 * readings);
}
