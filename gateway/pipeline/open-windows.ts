import type { EpochMs } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import type { Window } from '../core/window.ts';
import type { Accumulator } from './aggregate/accumulator.ts';
import { AggregatePlan, type CourseSettings } from './aggregate/aggregates.ts';
import type { PastTimes } from './past-times.ts';
import { Tumbling } from './tumbling.ts';

/** A window as the configuration defines it. */
export interface WindowSettings {
  /** Unique among all windows; part of the identity of results. */
  readonly name: string;
  /** The series it is computed for: see `seriesPattern`. */
  readonly series: string;
  readonly window: { readonly tumblingMs: number; readonly allowedLatenessMs: number };
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
  readonly assigner: Tumbling;
  readonly latenessMs: number;
  readonly plan: AggregatePlan;
  /** Most windows of one series that are kept open at once. */
  readonly maxOpen: number;

  /** @throws GatewayError for settings that are not allowed */
  constructor(settings: WindowSettings, outOfOrdernessMs: number) {
    const { tumblingMs, allowedLatenessMs } = settings.window;
    if (!(allowedLatenessMs >= 0 && Number.isFinite(allowedLatenessMs))) {
      throw new GatewayError(`Cannot allow ${allowedLatenessMs} ms of lateness in window ${settings.name}`, {
        hint: 'The allowed lateness is a finite number of milliseconds, at least 0.',
      });
    }
    this.name = settings.name;
    this.assigner = new Tumbling(tumblingMs);
    this.latenessMs = allowedLatenessMs;
    this.plan = new AggregatePlan(settings.aggregates, settings.course);
    this.maxOpen = SPARE_WINDOWS + Math.ceil((allowedLatenessMs + outOfOrdernessMs) / tumblingMs);
  }

  /** What a snapshot of its windows depends on: with another form they cannot go on. */
  get form(): string {
    return JSON.stringify([this.name, this.assigner.sizeMs, ...this.plan.form]);
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
  #recent: OpenWindow | undefined;

  constructor(definition: WindowDefinition, tally = new OpenWindowTally(Number.POSITIVE_INFINITY)) {
    this.definition = definition;
    this.#tally = tally;
  }

  /** Whether the oldest must close, as there is no room for so many. */
  get isOverfull(): boolean {
    const { open, definition } = this;
    return open.length > definition.maxOpen || (open.length > 1 && this.#tally.count > this.#tally.max);
  }

  /** The open window that holds `time`, if there is one. */
  find(time: EpochMs): OpenWindow | undefined {
    const recent = this.#recent;
    if (recent !== undefined && time >= recent.start && time < recent.end) return recent;
    const { open } = this;
    for (let i = open.length - 1; i >= 0; i--) {
      const window = open[i]!;
      if (time >= window.end) return undefined;
      if (time >= window.start) {
        this.#recent = window;
        return window;
      }
    }
    return undefined;
  }

  /**
   * Opens the window that holds `time`, as `find` has found none; undefined when a reading of that time is late.
   * @param watermark of the device: a window that ends by then has been passed, so that its result is a correction
   * @param reached how far the series itself has come: only by that is its reading late
   */
  openAt(time: EpochMs, watermark: EpochMs, reached: EpochMs): OpenWindow | undefined {
    const { open, definition } = this;
    const start = definition.assigner.startOf(time);
    const end = start + definition.assigner.sizeMs;
    if (end + definition.latenessMs <= reached || end <= this.floor) return undefined;
    let at = open.length;
    while (at > 0 && open[at - 1]!.start > start) at--;
    if (at === 0 && this.#isFull) return undefined;
    const window = new OpenWindow(start, end, definition.plan.accumulator(), end <= watermark);
    window.revision = this.firstRevision;
    open.splice(at, 0, window);
    this.#tally.count++;
    this.#recent = window;
    return window;
  }

  /** Takes over a window that an earlier process had open, the oldest first. */
  resume(window: OpenWindow): void {
    this.open.push(window);
    this.#tally.count++;
  }

  /**
   * The clock was set back to `now`: windows that begin later may be opened again, and their results follow on those of the first time.
   * The window that holds `now` stays closed where there was a first time: a part of a window must not replace the whole.
   */
  beginAnew(now: EpochMs, past: PastTimes): void {
    const { assigner } = this.definition;
    const start = assigner.startOf(now);
    const end = start + assigner.sizeMs;
    this.floor = past.meets(start, end) ? Math.min(this.floor, end) : Number.NEGATIVE_INFINITY;
    this.firstRevision += REVISIONS;
  }

  /** Removes the oldest windows. */
  close(count: number): void {
    for (const window of this.open.splice(0, count)) {
      this.#tally.count--;
      this.floor = Math.max(this.floor, window.end);
      if (window === this.#recent) this.#recent = undefined;
    }
  }

  /** Whether a window before all others would have to close at once. */
  get #isFull(): boolean {
    const { open, definition } = this;
    return open.length >= definition.maxOpen || (open.length > 0 && this.#tally.count >= this.#tally.max);
  }
}
