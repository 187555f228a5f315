import type { EpochMs } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import type { Window } from '../core/window.ts';
import type { Accumulator } from './aggregate/accumulator.ts';
import { AggregatePlan, type CourseSettings } from './aggregate/aggregates.ts';
import { type Assigner, makeAssigner, type WindowShape } from './assigners.ts';
import type { PastTimes } from './past-times.ts';

/** A window as the configuration defines it. */
export interface WindowSettings {
  /** Unique among all windows; part of the identity of results. */
  readonly name: string;
  /** The series it is computed for: see `seriesPattern`. */
  readonly series: string;
  readonly window: WindowShape & { readonly allowedLatenessMs: number };
  /** See `isAggregate`. */
  readonly aggregates: readonly string[];
  /** For aggregates that depend on the order of the readings. */
  readonly course?: CourseSettings | undefined;
}

/** Windows of one series beyond what disorder and lateness need; more means that one series of a device lags far behind another. */
const SPARE_WINDOWS = 256;
/** More than one window has results, which come a second apart while it is open. */
const REVISIONS = 1_000_000;

/** Window settings, checked and made ready. */
export class WindowDefinition {
  readonly name: string;
  readonly assigner: Assigner;
  readonly latenessMs: number;
  readonly plan: AggregatePlan;
  /** Most windows of one series that are kept open at once. */
  readonly maxOpen: number;

  /** @throws GatewayError for settings that are not allowed */
  constructor(settings: WindowSettings, outOfOrdernessMs: number) {
    const { allowedLatenessMs } = settings.window;
    if (!(allowedLatenessMs >= 0 && Number.isFinite(allowedLatenessMs))) {
      throw new GatewayError(`Cannot allow ${allowedLatenessMs} ms of lateness in window ${settings.name}`, {
        hint: 'The allowed lateness is a finite number of milliseconds, at least 0.',
      });
    }
    this.name = settings.name;
    this.assigner = makeAssigner(settings.window);
    this.latenessMs = allowedLatenessMs;
    this.plan = new AggregatePlan(settings.aggregates, settings.course);
    const { overlap, leastStepMs } = this.assigner;
    this.maxOpen = SPARE_WINDOWS + overlap - 1 + Math.ceil((allowedLatenessMs + outOfOrdernessMs) / leastStepMs);
  }

  /** What a snapshot of its windows depends on: with another form they cannot go on. */
  get form(): string {
    return JSON.stringify([this.name, ...this.assigner.form, ...this.plan.form]);
  }
}

/** A window of one series that still takes readings. */
export class OpenWindow implements Window {
  readonly start: EpochMs;
  readonly end: EpochMs;
  readonly accumulator: Accumulator;
  /** Of the next result. */
  revision = 0;
  /** Whether it has taken readings since its last result. */
  changed = false;
  /** Whether the watermark has passed its end: from then on a reading makes a correction. */
  passed: boolean;

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

/** The open windows of one series under one definition. */
export class OpenWindows {
  readonly definition: WindowDefinition;
  readonly #tally: OpenWindowTally;
  /** By start, ascending. */
  readonly open: OpenWindow[] = [];
  /** End of the last window that was closed: what comes for it, or for an earlier one, is late. */
  floor: EpochMs = Number.NEGATIVE_INFINITY;
  /** Of the first result of the windows that are opened from now on. */
  firstRevision = 0;
  /** Where the last reading was: all times in it are held by the same windows. */
  #slot: Slot = NO_SLOT;

  constructor(definition: WindowDefinition, tally = new OpenWindowTally(Number.POSITIVE_INFINITY)) {
    this.definition = definition;
    this.#tally = tally;
  }

