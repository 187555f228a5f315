import type { EpochMs } from '../../core/clock.ts';
import type { Window } from '../../core/window.ts';
import type { Accumulator } from '../aggregate/accumulator.ts';
import type { OpenRollups } from './open-rollups.ts';
import type { PastTimes } from './past-times.ts';
import type { WindowDefinition } from './window-definition.ts';

/** More than one window has results, were it given early each second for thirty years. */
export const REVISIONS = 1_000_000_000;

/** A window of one series that still takes readings. */
export class OpenWindow implements Window {
  /** A session may grow at both ends. */
  start: EpochMs;
  end: EpochMs;
  readonly accumulator: Accumulator;
  /** Of the next result. */
  revision = 0;
  /** Whether it has taken readings since its last result. */
  changed = false;
  /** Whether it has given a result under its start. */
  isGiven = false;
  /** Whether its last result was early: another one follows at its end, even where nothing has changed. */
  isPartial = false;
  /** Whether the watermark has passed its end: from then on a reading makes a correction. */
  passed: boolean;
  /** Whether a rollup it belongs to has closed before it: what it takes is missing there. */
  isMissed = false;
  /** Whether a rollup it belongs to has given a result since it was told of a change here. */
  isUntold = false;

  constructor(start: EpochMs, end: EpochMs, accumulator: Accumulator, passed: boolean) {
    this.start = start;
    this.end = end;
    this.accumulator = accumulator;
    this.passed = passed;
  }
}

/** How many windows of all series are open, and how many may be: beyond, a series that opens one gives up its oldest, as long as it has another. */
export class OpenWindowTally {
  readonly max: number;
  count = 0;

  constructor(max: number) {
    this.max = max;
  }
}

/** A window that has given results and is none any more: its readings are in another one. */
export interface ReplacedWindow extends Window {
  /** Of the result that says so. */
  readonly revision: number;
  /** Whether the last result was early. */
  readonly isPartial: boolean;
}

/** The open windows of one series under one definition. */
export abstract class OpenWindows {
  /** Those that held the last reading, the newest first; none where that is not known. */
  recent: readonly OpenWindow[] = [];
  readonly definition: WindowDefinition;
  /** By start, ascending; also by end. */
  open: readonly OpenWindow[] = [];
  /** End of the last window that was closed: what comes for it, or for an earlier one, is late. */
  floor: EpochMs = Number.NEGATIVE_INFINITY;
  /** Of the first result of the windows that are opened from now on. */
  firstRevision = 0;
  /** What these windows are merged into. */
  readonly rollups: OpenRollups[] = [];
  /** How many readings came too late and were given one by one. */
  lateCount = 0;
  readonly #tally: OpenWindowTally;

  constructor(definition: WindowDefinition, tally = new OpenWindowTally(Number.POSITIVE_INFINITY)) {
    this.definition = definition;
    this.#tally = tally;
  }

  /** Whether the oldest must close, as there is no room for so many. */
  get isOverfull(): boolean {
    const { open, definition } = this;
    return open.length > definition.maxOpen || (open.length > 1 && this.#tally.count > this.#tally.max);
  }

  /** The open windows that hold a reading of `time`, the newest first; undefined when it has to be seen which they are. */
  abstract find(time: EpochMs): readonly OpenWindow[] | undefined;

  /**
   * The windows that hold a reading of `time`, the newest first. Those that are not open yet are opened, unless the reading is late for them.
   * @param watermark of the device: a window that ends by then has been passed, so that its result is a correction
   * @param reached how far the series itself has come: only by that is its reading late
   * @param replaced told of windows that have given results and are part of another one now
   */
  abstract openAt(
    time: EpochMs,
    watermark: EpochMs,
    reached: EpochMs,
    replaced: (window: ReplacedWindow) => void,
  ): readonly OpenWindow[];

  /**
   * The clock was set back to `now`: windows that begin later may be opened again, and their results follow on those of the first time.
   * A window that holds `now` stays closed where there was a first time: a part of a window must not replace the whole.
   */
  beginAnew(now: EpochMs, past: PastTimes): void {
    this.floor = Math.min(this.floor, this.endOfPast(now, past));
    this.firstRevision += REVISIONS;
    this.forget();
  }

  /** Takes over a window that an earlier process had open, the oldest first. */
  resume(window: OpenWindow): void {
    this.#put(this.open.length, window);
  }

  /** Removes the oldest windows; what they hold goes on in the rollups. */
  close(count: number): void {
    for (const window of this.remove(0, count)) {
      this.floor = Math.max(this.floor, window.end);
      for (const rollup of this.rollups) rollup.wholeOf(window)?.accumulator.merge(this.contentOf(window));
    }
    this.forget();
  }

  /**
   * Opens the windows of the rollups that a window belongs to; `opened` is told of each, whether it was open already or not.
   *
   * @param mayOpen whether those of a rollup may be opened that are not open
   */
  openWholes(
    part: OpenWindow,
    watermark: EpochMs,
    opened: (rollup: OpenWindows, whole: OpenWindow) => void,
    mayOpen: (rollup: OpenRollups) => boolean,
  ): void {
    part.isMissed = false;
    for (const rollup of this.rollups) {
      const whole = mayOpen(rollup) ? rollup.openFor(part, watermark) : rollup.wholeOf(part);
      if (whole !== undefined) {
        opened(rollup, whole);
        rollup.openWholes(whole, watermark, opened, mayOpen);
      }
      if (whole === undefined || whole.isMissed) part.isMissed = true;
    }
  }

  /** The watermark at which an open window gives its result, or, after that, closes. */
  dueOf({ passed, end }: OpenWindow): EpochMs {
    return passed ? end + this.definition.latenessMs : end;
  }

  /** All that an open window holds. */
  contentOf(window: OpenWindow): Accumulator {
    return window.accumulator;
  }

  /** The definition is new, and the watermark has come so far. */
  beginAfter(_watermark: EpochMs): void {}

  /** Whether a window was opened for parts that had been there before. */
  isNew(_window: OpenWindow): boolean {
    return false;
  }

  /** A window has given a result: the next reading of what it is made of is a change. */
  awaitParts(_window: OpenWindow): void {}

  /** End of the newest window that holds `now` and has been before; −∞ where there is none. */
  protected abstract endOfPast(now: EpochMs, past: PastTimes): EpochMs;

  /** What `find` remembers of the last reading does not hold any more. */
  protected abstract forget(): void;

  /** Whether a window before all others would have to close at once. */
  protected get isFull(): boolean {
    const { open, definition } = this;
    return open.length >= definition.maxOpen || (open.length > 0 && this.#tally.count >= this.#tally.max);
  }

  /** Puts a new window among the open ones. */
  protected insert(at: number, start: EpochMs, end: EpochMs, watermark: EpochMs): OpenWindow {
    const window = new OpenWindow(start, end, this.definition.plan.accumulator(), end <= watermark);
    window.revision = this.firstRevision;
    this.#put(at, window);
    return window;
  }

  /** Takes windows out of the open ones. */
  protected remove(at: number, count: number): readonly OpenWindow[] {
    const removed = this.open.slice(at, at + count);
    this.open = this.open.toSpliced(at, count);
    this.#tally.count -= removed.length;
    return removed;
  }

  /** In a new list: one that grows takes room for sixteen more, which few series ever need. */
  #put(at: number, window: OpenWindow): void {
    this.open = this.open.toSpliced(at, 0, window);
    this.#tally.count++;
  }
}
