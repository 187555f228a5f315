import { DeadlineQueue } from '../../base/deadline-queue.ts';
import { shortText } from '../../base/short-text.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Reading, Series, Value } from '../../core/reading.ts';
import type { Doorway, Gate, GateCounts } from '../../core/stage.ts';
import { listOf, numberOf, recordOf, textOf } from '../snapshot.ts';
import { ReducedSeries, WHAT } from './reduced-series.ts';
import { type ReductionRule, type ReductionSettings, reductionRule } from './reduction-rule.ts';

/** What a reduction is made from. */
export interface ReductionOptions {
  /** The first whose pattern matches a series decides for it. */
  readonly rules: readonly ReductionSettings[];
  readonly findSeries: (key: string) => Series | undefined;
  /** A series that brings nothing for so long holds no windows open any more, in milliseconds of receive time: nothing waits longer. */
  readonly idleTimeoutMs: number;
}

/**
 * Lets only those readings go on that say something new: outside a deadband, or off a straight line, no more often than a rate allows, but after
 * a while in any case. The first reading of a series, another quality, and a reading that is older than the newest always go on; the last
 * leaves everything as it is.
 *
 * A swinging door decides on a reading when the next one has come. Until then it waits, for less than the idle timeout since the last one went
 * on: so no window that it belongs to has closed.
 */
export class Reduction implements Gate {
  readonly #rules: readonly ReductionRule[];
  readonly #findSeries: (key: string) => Series | undefined;
  readonly #longestWaitMs: number;
  /** By series id; null where no rule matches. */
  readonly #series: (ReducedSeries | null | undefined)[] = [];
  readonly #all: ReducedSeries[] = [];
  /** Every series of which a reading waits, and some of which none does any more. */
  readonly #waiting = new DeadlineQueue<ReducedSeries>();

  /** @throws GatewayError for a rule that is not allowed, or that lets everything go on */
  constructor({ rules, findSeries, idleTimeoutMs }: ReductionOptions) {
    this.#rules = rules.map(reductionRule);
    this.#findSeries = findSeries;
    this.#longestWaitMs = idleTimeoutMs - 1;
  }

  take(reading: Reading, now: EpochMs, doorway: Doorway): void {
    const { series } = reading;
    let state = this.#series[series.id];
    if (state === undefined) state = this.#meet(series);
    if (state === null) doorway.goOn(reading);
    else if (state.door === undefined) this.#takeNews(state, reading, now, doorway);
    else this.#swing(state, reading, now, doorway);
  }

  get nextDue(): EpochMs {
    return this.#waiting.peek()?.due ?? Number.POSITIVE_INFINITY;
  }

  release(now: EpochMs, doorway: Doorway): void {
    for (let next = this.#waiting.peek(); next !== undefined && next.due <= now; next = this.#waiting.peek()) {
      this.#waiting.pop();
      next.due = Number.POSITIVE_INFINITY;
      if (next.held === undefined) continue;
      if (next.door === undefined || this.#dueOf(next) <= now) this.#goOn(next, next.held, now, doorway);
      else this.#await(next);
    }
  }

  releaseAll(now: EpochMs, doorway: Doorway): void {
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      next.due = Number.POSITIVE_INFINITY;
      if (next.held !== undefined) this.#goOn(next, next.held, now, doorway);
    }
  }

  /** A series that is ahead of a clock that was set back begins anew: else all that it brings would be older than the last that went on. */
  step(now: EpochMs, byMs: number): void {
    for (const state of this.#all) {
      if (byMs < 0 && state.time > now) state.time = Number.NaN;
      state.passedAt += byMs;
      // Moving all of them leaves their order in the queue as it is.
      state.due += byMs;
    }
  }

  *held(): Generator<Reading> {
    for (const { held } of this.#all) if (held !== undefined) yield held;
  }

  counts(): readonly GateCounts[] {
    return this.#rules.map(({ series, passed, filtered }) => ({ series, passed, filtered }));
  }

  snapshot(): unknown {
    return {
      rules: this.#rules.map(({ series, passed, filtered }) => [series, passed, filtered]),
      series: this.#all.map((state) => state.snapshot()),
    };
  }

  restore(snapshot: unknown): void {
    const { rules, series } = recordOf(snapshot, WHAT);
    for (const entry of listOf(rules, WHAT)) {
      const [pattern, passed, filtered] = listOf(entry, WHAT);
      const rule = this.#rules.find((one) => one.series === textOf(pattern, WHAT));
      if (rule === undefined) continue;
      rule.passed = numberOf(passed, WHAT);
      rule.filtered = numberOf(filtered, WHAT);
    }
    for (const entry of listOf(series, WHAT)) this.#resume(entry);
  }

  #resume(entry: unknown): void {
    const key = textOf(listOf(entry, WHAT)[0], WHAT);
    const series = this.#findSeries(key);
    if (series === undefined) {
      throw new GatewayError(`Cannot restore ${WHAT} of ${key}: there is no such series`, {
        hint: 'Series are restored before; the checkpoint is incomplete.',
      });
    }
    const rule = this.#ruleOf(series);
    const state = new ReducedSeries(series, rule ?? NO_RULE);
    state.restore(entry);
    // Without a rule it goes on at once, and all behind it.
    if (rule === undefined && state.held === undefined) return;
    this.#all.push(state);
    if (rule !== undefined) this.#series[series.id] = state;
    if (state.held !== undefined) this.#await(state);
  }

