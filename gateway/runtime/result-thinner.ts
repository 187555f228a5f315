import type { RecordThinner } from '../core/record-thinner.ts';
import type { Result } from '../core/result.ts';
import { decodeResults, encodeResults } from './result-codec.ts';

/**
 * Thins the records of the outbox. Of windows that begin at equal distances those are kept at a level whose number, counted from 1970, is a
 * multiple of 2^level, so what is left is evenly spaced; of any others as many, chosen by their start. All revisions of a window share its
 * fate, and alarms are always kept.
 *
 * @param stepMs milliseconds from the start of one window of a name to the next; undefined where that varies
 */
export function resultThinner(stepMs: (window: string) => number | undefined): RecordThinner {
  const isKept = (result: Result, level: number) => {
    if (result.kind !== 'aggregate') return true;
    const step = stepMs(result.window);
    const number = step === undefined ? scattered(result.start) : Math.floor(result.start / step);
    return number % 2 ** level === 0;
  };
  return {
    seriesOf: (payload) => countSeries(resultsOf(payload)),
    thin(payload, level) {
      const results = resultsOf(payload);
      const kept = results.filter((result) => isKept(result, level));
      if (kept.length === results.length) return undefined;
      const removed = countSeries(results.filter((result) => !isKept(result, level)));
      return { payload: encodeResults(kept), items: kept.length, removed };
    },
  };
}

/** A whole number that depends on all digits of a time: starts at the full hour are no more often multiples of anything than others. */
function scattered(time: number): number {
  return Math.imul((time % 2 ** 32) ^ (time / 2 ** 32), 0x9e3779b1) >>> 16;
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
