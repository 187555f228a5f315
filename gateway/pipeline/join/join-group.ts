import type { Due } from '../../base/deadline-queue.ts';
import type { EpochMs } from '../../core/clock.ts';
import { listOf, numberOf, unreadable } from '../snapshot.ts';
import type { DeviceClock, SeriesClock } from '../watermark.ts';
import type { JoinedSeries } from './joined-series.ts';
import type { Matcher, SideReading, TakePair } from './matcher.ts';
import { restoredReading, snapshotReading } from './side-reading.ts';

const WHAT = 'a group of a join';

/**
 * The series of a join that belong together, as what `on` names is equal in them: any number of the left, one of the right. Puts their readings
 * in order of time: one is matched when the watermark of the group has reached it, so that the order in which they came in does not matter.
 */
export class JoinGroup {
  readonly key: string;
  /** By key, so that the order does not depend on who came first. */
  readonly lefts: JoinedSeries[] = [];
  right: JoinedSeries | undefined;
  /** In order of appearance: by place. */
  readonly all: JoinedSeries[] = [];
  /** The clocks of sides that have no series yet: they are waited for as well. */
  vacant: { left: SeriesClock | undefined; right: SeriesClock | undefined } = { left: undefined, right: undefined };
  /** What is older has been matched, or is late. */
  matchedTo: EpochMs = Number.NEGATIVE_INFINITY;
  /** When the open window of a silent group ends, in receive time; +∞ where that is not planned. */
  surfacesAt: EpochMs = Number.POSITIVE_INFINITY;
  readonly clock: DeviceClock;
  readonly #matcher: Matcher;
  /** In order of time; of one moment the right one first, then by key of the series, then as they came. */
  #pending: SideReading[] = [];

  constructor(key: string, clock: DeviceClock, matcher: Matcher) {
    this.key = key;
    this.clock = clock;
    this.#matcher = matcher;
  }

  /** Readings it holds, beyond one a series. */
  get held(): number {
    return this.#pending.length + this.#matcher.held;
  }

  /** See `Matcher`. */
  get openUntil(): EpochMs {
    return this.#matcher.openUntil;
  }

  add(joined: JoinedSeries): void {
    this.all.push(joined);
    if (!joined.isLeft) {
      this.right = joined;
      return;
    }
    const { key } = joined.series;
    const after = this.lefts.findIndex(({ series }) => series.key > key);
    this.lefts.splice(after < 0 ? this.lefts.length : after, 0, joined);
  }

  /** Holds a reading until `match` reaches it. */
  hold(reading: SideReading): void {
    const pending = this.#pending;
    let at = pending.length;
    while (at > 0 && isBefore(reading, pending[at - 1]!)) at--;
    pending.splice(at, 0, reading);
  }

  /** Matches what was held and is older than `time`, or just as old where `inclusive`. */
  match(time: EpochMs, inclusive: boolean, emit: TakePair): void {
    const pending = this.#pending;
    let count = 0;
    while (count < pending.length && (pending[count]!.time < time || (inclusive && pending[count]!.time === time))) {
      this.#matcher.take(pending[count]!, this.lefts, emit);
      count++;
    }
    if (count > 0) pending.splice(0, count);
    this.#reach(time, emit);
  }

  /** Matches all that is held: nothing more is waited for. */
  matchAll(emit: TakePair): void {
    const newest = this.#pending.at(-1);
    if (newest !== undefined) this.match(newest.time, true, emit);
  }

  /** Ends the open window, whether more of it might come or not. */
  endWindow(emit: TakePair): void {
    const end = this.#matcher.openUntil;
    if (end < Number.POSITIVE_INFINITY) this.#reach(end, emit);
  }

  /** Makes room: gives up the oldest that might still meet another, or matches the oldest that waits at once. @returns whether something was given up */
  shed(emit: TakePair): boolean {
    if (this.#matcher.shed()) return true;
    const oldest = this.#pending[0];
    if (oldest !== undefined) this.match(oldest.time, true, emit);
    return false;
  }

  /** The clock was set back; what was held has been matched. */
  beginAnew(): void {
    this.matchedTo = Number.NEGATIVE_INFINITY;
    this.#matcher.beginAnew();
  }

  snapshot(): unknown {
    return {
      key: this.key,
      series: this.all.map(({ series, isLeft, clock, output }) => [
        series.key,
        isLeft,
        clock.order,
        typeof output === 'object',
      ]),
      vacant: [this.vacant.left?.order ?? null, this.vacant.right?.order ?? null],
      matchedTo: this.matchedTo,
      surfacesAt: this.surfacesAt,
      pending: this.#pending.map(snapshotReading),
      matcher: this.#matcher.snapshot(),
    };
  }

  /** Into a group that has its series again. */
  restore(parts: Readonly<Record<string, unknown>>): void {
    const at = (place: unknown) => {
      const joined = this.all[numberOf(place, WHAT)];
      if (joined === undefined) throw unreadable(WHAT, place);
      return joined;
    };
    this.matchedTo = numberOf(parts['matchedTo'], WHAT);
    this.surfacesAt = numberOf(parts['surfacesAt'], WHAT);
    this.#pending = listOf(parts['pending'], WHAT).map((entry) => restoredReading(entry, at));
    this.#matcher.restore(parts['matcher'], at);
  }

  #reach(time: EpochMs, emit: TakePair): void {
    if (time > this.matchedTo) this.matchedTo = time;
    this.#matcher.pass(this.matchedTo, this.lefts, emit);
  }
}

/** A plan to end the window of a silent group. */
export class JoinSurfacing implements Due {
  readonly due: number;
  readonly order: number;
  readonly group: JoinGroup;

  constructor(due: EpochMs, group: JoinGroup) {
    this.due = due;
    this.order = group.clock.order;
    this.group = group;
  }
}

function isBefore(one: SideReading, other: SideReading): boolean {
  if (one.time !== other.time) return one.time < other.time;
  if (one.of === other.of) return false;
  if (one.of.isLeft !== other.of.isLeft) return !one.of.isLeft;
  return one.of.series.key < other.of.series.key;
}
