import type { Series } from '../core/reading.ts';
import type { ResultSeries } from '../core/result.ts';

/** The part of a series that travels with its results, as it is now: a later change of the unit does not reach it. */
export function resultSeries(series: Series): ResultSeries {
  const { key, device, metric, tags, unit } = series;
  return unit === undefined ? { key, device, metric, tags } : { key, device, metric, tags, unit };
}
