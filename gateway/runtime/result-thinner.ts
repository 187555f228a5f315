import type { RecordThinner } from '../core/record-thinner.ts';
import type { Result } from '../core/result.ts';
import { decodeResults, encodeResults } from './result-codec.ts';

/**
 * Thins the records of the outbox. Of the windows of a series those are kept at a level whose number, counted from 1970 in windows of this
 * length, is a multiple of 2^level: what is left is evenly spaced, and all revisions of a window share its fate. Alarms are always kept.
 */
export const resultThinner: RecordThinner = {
  seriesOf: (payload) => countSeries(resultsOf(payload)),
  thin(payload, level) {
    const results = resultsOf(payload);
    const kept = results.filter((result) => isKept(result, level));
    if (kept.length === results.length) return undefined;
    const removed = countSeries(results.filter((result) => !isKept(result, level)));
    return { payload: encodeResults(kept), items: kept.length, removed };
  },
};

function isKept(result: Result, level: number): boolean {
  if (result.kind !== 'aggregate') return true;
  const lengthMs = result.end - result.start;
  return !(lengthMs > 0) || Math.floor(result.start / lengthMs) % 2 ** level === 0;
}

function countSeries(results: readonly Result[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { series } of results) counts.set(series.key, (counts.get(series.key) ?? 0) + 1);
  return counts;
}

/** Nothing is known of a record that cannot be read: it stays as it is, and a sink sets it aside. */
function resultsOf(payload: Uint8Array): readonly Result[] {
  try {
    return decodeResults(payload);
  } catch {
    return [];
  }
}