  /** Whether the oldest must close, as there is no room for so many. */
  get isOverfull(): boolean {
    const { open, definition } = this;
    return open.length > definition.maxOpen || (open.length > 1 && this.#tally.count > this.#tally.max);
  }

  /** The open windows that hold `time`, the newest first; undefined when it has to be seen which they are. */
  find(time: EpochMs): readonly OpenWindow[] | undefined {
    const slot = this.#slot;
    return time >= slot.start && time < slot.end ? slot.windows : undefined;
  }

  /**
   * The windows that hold `time`, the newest first. Those that are not open yet are opened, unless a reading of that time is late for them.
   * @param watermark of the device: a window that ends by then has been passed, so that its result is a correction
   * @param reached how far the series itself has come: only by that is its reading late
   */
  openAt(time: EpochMs, watermark: EpochMs, reached: EpochMs): readonly OpenWindow[] {
    const { assigner } = this.definition;
    const newest = assigner.startOf(time);
    const windows: OpenWindow[] = [];
    let start = newest;
    for (let i = 0; i < assigner.overlap; i++) {
      const window = this.#openAt(start, watermark, reached);
      if (window !== undefined) windows.push(window);
      if (i + 1 < assigner.overlap) start = assigner.stepBack(start);
    }
    // One that was refused may find room later.
    const isComplete = windows.length === assigner.overlap;
    if (isComplete) this.#slot = { start: newest, end: assigner.nextAfter(newest), windows };
    return windows;
  }

  #openAt(start: EpochMs, watermark: EpochMs, reached: EpochMs): OpenWindow | undefined {
    const { open, definition } = this;
    let at = open.length;
    while (at > 0 && open[at - 1]!.start > start) at--;
    const before = open[at - 1];
    if (before?.start === start) return before;
    const end = definition.assigner.endOf(start);
    if (end + definition.latenessMs <= reached || end <= this.floor) return undefined;
    if (at === 0 && this.#isFull) return undefined;
    const window = new OpenWindow(start, end, definition.plan.accumulator(), end <= watermark);
    window.revision = this.firstRevision;
    open.splice(at, 0, window);
    this.#tally.count++;
    return window;
  }

  /** Takes over a window that an earlier process had open, the oldest first. */
  resume(window: OpenWindow): void {
    this.open.push(window);
    this.#tally.count++;
  }

  /**
   * The clock was set back to `now`: windows that begin later may be opened again, and their results follow on those of the first time.
   * A window that holds `now` stays closed where there was a first time: a part of a window must not replace the whole.
   */
  beginAnew(now: EpochMs, past: PastTimes): void {
    this.floor = Math.min(this.floor, this.#endOfPast(now, past));
    this.firstRevision += REVISIONS;
    this.#slot = NO_SLOT;
  }

  /** End of the newest window that holds `now` and has been before; −∞ where there is none. */
  #endOfPast(now: EpochMs, past: PastTimes): EpochMs {
    const { assigner } = this.definition;
    let start = assigner.startOf(now);
    for (let i = 0; i < assigner.overlap; i++) {
      const end = assigner.endOf(start);
      if (past.meets(start, end)) return end;
      if (i + 1 < assigner.overlap) start = assigner.stepBack(start);
    }
    return Number.NEGATIVE_INFINITY;
  }

  /** Removes the oldest windows. */
  close(count: number): void {
    for (const window of this.open.splice(0, count)) {
      this.#tally.count--;
      this.floor = Math.max(this.floor, window.end);
    }
    this.#slot = NO_SLOT;
  }

  /** Whether a window before all others would have to close at once. */
  get #isFull(): boolean {
    const { open, definition } = this;
    return open.length >= definition.maxOpen || (open.length > 0 && this.#tally.count >= this.#tally.max);
  }
}

/** A stretch of time, and the open windows that hold it. */
interface Slot {
  readonly start: EpochMs;
  readonly end: EpochMs;
  readonly windows: readonly OpenWindow[];
}

const NO_SLOT: Slot = { start: Number.POSITIVE_INFINITY, end: Number.NEGATIVE_INFINITY, windows: [] };
