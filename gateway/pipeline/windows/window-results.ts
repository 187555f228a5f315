import { resultSeries } from '../../base/result-series.ts';
import type { EpochMs } from '../../core/clock.ts';
import { Quality } from '../../core/quality.ts';
import type { Reading, Series } from '../../core/reading.ts';
import type { Aggregate } from '../../core/result.ts';
import type { Window } from '../../core/window.ts';
import type { Accumulator } from '../aggregate/accumulator.ts';
import type { Computation } from './computation.ts';

/** A window that gives a result. */
export interface GivenWindow extends Window {
  readonly accumulator: Accumulator;
  /** Of the result. */
  readonly revision: number;
  /** Whether the last result was early. */
  readonly isPartial: boolean;
  /** What its readings have to do with; the window itself where it is not said. */
  readonly extent?: Window;
}

/**
 * The result of a window. One that may give early results says of each whether it is one: `partial`, 1 or 0.
 *
 * @param content all that it holds, where that is more than its own accumulator
 */
export function resultOf(
  series: Series,
  computation: Computation,
  window: GivenWindow,
  isEarly: boolean,
  content: Accumulator = window.accumulator,
): Aggregate {
  const { start, end, revision, isPartial, extent = window } = window;
  const fields = computation.plan.fields(content, extent);
  if (isPartial || computation.isEarly) fields['partial'] = isEarly ? 1 : 0;
  const good = content.good / content.readings;
  return aggregate(series, computation.name, { start, end, revision, fields, good });
}

/** Says of a window that has given results that it holds nothing any more. */
export function emptyResultOf(
  series: Series,
  { name, plan }: Computation,
  { start, end, revision, isPartial }: Window & { readonly revision: number; readonly isPartial: boolean },
): Aggregate {
  const fields = { ...plan.nothing(), ...(isPartial ? { partial: 0 } : {}) };
  return aggregate(series, name, { start, end, revision, fields, good: 0 });
}

/** Where the readings stand that came too late for the windows of a name: no window can have it, as it has a colon. */
export function lateStreamOf(window: string): string {
  return `${window}:late`;
}

/**
 * A reading that came too late, as a result of its own: of the millisecond of its source time, with its `value`, unless that is a text or of bad quality,
 * and with how far it was `behind` the newest reading of its series, in seconds.
 *
 * @param place how many of its series came too late for this window before: several of one millisecond follow on each other as revisions
 */
export function lateResultOf(
  { name }: Computation,
  { series, quality, sourceTime }: Reading,
  value: number | string,
  { newest, place }: { readonly newest: EpochMs; readonly place: number },
): Aggregate {
  const start = Math.floor(sourceTime);
  // After the clock was set back the series has no newest reading yet.
  const behind = Math.max(0, newest - sourceTime) / 1000;
  const fields = quality === Quality.bad || typeof value === 'string' ? { behind } : { value, behind };
  const good = quality === Quality.good ? 1 : 0;
  return aggregate(series, lateStreamOf(name), { start, end: start + 1, revision: place, fields, good });
}

function aggregate(
  series: Series,
  window: string,
  rest: {
    readonly start: EpochMs;
    readonly end: EpochMs;
    readonly revision: number;
    readonly fields: Readonly<Record<string, number>>;
    readonly good: number;
  },
): Aggregate {
  return { kind: 'aggregate', series: resultSeries(series), window, ...rest };
}
