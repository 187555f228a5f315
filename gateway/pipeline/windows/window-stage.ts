import { seriesPattern } from '../../base/series-pattern.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { WindowAt } from '../../core/inspection.ts';
import type { Bound } from '../../core/memory.ts';
import { asNumber, type Reading, type Series } from '../../core/reading.ts';
import { type Emit, Fate, type Stage } from '../../core/stage.ts';
import { type SeriesClock, Watermarks } from '../watermark.ts';
import { Corrections } from './corrections.ts';
import { EarlyResults } from './early-results.ts';
import { giveResult, passWindows } from './given-windows.ts';
import { knownSeries } from './known-series.ts';
import { giveLate, giveMissed } from './late-readings.ts';
import { type OpenWindow, type OpenWindows, OpenWindowTally } from './open-windows.ts';
import { openWindowsOf } from './open-windows-of.ts';
import { expectWholes, openedAt } from './opened-windows.ts';
import { PastTimes } from './past-times.ts';
import { defineWindows } from './rollup-settings.ts';
import { DeviceState, openOf, SeriesState } from './series-state.ts';
import { SilentDevices } from './silent-devices.ts';
import type { WindowDefinition } from './window-definition.ts';
import { checkedTiming, DEFAULT_MAX_OPEN_WINDOWS, type WindowStageOptions } from './window-options.ts';
import { restoreWindows, snapshotWindows } from './window-snapshot.ts';
import { windowsAt } from './windows-at.ts';

/**
 * Windows on event time.
 *
 * - A window gives its result when the watermark of its device reaches its end, and takes readings until the watermark reaches
 *   `end + allowedLateness`; a reading after that is late. A series that joins its device, or returns after a silence, has had no part
 *   in the watermark so far: until it has caught up, only what it has itself left behind is late.
 * - A reading that comes in between corrects the result: it is given again with the next revision. Corrections are gathered for
 *   `correctionDelayMs` of receive time, or until the window closes, so that a device that delivers its backlog does
 *   not cause a correction for each reading.
 * - When all series of a device are idle, its open windows give their results as they are, each once its end has come in receive time,
 *   and stay open, so nothing is late when the device returns. They give another result only if something has changed.
 * - A reading of bad quality counts for the share of good readings only. A text has no number: it is filtered, and does not move
 *   the watermark, nor does a late reading. A boolean counts as 0 or 1.
 * - When the clock is set back, series whose device has none, which have the times of the gateway's, begin anew at the new time: else all they
 *   bring would be late until the clock had come to where it was. What they hold is given at once.
 * - At most 256 windows more than disorder and lateness need are open for one series and definition; then the oldest gives
 *   its result and closes. The same happens where the windows of all series together are too many: who then opens one, gives up its oldest.
 */
export class WindowStage implements Stage {
  #droppedWindows = 0;
  readonly #definitions: readonly WindowDefinition[];
  readonly #matches: readonly ((series: Series) => boolean)[];
  readonly #findSeries: (key: string) => Series | undefined;
  readonly #watermarks: Watermarks;
  /** By series id; null for a series that no definition means. */
  readonly #states: (SeriesState | null | undefined)[] = [];
  /** In order of appearance, as in the watermarks. */
  readonly #all: SeriesState[] = [];
  /** By order of the device's clock. */
  readonly #devices: DeviceState[] = [];
  readonly #silent = new SilentDevices();
  readonly #tally: OpenWindowTally;
  #now: EpochMs = Number.NEGATIVE_INFINITY;
  readonly #past = new PastTimes();
  readonly #corrections: Corrections;
  readonly #early: EarlyResults;

  /** @throws GatewayError for settings that are not allowed */
  constructor(options: WindowStageOptions) {
    const { correctionDelayMs, ...timing } = checkedTiming(options);
    this.#definitions = defineWindows(options.windows, options.rollups ?? [], timing.maxOutOfOrdernessMs);
    this.#matches = this.#definitions.map(({ series }) => seriesPattern(series));
    this.#early = new EarlyResults(this.#definitions);
    this.#findSeries = options.findSeries;
    this.#tally = new OpenWindowTally(options.maxOpenWindows ?? DEFAULT_MAX_OPEN_WINDOWS);
    this.#corrections = new Corrections(correctionDelayMs);
    this.#watermarks = new Watermarks(timing);
  }

