import { type SeriesPattern, seriesPattern } from '../base/series-pattern.ts';
import { shortText } from '../base/short-text.ts';
import type { EpochMs } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import type { Quality } from '../core/quality.ts';
import type { Reading, Series, Value } from '../core/reading.ts';
import type { Gate, GateCounts } from '../core/stage.ts';
import { listOf, numberOf, recordOf, textOf, unreadable } from './snapshot.ts';

/** Which readings of the series that a pattern names go on. */
export interface ReductionSettings {
  /** See `seriesPattern`. */
  readonly series: string;
  /** A number goes on when it differs from the last one that did by more than this; any other value when it is another one. */
  readonly deadband?: number | undefined;
  /** The same, in percent of the last one that went on. With `deadband` both have to be exceeded. */
  readonly deadbandPercent?: number | undefined;
  /** After so much event time a reading goes on whatever its value, in milliseconds. */
  readonly atLeastEveryMs?: number | undefined;
  /** For so much event time after one that went on none does, in milliseconds. */
  readonly atMostEveryMs?: number | undefined;
}

interface Rule {
  readonly series: string;
  readonly matches: SeriesPattern;
  /** Undefined where every value goes on. */
  readonly band: { readonly absolute: number; readonly share: number } | undefined;
  readonly atLeastEveryMs: number;
  readonly atMostEveryMs: number;
  passed: number;
  filtered: number;
}

/** The last reading of a series that went on. */
class LastPassed {
  readonly rule: Rule;
  time: EpochMs = Number.NaN;
  /** A text is kept as its `shortText`. */
  value: Value = 0;
  quality: Quality = 0;

  constructor(rule: Rule) {
    this.rule = rule;
  }
}

/**
 * Lets only those readings go on that say something new: outside a deadband, no more often than a rate allows, but after a while in any case.
 * The first rule whose pattern matches a series decides for it. The first reading of a series, another quality, and a reading that is older
 * than the last one that went on always go on; the last leaves everything as it is.
 */
export class Reduction implements Gate {
  readonly #rules: readonly Rule[];
  readonly #findSeries: (key: string) => Series | undefined;
  /** By series id; null where no rule matches. */
  readonly #series: (LastPassed | null | undefined)[] = [];
  readonly #keys = new Map<string, LastPassed>();

  /** @throws GatewayError for a rule that is not allowed, or that lets everything go on */
  constructor(settings: readonly ReductionSettings[], findSeries: (key: string) => Series | undefined) {
    this.#rules = settings.map(checkedReduction);
    this.#findSeries = findSeries;
  }

  passes(reading: Reading): boolean {
    const { series } = reading;
    let last = this.#series[series.id];
    if (last === undefined) last = this.#meet(series);
    if (last === null) return true;
    const value = typeof reading.value === 'string' ? shortText(reading.value) : reading.value;
    const passes = isNews(last, reading, value);
    if (passes) last.rule.passed++;
    else last.rule.filtered++;
    if (!passes || reading.sourceTime < last.time) return passes;
    last.time = reading.sourceTime;
    last.value = value;
    last.quality = reading.quality;
    return true;
  }

  counts(): readonly GateCounts[] {
    return this.#rules.map(({ series, passed, filtered }) => ({ series, passed, filtered }));
  }

  snapshot(): unknown {
    return {
      rules: this.#rules.map(({ series, passed, filtered }) => [series, passed, filtered]),
      series: [...this.#keys].map(([key, { time, value, quality }]) => [key, time, value, quality]),
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
    for (const entry of listOf(series, WHAT)) {
      const [key, time, value, quality] = listOf(entry, WHAT);
      const known = this.#findSeries(textOf(key, WHAT));
      const last = known === undefined ? null : this.#meet(known);
      if (last === null) continue;
      last.time = numberOf(time, WHAT);
      if (typeof value !== 'number' && typeof value !== 'boolean' && typeof value !== 'string')
        throw unreadable(WHAT, value);
      last.value = value;
      last.quality = numberOf(quality, WHAT) as Quality;
    }
  }

  #meet(series: Series): LastPassed | null {
    const rule = this.#rules.find(({ matches }) => matches(series));
    const last = rule === undefined ? null : new LastPassed(rule);
    this.#series[series.id] = last;
    if (last !== null) this.#keys.set(series.key, last);
    return last;
  }
}

const WHAT = 'what has been reduced';

function isNews({ rule, time, value: before, quality }: LastPassed, reading: Reading, value: Value): boolean {
  const elapsedMs = reading.sourceTime - time;
  // Also where there was none before.
  if (!(elapsedMs >= 0) || reading.quality !== quality || elapsedMs >= rule.atLeastEveryMs) return true;
  if (elapsedMs < rule.atMostEveryMs) return false;
  const { band } = rule;
  if (band === undefined) return true;
  if (typeof value !== 'number' || typeof before !== 'number') return value !== before;
  return Math.abs(value - before) > Math.max(band.absolute, band.share * Math.abs(before));
}

/**
 * A rule, checked and made ready.
 *
 * @throws GatewayError for a rule that is not allowed, or that lets everything go on
 */
export function checkedReduction(settings: ReductionSettings): Rule {
  const { series, deadband, deadbandPercent } = settings;
  const { atLeastEveryMs = Number.POSITIVE_INFINITY, atMostEveryMs = 0 } = settings;
  requireNumber(series, 'deadband', deadband ?? 0);
  requireNumber(series, 'deadbandPercent', deadbandPercent ?? 0);
  const hasBand = deadband !== undefined || deadbandPercent !== undefined;
  if (!hasBand && !(atMostEveryMs > 0)) {
    throw new GatewayError(`Cannot reduce ${series}: nothing says which readings do not go on`, {
      hint: 'Give a deadband (0 for every change), deadbandPercent, or atMostEvery.',
    });
  }
  if (!(atLeastEveryMs > atMostEveryMs)) {
    throw new GatewayError(`Cannot reduce ${series}: atLeastEvery is not longer than atMostEvery`, {
      hint: 'A reading cannot go on more often than it may.',
    });
  }
  const band = hasBand ? { absolute: deadband ?? 0, share: (deadbandPercent ?? 0) / 100 } : undefined;
  return { series, matches: seriesPattern(series), band, atLeastEveryMs, atMostEveryMs, passed: 0, filtered: 0 };
}

function requireNumber(series: string, name: string, value: number): void {
  if (value >= 0 && Number.isFinite(value)) return;
  throw new GatewayError(`Cannot reduce ${series}: ${name} is ${value}`, {
    hint: `${name} is a finite number, at least 0.`,
  });
}
