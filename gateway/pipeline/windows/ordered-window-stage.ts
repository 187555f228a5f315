import { DeadlineQueue } from '../../base/deadline-queue.ts';
import { seriesPattern } from '../../base/series-pattern.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { WindowAt } from '../../core/inspection.ts';
import type { Bound } from '../../core/memory.ts';
import type { Quality } from '../../core/quality.ts';
import type { Reading, Series } from '../../core/reading.ts';
import { type Emit, Fate, type Stage } from '../../core/stage.ts';
import type { DisorderBounds } from '../learnt-disorder.ts';
import type { WatermarkOptions } from '../watermark.ts';
import { EarlyResults } from './early-results.ts';
import { knownSeries } from './known-series.ts';
import { OrderedDefinition, type OrderedSettings } from './ordered-definition.ts';
import { OrderedSeries } from './ordered-series.ts';
import { restoreOrdered, snapshotOrdered } from './ordered-snapshot.ts';
import type { OrderedWindows } from './ordered-windows.ts';
import { MAX_QUEUED, ReadingTally } from './reading-queue.ts';
import { lateResultOf } from './window-results.ts';

/** Readings of all series that wait for their turn, or are in sliding windows, beyond one of each: some ten megabytes. */
const DEFAULT_MAX_READINGS = 500_000;

/** What the stage is told. */
export interface OrderedWindowStageOptions {
  readonly windows: readonly OrderedSettings[];
  readonly time: WatermarkOptions;
  /** Finds the series of a snapshot again. */
  readonly findSeries: (key: string) => Series | undefined;
  /** Readings of all series that wait for their turn, beyond one of each. @default 500000 */
  readonly maxWaiting?: number;
  /** Readings of all series in sliding windows, beyond one of each. @default 500000 */
  readonly maxSliding?: number;
}

/**
 * Windows that readings begin and end, one after the other, and not the time: a number of them, a state, or, with each
 * reading, what came in some time before it.
 *
 * - A number of readings is counted as they come. Everything else takes them in the order of event time: a reading waits until the newest of its
 *   series is as far ahead as readings may be out of order, which is learnt for each series, or there has been nothing newer for
 *   `idleTimeoutMs` of receive time. One that is older than one that has had its turn is late.
 * - At most 4096 readings of a series wait, and of all series together so many: beyond, the oldest of the series has its turn.
 * - A text has no number: where no state of the series is one, it is filtered. A boolean counts as 0 or 1.
 * - A window has its result when it ends, and no correction after that.
 * - When the clock is set back, series whose device has none, which have the times of the gateway's, begin anew: what waits has its turn, and
 *   results under a start that comes again follow on those of the first time.
 */
export class OrderedWindowStage implements Stage {
  readonly #definitions: readonly OrderedDefinition[];
  readonly #matches: readonly ((series: Series) => boolean)[];
  readonly #findSeries: (key: string) => Series | undefined;
  readonly #idleTimeoutMs: number;
  readonly #disorder: DisorderBounds;
  readonly #early: EarlyResults;
  /** By series id; null for a series that no definition means. */
  readonly #states: (OrderedSeries | null | undefined)[] = [];
  /** In order of appearance. */
  readonly #all: OrderedSeries[] = [];
  /** Series of which readings wait. */
  readonly #silences = new DeadlineQueue<OrderedSeries>();
  readonly #waiting: ReadingTally;
  readonly #sliding: ReadingTally;
  #now: EpochMs = Number.NEGATIVE_INFINITY;
  #dropped = 0;

  /** @throws GatewayError for settings that are not allowed */
  constructor(options: OrderedWindowStageOptions) {
    const { windows, time, findSeries, maxWaiting = DEFAULT_MAX_READINGS, maxSliding = DEFAULT_MAX_READINGS } = options;
    this.#definitions = windows.map((settings) => new OrderedDefinition(settings));
    this.#matches = windows.map(({ series }) => seriesPattern(series));
    this.#findSeries = findSeries;
    const { outOfOrdernessMs, maxOutOfOrdernessMs = outOfOrdernessMs, idleTimeoutMs } = time;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#disorder = { leastMs: outOfOrdernessMs, mostMs: maxOutOfOrdernessMs };
    this.#early = new EarlyResults(this.#definitions);
    this.#waiting = new ReadingTally(maxWaiting);
    this.#sliding = new ReadingTally(maxSliding);
  }

