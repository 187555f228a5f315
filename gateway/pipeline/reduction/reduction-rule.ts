import { type SeriesPattern, seriesPattern } from '../../base/series-pattern.ts';
import { GatewayError } from '../../core/errors.ts';

/** Which readings of the series that a pattern names go on. */
export interface ReductionSettings {
  /** See `seriesPattern`. */
  readonly series: string;
  /** A number goes on when it differs from the last one that did by more than this; any other value when it is another one. */
  readonly deadband?: number | undefined;
  /** The same, in percent of the last one that went on. With `deadband` both have to be exceeded. */
  readonly deadbandPercent?: number | undefined;
  /** Straight lines between the numbers that go on come within this of all that do not. Goes with `atLeastEveryMs` only. */
  readonly swingingDoor?: number | undefined;
  /** After so much event time a reading goes on whatever its value, in milliseconds. */
  readonly atLeastEveryMs?: number | undefined;
  /** For so much event time after one that went on none does, in milliseconds. */
  readonly atMostEveryMs?: number | undefined;
}

/** A rule, checked and made ready, with its counts. */
export interface ReductionRule {
  readonly series: string;
  readonly matches: SeriesPattern;
  /** Undefined where every value goes on. */
  readonly band: { readonly absolute: number; readonly share: number } | undefined;
  /** See `SwingingDoor`; undefined where there is none. */
  readonly deviation: number | undefined;
  readonly atLeastEveryMs: number;
  readonly atMostEveryMs: number;
  passed: number;
  filtered: number;
}

/** @throws GatewayError for a rule that is not allowed, or that lets everything go on */
export function reductionRule(settings: ReductionSettings): ReductionRule {
  const { series, deadband, deadbandPercent, swingingDoor } = settings;
  const { atLeastEveryMs = Number.POSITIVE_INFINITY, atMostEveryMs = 0 } = settings;
  for (const [name, value] of Object.entries({ deadband, deadbandPercent, swingingDoor })) {
    if (value !== undefined) requireNumber(series, name, value);
  }
  const hasBand = deadband !== undefined || deadbandPercent !== undefined;
  if (swingingDoor !== undefined && (hasBand || atMostEveryMs > 0)) {
    throw new GatewayError(`Cannot reduce ${series}: a swingingDoor goes with no deadband and no atMostEvery`, {
      hint: 'It says by itself which readings do not go on; give either, or two rules for different series.',
    });
  }
  if (!hasBand && swingingDoor === undefined && !(atMostEveryMs > 0)) {
    throw new GatewayError(`Cannot reduce ${series}: nothing says which readings do not go on`, {
      hint: 'Give a deadband (0 for every change), deadbandPercent, swingingDoor, or atMostEvery.',
    });
  }
  if (!(atLeastEveryMs > atMostEveryMs)) {
    throw new GatewayError(`Cannot reduce ${series}: atLeastEvery is not longer than atMostEvery`, {
      hint: 'A reading cannot go on more often than it may.',
    });
  }
  return {
    series,
    matches: seriesPattern(series),
    band: hasBand ? { absolute: deadband ?? 0, share: (deadbandPercent ?? 0) / 100 } : undefined,
    deviation: swingingDoor,
    atLeastEveryMs,
    atMostEveryMs,
    passed: 0,
    filtered: 0,
  };
}

function requireNumber(series: string, name: string, value: number): void {
  if (value >= 0 && Number.isFinite(value)) return;
  throw new GatewayError(`Cannot reduce ${series}: ${name} is ${value}`, {
    hint: `${name} is a finite number, at least 0.`,
  });
}