  process(reading: Reading, emit: Emit): Fate {
    const { series, value, quality, sourceTime, receiveTime } = reading;
    if (receiveTime > this.#now) this.advance(receiveTime, emit);
    let state = this.#states[series.id];
    if (state === undefined) state = this.#meet(series);
    if (state === null || typeof value === 'string') return Fate.filtered;
    const number = asNumber(value);
    const { clock, fed } = state;
    this.#watermarks.learn(clock, sourceTime);
    let taken = false;
    let missed = false;
    for (let i = 0; i < fed.length; i++) {
      const openWindows = fed[i]!;
      const holding = openWindows.find(sourceTime) ?? openedAt(state, openWindows, sourceTime, emit);
      if (holding.length < openWindows.definition.overlap) {
        missed = true;
        giveLate(openWindows, reading, number, clock.newest, emit);
      }
      for (let j = 0; j < holding.length; j++) {
        const window = holding[j]!;
        if (window.isMissed) {
          missed = true;
          giveMissed(openWindows, window, reading, number, clock.newest, emit);
        }
        window.accumulator.add(number, quality, sourceTime);
        if (!window.changed || window.isUntold) this.#change(state, openWindows, window);
        taken = true;
      }
    }
    if (!taken) return fed.length === 0 ? Fate.filtered : Fate.late;
    const moved = this.#watermarks.observe(clock, sourceTime, this.#now, reading.stamped === true);
    if (moved) this.#move(state.device, clock.device.watermark, emit);
    return missed ? Fate.late : Fate.aggregated;
  }

  warm(series: Series): number {
    const state = this.#states[series.id];
    if (state === undefined || state === null) return 0;
    const { fed, clock } = state;
    let sum = clock.newest;
    for (let i = 0; i < fed.length; i++) {
      const { recent } = fed[i]!;
      for (let j = 0; j < recent.length; j++) sum += recent[j]!.accumulator.warm();
    }
    return sum;
  }

  advance(now: EpochMs, emit: Emit): void {
    if (!(now > this.#now)) return;
    this.#now = now;
    this.#past.reach(now);
    for (;;) {
      const idleAt = this.#watermarks.nextDeadline;
      const surfaceAt = this.#silent.nextDue;
      const earlyAt = this.#early.nextAt;
      const otherAt = Math.min(surfaceAt, this.#corrections.dueAt, earlyAt);
      if (Math.min(idleAt, otherAt) > now) return;
      // At one time first idleness, then what is silent, then corrections, then early results.
      if (idleAt <= otherAt) this.#expire(Math.min(now, otherAt), emit);
      else if (surfaceAt === otherAt) this.#silent.surface(emit);
      else if (this.#corrections.dueAt === otherAt) this.#correct(emit);
      else this.#giveEarly(earlyAt, emit);
    }
  }

  isDue(now: EpochMs): boolean {
    const surfaceAt = this.#silent.nextDue;
    return Math.min(surfaceAt, this.#corrections.dueAt, this.#early.nextAt) <= now || this.#watermarks.hasExpired(now);
  }

  step(now: EpochMs, byMs: number, emit: Emit): void {
    this.#now = now;
    this.#corrections.step(byMs);
    this.#early.step(byMs);
    this.#watermarks.step(byMs);
    if (byMs < 0) for (const device of this.#devices) this.#setBack(device, now - byMs, emit);
    this.#past.step(now, byMs);
  }

  /** Whether any of its windows are of this series; false before its first reading. */
  uses(series: Series): boolean {
    return Boolean(this.#states[series.id]);
  }

  /** How far readings of the series' device may be out of order just now, in milliseconds; undefined before its first reading. */
  outOfOrdernessOf(series: Series): number | undefined {
    return this.#watermarks.outOfOrdernessMs(series);
  }

  /** The watermark of the series' device; undefined before its first reading. */
  watermarkOf(series: Series): EpochMs | undefined {
    return this.#watermarks.of(series);
  }

  /** See `windowsAt`. */
  windowsAt(series: Series, time: EpochMs): readonly WindowAt[] {
    const state = this.#states[series.id];
    return state ? windowsAt(state.windows, time, state.clock.device.watermark) : [];
  }

  bounds(maxSeries: number): readonly Bound[] {
    const { count, max } = this.#tally;
    const ofSeries = this.#definitions.reduce((sum, { maxOpen }) => sum + maxOpen, 0);
    // One may stay open of each series and definition, however many there are, and two of a rollup: of that one, and of the last that closed.
    const least = this.#definitions.reduce((sum, { from }) => sum + (from === undefined ? 1 : 2), 0);
    const most = Math.min(maxSeries * ofSeries, max + maxSeries * least);
    return [{ name: 'open windows', used: count, max: most, unit: 'windows' }];
  }

  snapshot(): unknown {
    return snapshotWindows({
      now: this.#now,
      correctAt: this.#corrections.dueAt,
      past: this.#past.snapshot(),
      definitions: this.#definitions,
      early: this.#early,
      watermarks: this.#watermarks.snapshot(),
      series: this.#all,
      corrections: this.#corrections.gathered,
    });
  }

  get notRestored(): string | undefined {
    if (this.#droppedWindows === 0) return undefined;
    return `${this.#droppedWindows} open windows are dropped: their definition has changed, or is gone`;
  }

  /** Into a new stage. Windows of definitions that have changed are dropped: see `notRestored`. */
  restore(snapshot: unknown): void {
    if (this.#all.length > 0) throw new GatewayError('Cannot restore windows into a stage that has seen readings');
    const restored = restoreWindows(snapshot, this.#definitions, {
      clocks: (part) => this.#watermarks.restore(part),
      add: (key, clock) => this.#add(knownSeries(this.#findSeries, key), clock),
      early: this.#early,
    });
    this.#now = restored.now;
    if (restored.past !== undefined) this.#past.restore(restored.past);
    this.#corrections.resume(restored.correctAt, restored.corrections);
    this.#droppedWindows = restored.dropped;
    const isNew = ({ definition }: OpenWindows) => !restored.resumed.has(definition);
    for (const { windows, clock } of this.#all) {
      for (const one of windows) if (isNew(one)) one.beginAfter(clock.device.watermark);
    }
    for (const [state, windows, window] of openOf(this.#all)) {
      const { device } = state;
      device.due = Math.min(device.due, windows.dueOf(window));
      window.isUntold = windows.rollups.length > 0;
      // A rollup that the snapshot does not know begins with what is open.
      expectWholes(device, windows, window, isNew);
      if (isNew(windows) && windows.isNew(window)) this.#change(state, windows, window);
      if (window.changed && !window.passed) this.#early.expect(windows.definition, this.#now);
    }
    for (const { device, clock } of this.#all) {
      // What a definition that allows less lateness than before makes due closes with the next step of the watermark.
      device.seen = clock.device.watermark;
    }
    for (const device of this.#devices) if (device.clock.active === 0) this.#silent.plan(device);
  }

  /** The clock was set back: what has its times from there, or waits for its end to come there, would wait for long. */
  #setBack(device: DeviceState, before: EpochMs, emit: Emit): void {
    const ahead = device.series.filter(({ clock }) => clock.stamped && clock.newest > this.#now);
    for (const [state, windows, window] of openOf(device.clock.active === 0 ? device.series : ahead)) {
      giveResult(state, windows, window, emit, !window.passed && window.end > before);
    }
    if (ahead.length === 0) return;
    for (const { windows } of ahead) for (const openWindows of windows) openWindows.beginAnew(this.#now, this.#past);
    this.#watermarks.beginAnew(
      device.clock,
      ahead.map(({ clock }) => clock),
    );
    device.seen = device.clock.watermark;
  }

  #meet(series: Series): SeriesState | null {
    if (this.#matches.some((matches) => matches(series))) return this.#add(series, this.#watermarks.track(series));
    this.#states[series.id] = null;
    return null;
  }

  #add(series: Series, clock: SeriesClock): SeriesState {
    const windows = openWindowsOf(
      this.#definitions.filter((_, i) => this.#matches[i]!(series)),
      this.#tally,
    );
    this.#devices[clock.device.order] ??= new DeviceState(clock.device);
    const device = this.#devices[clock.device.order]!;
    const state = new SeriesState(series, clock, device, windows);
    device.series.push(state);
    this.#all.push(state);
    this.#states[series.id] = state;
    return state;
  }

  /** The first reading of a window since its last result, or since that of a rollup it belongs to. */
  #change(state: SeriesState, windows: OpenWindows, window: OpenWindow): void {
    window.isUntold = false;
    if (!window.changed) {
      window.changed = true;
      if (window.passed) this.#corrections.expect({ state, windows, window }, this.#now);
      else this.#early.expect(windows.definition, this.#now);
    }
    for (const rollup of windows.rollups) {
      const whole = rollup.wholeOf(window);
      if (whole !== undefined && (!whole.changed || whole.isUntold)) this.#change(state, rollup, whole);
    }
  }

  #correct(emit: Emit): void {
    for (const { state, windows, window } of this.#corrections.take()) {
      if (window.passed) giveResult(state, windows, window, emit);
    }
  }

  /** Gives what windows have that have not ended. */
  #giveEarly(time: EpochMs, emit: Emit): void {
    const due = this.#early.takeDue(time);
    for (const [state, windows, window] of openOf(this.#all)) {
      if (due.has(windows.definition) && !window.passed) giveResult(state, windows, window, emit, true);
    }
  }

  #expire(until: EpochMs, emit: Emit): void {
    const clock = this.#watermarks.expire(until);
    if (clock === undefined) return;
    const device = this.#devices[clock.order]!;
    // Where it stands still, windows of a series that lags behind it stay open.
    if (clock.watermark > device.seen) this.#move(device, clock.watermark, emit);
    if (clock.active === 0) this.#silent.give(device, clock.idleSince, emit);
  }

  #move(device: DeviceState, watermark: EpochMs, emit: Emit): void {
    device.seen = watermark;
    if (watermark >= device.due) passWindows(device, watermark, emit);
  }
}
