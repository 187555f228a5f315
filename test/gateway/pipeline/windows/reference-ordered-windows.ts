/** An independent witness of the windows that readings end: it keeps every reading, and goes through all of them anew whenever one comes. */
import { fieldsOf, type WitnessReading, type WitnessResult } from './reference-windows.ts';

export interface WitnessCount {
  readonly name: string;
  readonly count: number;
  readonly every: number;
}

export type OrderedWitnessResult = Omit<WitnessResult, 'revision'> & { readonly end: number };

/** What the windows of a series give that readings end, as a whole. */
export function witnessCounts(window: WitnessCount, arrived: readonly WitnessReading[]): OrderedWitnessResult[] {
  const results: OrderedWitnessResult[] = [];
  let lastStart = Number.NEGATIVE_INFINITY;
  let begins = 0;
  for (let at = 0; at < arrived.length; at++) {
    const before = arrived.slice(0, at).filter(({ quality }) => quality !== 2).length;
    if (before < begins * window.every) continue;
    begins++;
    lastStart = Math.max(Math.floor(arrived[at]!.sourceTime), lastStart + 1);
    let to = at;
    while (to < arrived.length && fill(arrived.slice(at, to)) < window.count) to++;
    const readings = arrived.slice(at, to);
    if (fill(readings) === window.count) results.push(resultOf(window.name, lastStart, readings));
  }
  return results;
}

function fill(readings: readonly WitnessReading[]): number {
  return readings.filter(({ quality }) => quality !== 2).length;
}

function resultOf(window: string, start: number, readings: readonly WitnessReading[]): OrderedWitnessResult {
  const [{ device, metric }] = readings as [WitnessReading];
  const newest = Math.max(...readings.map(({ sourceTime }) => Math.floor(sourceTime)));
  return {
    key: `${device}/${metric}`,
    window,
    start,
    end: Math.max(newest, start) + 1,
    fields: fieldsOf(readings),
    good: readings.filter(({ quality }) => quality === 0).length / readings.length,
  };
}