  process(reading: Reading, emit: Emit): Fate {
    const { series, value, quality, sourceTime, receiveTime } = reading;
    if (receiveTime > this.#now) this.advance(receiveTime, emit);
    let state = this.#states[series.id];
    if (state === undefined) state = this.#meet(series);
    const seen = state?.seen(value);
    if (state === null || seen === undefined) return Fate.filtered;
    const now = this.#now;
    state.note(sourceTime, now, reading.stamped === true);
    this.#feed(state.byArrival, seen, quality, sourceTime, now, emit);
    if (state.byTime.length === 0) return Fate.aggregated;
    if (sourceTime < state.lastTurn) {
      this.#giveLate(state, reading, seen, emit);
      return Fate.late;
    }
    state.waiting.add(seen, quality, sourceTime);
    this.#takeTurns(state, now, emit);
    this.#planSilence(state);
    return Fate.aggregated;
  }

  advance(now: EpochMs, emit: Emit): void {
    if (!(now > this.#now)) return;
    this.#now = now;
    for (;;) {
      const earlyAt = this.#early.nextAt;
      // At one time first silence, then early results.
      const silent = this.#nextSilent(Math.min(now, earlyAt));
      if (silent !== undefined) this.#endWait(silent, emit);
      else if (earlyAt <= now) this.#giveEarly(earlyAt, emit);
      else return;
    }
  }

  isDue(now: EpochMs): boolean {
    return this.#early.nextAt <= now || this.#nextSilent(now) !== undefined;
  }

  step(now: EpochMs, byMs: number, emit: Emit): void {
    this.#now = now;
    this.#early.step(byMs);
    for (const state of this.#all) {
      state.newestAt += byMs;
      // Moving all of them leaves their order in the queue as it is.
      state.due += byMs;
    }
    if (byMs > 0) return;
    for (const state of this.#all) {
      if (!state.isAheadOf(now)) continue;
      this.#takeAll(state, now, emit);
      state.beginAnew(emit);
    }
  }

  /** Whether any of its windows are of this series; false before its first reading. */
  uses(series: Series): boolean {
    return Boolean(this.#states[series.id]);
  }

  /** Older readings of the series are expected to be in; undefined before its first reading. */
  watermarkOf(series: Series): EpochMs | undefined {
    const state = this.#states[series.id];
    if (!state || state.newest === Number.NEGATIVE_INFINITY) return undefined;
    return Math.max(state.lastTurn, state.reached(this.#now, this.#idleTimeoutMs));
  }

  /** How far readings of the series may be out of order just now, in milliseconds; undefined before its first reading. */
  outOfOrdernessOf(series: Series): number | undefined {
    return this.#states[series.id]?.disorder.allowedMs;
  }

  /** Those of its open windows that hold a reading of this time, as far as it has had its turn. */
  windowsAt(series: Series, time: EpochMs): readonly WindowAt[] {
    const windows = this.#states[series.id]?.windows ?? [];
    return windows.flatMap((one) => one.windowsAt(time));
  }

  bounds(maxSeries: number): readonly Bound[] {
    const open = this.#all.reduce(
      (sum, { windows }) => sum + windows.reduce((all, one) => all + one.open.length, 0),
      0,
    );
    const maxOpen = maxSeries * this.#definitions.reduce((sum, one) => sum + one.maxOpen, 0);
    const sliding = this.#definitions.filter(({ isSliding }) => isSliding).length;
    return [
      { name: 'windows that readings end', used: open, max: maxOpen, unit: 'windows' },
      readingBound('readings that wait for older ones', this.#waiting, this.#definitions.length > 0 ? maxSeries : 0),
      readingBound('readings in sliding windows', this.#sliding, maxSeries * sliding),
    ];
  }

  snapshot(): unknown {
    return snapshotOrdered({ now: this.#now, definitions: this.#definitions, early: this.#early, series: this.#all });
  }

  get notRestored(): string | undefined {
    if (this.#dropped === 0) return undefined;
    return `${this.#dropped} windows of readings are dropped: their definition has changed, or is gone`;
  }

  /** Into a new stage. Windows of definitions that have changed are dropped: see `notRestored`. */
  restore(snapshot: unknown): void {
    if (this.#all.length > 0) throw new GatewayError('Cannot restore windows into a stage that has seen readings');
    const { now, dropped } = restoreOrdered(snapshot, this.#definitions, {
      meet: (key) => this.#meet(knownSeries(this.#findSeries, key)),
      early: this.#early,
    });
    this.#now = now;
    this.#dropped = dropped;
    for (const state of this.#all) {
      this.#planSilence(state);
      for (const one of state.windows) if (one.changed) this.#early.expect(one.definition, now);
    }
  }

  /** Lets windows take a reading at a receive time. */
  #feed(
    all: readonly OrderedWindows[],
    value: number | string,
    quality: Quality,
    time: EpochMs,
    at: EpochMs,
    emit: Emit,
  ): void {
    for (let i = 0; i < all.length; i++) {
      const windows = all[i]!;
      windows.take(value, quality, time, emit);
      if (windows.definition.isEarly && windows.changed) this.#early.expect(windows.definition, at);
    }
  }

  /** Readings that nothing older is expected before any more have their turn, and what there is no room for. */
  #takeTurns(state: OrderedSeries, at: EpochMs, emit: Emit): void {
    const { waiting } = state;
    const reached = state.reached(at, this.#idleTimeoutMs);
    while (waiting.time <= reached || waiting.isOverfull) this.#takeTurn(state, at, emit);
  }

  #takeAll(state: OrderedSeries, at: EpochMs, emit: Emit): void {
    while (state.waiting.count > 0) this.#takeTurn(state, at, emit);
  }

  #takeTurn(state: OrderedSeries, at: EpochMs, emit: Emit): void {
    const { value, quality, time } = state.waiting;
    state.waiting.shift();
    state.lastTurn = time;
    this.#feed(state.byTime, value, quality, time, at, emit);
  }

  #giveLate(state: OrderedSeries, reading: Reading, value: number | string, emit: Emit): void {
    for (const windows of state.byTime) {
      const { definition, text } = windows;
      if (!definition.storesLate || (typeof value === 'string' && text === undefined)) continue;
      emit(lateResultOf(definition, reading, value, { newest: state.newest, place: windows.lateCount++ }));
    }
  }

  #giveEarly(time: EpochMs, emit: Emit): void {
    const due = this.#early.takeDue(time);
    for (const { windows } of this.#all) for (const one of windows) if (due.has(one.definition)) one.giveEarly(emit);
  }

  #planSilence(state: OrderedSeries): void {
    if (state.waiting.count === 0 || state.due !== Number.POSITIVE_INFINITY) return;
    state.due = state.newestAt + this.#idleTimeoutMs;
    this.#silences.push(state);
  }

  /** The first series of which readings wait that has brought nothing newer for too long by `now`. */
  #nextSilent(now: EpochMs): OrderedSeries | undefined {
    for (;;) {
      const state = this.#silences.peek();
      if (state === undefined || state.due > now) return undefined;
      const due = state.newestAt + this.#idleTimeoutMs;
      if (due === state.due && state.waiting.count > 0) return state;
      // Progress does not touch the queue, which would cost every reading: the entry is put right when it comes up.
      this.#silences.pop();
      state.due = Number.POSITIVE_INFINITY;
      this.#planSilence(state);
    }
  }

  #endWait(state: OrderedSeries, emit: Emit): void {
    this.#silences.pop();
    const at = state.due;
    state.due = Number.POSITIVE_INFINITY;
    this.#takeAll(state, at, emit);
  }
  /** The state of a series that is new here; null where no definition means it. */
  #meet(series: Series): OrderedSeries | null {
    const windows = this.#definitions
      .filter((_, i) => this.#matches[i]!(series))
      .map((definition) => definition.windowsOf(series, this.#sliding));
    const state =
      windows.length === 0
        ? null
        : new OrderedSeries(series, this.#all.length, windows, {
            waiting: this.#waiting,
            disorder: this.#disorder,
          });
    this.#states[series.id] = state;
    if (state !== null) this.#all.push(state);
    return state;
  }
}

/** Of so many queues of readings, each may keep one, however many all of them hold. */
function readingBound(name: string, { count, max }: ReadingTally, queues: number): Bound {
  return { name, used: count, max: Math.min(queues * MAX_QUEUED, max + queues), unit: 'readings' };
}