  #meet(series: Series): ReducedSeries | null {
    const rule = this.#ruleOf(series);
    const state = rule === undefined ? null : new ReducedSeries(series, rule);
    this.#series[series.id] = state;
    if (state !== null) this.#all.push(state);
    return state;
  }

  #ruleOf(series: Series): ReductionRule | undefined {
    return this.#rules.find(({ matches }) => matches(series));
  }

  #takeNews(state: ReducedSeries, reading: Reading, now: EpochMs, doorway: Doorway): void {
    // What an earlier rule has kept waiting.
    if (state.held !== undefined) this.#goOn(state, state.held, now, doorway);
    const value = typeof reading.value === 'string' ? shortText(reading.value) : reading.value;
    if (!isNews(state, reading, value)) leaveOut(state, reading, doorway);
    else if (reading.sourceTime < state.time) passOn(state, reading, doorway);
    else this.#goOn(state, reading, now, doorway);
  }

  #swing(state: ReducedSeries, reading: Reading, now: EpochMs, doorway: Doorway): void {
    const { sourceTime: time, value } = reading;
    const newest = state.held?.sourceTime ?? state.time;
    if (time < newest) {
      passOn(state, reading, doorway);
      return;
    }
    const isComparable = typeof value === 'number' && typeof state.value === 'number';
    if (!isComparable || reading.quality !== state.quality || !(time > newest)) {
      if (state.held !== undefined) this.#goOn(state, state.held, now, doorway);
      this.#goOn(state, reading, now, doorway);
      return;
    }
    if (state.held !== undefined) {
      const isTooLong = time - state.time >= state.rule.atLeastEveryMs;
      if (!isTooLong && state.door!.lets(time, value)) leaveOut(state, state.held, doorway);
      else this.#goOn(state, state.held, now, doorway);
    }
    if (time - state.time >= state.rule.atLeastEveryMs) this.#goOn(state, reading, now, doorway);
    else this.#hold(state, reading, value);
  }

  #hold(state: ReducedSeries, reading: Reading, value: number): void {
    state.held = { ...reading };
    state.door!.leaveOut(reading.sourceTime, value);
    if (state.due === Number.POSITIVE_INFINITY) this.#await(state);
  }

  #await(state: ReducedSeries): void {
    state.due = this.#dueOf(state);
    this.#waiting.push(state);
  }

  #dueOf({ door, passedAt }: ReducedSeries): EpochMs {
    return door === undefined ? Number.NEGATIVE_INFINITY : passedAt + this.#longestWaitMs;
  }

  /** The reading goes on, and what comes is compared with it. */
  #goOn(state: ReducedSeries, reading: Reading, now: EpochMs, doorway: Doorway): void {
    const { value, sourceTime, quality } = reading;
    state.held = undefined;
    state.time = sourceTime;
    state.value = typeof value === 'string' ? shortText(value) : value;
    state.quality = quality;
    state.passedAt = now;
    if (typeof value === 'number') state.door?.open(sourceTime, value);
    passOn(state, reading, doorway);
  }
}

/** Of a series that no rule means any more. */
const NO_RULE: ReductionRule = reductionRule({ series: '*', deadband: 0 });

function passOn({ rule }: ReducedSeries, reading: Reading, doorway: Doorway): void {
  rule.passed++;
  doorway.goOn(reading);
}

function leaveOut({ rule }: ReducedSeries, reading: Reading, doorway: Doorway): void {
  rule.filtered++;
  doorway.leaveOut(reading);
}

function isNews({ rule, time, value: before, quality }: ReducedSeries, reading: Reading, value: Value): boolean {
  const elapsedMs = reading.sourceTime - time;
  // Also where there was none before.
  if (!(elapsedMs >= 0) || reading.quality !== quality || elapsedMs >= rule.atLeastEveryMs) return true;
  if (elapsedMs < rule.atMostEveryMs) return false;
  const { band } = rule;
  if (band === undefined) return true;
  if (typeof value !== 'number' || typeof before !== 'number') return value !== before;
  return Math.abs(value - before) > Math.max(band.absolute, band.share * Math.abs(before));
}
