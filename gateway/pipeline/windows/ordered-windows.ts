import type { EpochMs } from '../../core/clock.ts';
import type { WindowAt } from '../../core/inspection.ts';
import type { Quality } from '../../core/quality.ts';
import type { Series } from '../../core/reading.ts';
import type { Aggregate } from '../../core/result.ts';
import type { Emit } from '../../core/stage.ts';
import { listOf, numberOf } from '../snapshot.ts';
import type { Computation } from './computation.ts';
import { REVISIONS } from './open-windows.ts';
import type { RunningWindow } from './running-window.ts';
import { resultOf } from './window-results.ts';

const WHAT = 'windows of readings';

/**
 * The windows of one series under one definition that take its readings one after the other: where one begins and ends is up to the
 * readings alone, and none ends because time passes.
 */
export abstract class OrderedWindows {
  readonly definition: Computation;
  /** The text that says the state they are windows of; undefined for windows that texts have nothing to do with. */
  readonly text: string | undefined;
  protected readonly series: Series;
  #firstRevision = 0;
  #lastStart: EpochMs = Number.NEGATIVE_INFINITY;
  /** How many readings came too late and were given one by one. */
  lateCount = 0;

  constructor(definition: Computation, series: Series, text?: string) {
    this.definition = definition;
    this.series = series;
    this.text = text;
  }

  /** Whether readings have to come in the order of event time; else as they arrive. */
  abstract get isByTime(): boolean;

  /** Takes the next reading. A number is finite; a text is one that says a state of the series, or ''. */
  abstract take(value: number | string, quality: Quality, time: EpochMs, emit: Emit): void;

  /** The windows that have begun and not ended, the oldest first. */
  abstract get open(): readonly RunningWindow[];

  /** The open ones between whose readings this time lies. */
  windowsAt(time: EpochMs): readonly WindowAt[] {
    const { name: window } = this.definition;
    const holding = this.open.filter(({ extent }) => extent.start <= time && time < extent.end);
    return holding.map(({ start, end, revision }) => {
      const given = revision > this.#firstRevision ? revision - 1 : null;
      return { window, from: null, start, end, closesAt: null, state: 'open', revision: given };
    });
  }

  /** How many windows are lost where nobody goes on with them. */
  get openCount(): number {
    return this.open.length;
  }

  /** Whether there is something to give early. */
  get changed(): boolean {
    return this.open.some(({ changed }) => changed);
  }

  /** Gives what windows have that have not ended, where it has changed. */
  giveEarly(emit: Emit): void {
    for (const window of this.open) if (window.changed) this.give(window, emit, true);
  }

  /** The clock was set back: starts come again, and results under them follow on those of the first time. */
  beginAnew(_emit: Emit): void {
    this.#firstRevision += REVISIONS;
    this.#lastStart = Number.NEGATIVE_INFINITY;
  }

  /** Of the first result of the windows that begin from now on. */
  protected get firstRevision(): number {
    return this.#firstRevision;
  }

  snapshot(): unknown {
    return [this.#firstRevision, this.#lastStart, this.lateCount, this.openCount, this.snapshotOpen()];
  }

  /** Into a new instance. */
  restore(snapshot: unknown): void {
    const [firstRevision, lastStart, lateCount, , open] = listOf(snapshot, WHAT);
    this.lateCount = numberOf(lateCount, WHAT);
    this.#firstRevision = numberOf(firstRevision, WHAT);
    this.#lastStart = numberOf(lastStart, WHAT);
    this.restoreOpen(open);
  }

  /**
   * Lets windows of another form under the same name follow on those of a snapshot: sinks have results under it. @returns how many windows
   * were open, which nobody goes on with
   */
  static replacedBy(successor: OrderedWindows | undefined, snapshot: unknown): number {
    const [firstRevision, , lateCount, openCount] = listOf(snapshot, WHAT);
    if (successor !== undefined) {
      successor.#firstRevision = numberOf(firstRevision, WHAT) + REVISIONS;
      successor.lateCount = numberOf(lateCount, WHAT);
    }
    return numberOf(openCount, WHAT);
  }

  protected abstract snapshotOpen(): unknown;
  protected abstract restoreOpen(snapshot: unknown): void;

  /**
   * The start of a window whose first reading is of this time: its millisecond, or the one after the last start, as sinks tell results apart by
   * series, name and start.
   */
  protected nextStart(time: EpochMs): EpochMs {
    this.#lastStart = Math.max(Math.floor(time), this.#lastStart + 1);
    return this.#lastStart;
  }

  protected give(window: RunningWindow, emit: Emit, isEarly = false): void {
    const result = resultOf(this.series, this.definition, window, isEarly);
    window.changed = false;
    window.isPartial = isEarly;
    window.revision++;
    emit(this.completed(result));
  }

  /** A result with what the shape says beside the aggregates. */
  protected completed(result: Aggregate): Aggregate {
    return result;
  }
}
