import { seriesPattern } from '../../base/series-pattern.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Bound } from '../../core/memory.ts';
import type { Reading, Series } from '../../core/reading.ts';
import { type Emit, Fate, type Stage } from '../../core/stage.ts';
import { EarlyResults } from './early-results.ts';
import { OrderedDefinition, type OrderedSettings } from './ordered-definition.ts';
import { OrderedSeries } from './ordered-series.ts';
import { restoreOrdered, snapshotOrdered } from './ordered-snapshot.ts';

/** What the stage is told. */
export interface OrderedWindowStageOptions {
  readonly windows: readonly OrderedSettings[];
  /** Finds the series of a snapshot again. */
  readonly findSeries: (key: string) => Series | undefined;
}

/**
 * Windows that readings begin and end, one after the other, and not the time: a number of them.
 *
 * - A text has no number: it is filtered. A boolean counts as 0 or 1.
 * - A window has its result when it ends, and no correction after that.
 * - When the clock is set back, series whose device has none, which have the times of the gateway's, begin anew: results under a start that comes
 *   again follow on those of the first time.
 */
export class OrderedWindowStage implements Stage {
  readonly #definitions: readonly OrderedDefinition[];
  readonly #matches: readonly ((series: Series) => boolean)[];
  readonly #findSeries: (key: string) => Series | undefined;
  readonly #early: EarlyResults;
  /** By series id; null for a series that no definition means. */
  readonly #states: (OrderedSeries | null | undefined)[] = [];
  /** In order of appearance. */
  readonly #all: OrderedSeries[] = [];
  #now: EpochMs = Number.NEGATIVE_INFINITY;
  #dropped = 0;

  /** @throws GatewayError for settings that are not allowed */
  constructor({ windows, findSeries }: OrderedWindowStageOptions) {
    this.#definitions = windows.map((settings) => new OrderedDefinition(settings));
    this.#matches = windows.map(({ series }) => seriesPattern(series));
    this.#findSeries = findSeries;
    this.#early = new EarlyResults(this.#definitions);
  }

  process(reading: Reading, emit: Emit): Fate {
    const { series, value, quality, sourceTime, receiveTime } = reading;
    if (receiveTime > this.#now) this.advance(receiveTime, emit);
    let state = this.#states[series.id];
    if (state === undefined) state = this.#meet(series);
    if (state === null || typeof value === 'string') return Fate.filtered;
    const number = typeof value === 'number' ? value : value ? 1 : 0;
    state.note(sourceTime, reading.stamped === true);
    for (const windows of state.windows) {
      windows.take(number, quality, sourceTime, emit);
      if (windows.definition.isEarly && windows.changed) this.#early.expect(windows.definition, this.#now);
    }
    return Fate.aggregated;
  }

  advance(now: EpochMs, emit: Emit): void {
    if (!(now > this.#now)) return;
    this.#now = now;
    while (this.#early.nextAt <= now) {
      const due = this.#early.takeDue(this.#early.nextAt);
      for (const { windows } of this.#all) for (const one of windows) if (due.has(one.definition)) one.giveEarly(emit);
    }
  }

  isDue(now: EpochMs): boolean {
    return this.#early.nextAt <= now;
  }

  step(now: EpochMs, byMs: number, _emit: Emit): void {
    this.#now = now;
    this.#early.step(byMs);
    if (byMs < 0) for (const state of this.#all) if (state.isAheadOf(now)) state.beginAnew();
  }

  bounds(maxSeries: number): readonly Bound[] {
    const used = this.#all.reduce(
      (sum, { windows }) => sum + windows.reduce((all, { open }) => all + open.length, 0),
      0,
    );
    const max = maxSeries * this.#definitions.reduce((sum, { maxOpen }) => sum + maxOpen, 0);
    return [{ name: 'windows that readings end', used, max, unit: 'windows' }];
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
      meet: (key) => this.#meet(this.#known(key)),
      early: this.#early,
    });
    this.#now = now;
    this.#dropped = dropped;
    for (const { windows } of this.#all) {
      for (const one of windows) if (one.changed) this.#early.expect(one.definition, now);
    }
  }
  #known(key: string): Series {
    const series = this.#findSeries(key);
    if (series !== undefined) return series;
    throw new GatewayError(`Cannot restore the windows of ${key}: there is no such series`, {
      hint: 'Series are restored before the windows; the checkpoint is incomplete.',
    });
  }

  /** The state of a series that is new here; null where no definition means it. */
  #meet(series: Series): OrderedSeries | null {
    const windows = this.#definitions
      .filter((_, i) => this.#matches[i]!(series))
      .map((definition) => definition.windowsOf(series));
    const state = windows.length === 0 ? null : new OrderedSeries(series, windows);
    this.#states[series.id] = state;
    if (state !== null) this.#all.push(state);
    return state;
  }
}
