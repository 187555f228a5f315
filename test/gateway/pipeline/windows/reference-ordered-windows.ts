/** An independent witness of the windows that readings end: it keeps every reading, sorts them, and goes through all of them anew. */
import {
  allowedDisorder,
  type Disorder,
  fieldsOf,
  type WitnessReading,
  type WitnessResult,
} from './reference-windows.ts';

export interface WitnessCount {
  readonly name: string;
  readonly count: number;
  readonly every: number;
}

export interface WitnessState {
  readonly name: string;
  readonly begins: (value: number) => boolean;
  readonly goesOn: (value: number, first: number) => boolean;
}

export type OrderedWitnessResult = WitnessResult & { readonly end: number };

/** Milliseconds; `disorder` is given, and up to `maxDisorder` it is learnt. */
export interface WitnessOrderTime {
  readonly disorder: number;
  readonly maxDisorder?: number;
  readonly idle: number;
}

/** The readings of one series in the order in which they have their turn. */
export class WitnessTurns {
  readonly arrived: WitnessReading[] = [];
  readonly turned: WitnessReading[] = [];
  /** How far each that came too late was behind the newest one, in seconds. */
  readonly late: { readonly reading: WitnessReading; readonly behind: number }[] = [];
  readonly #time: WitnessOrderTime;
  #waiting: WitnessReading[] = [];
  readonly #disorders: Disorder[] = [];
  #newest = Number.NEGATIVE_INFINITY;
  #newestAt = Number.NEGATIVE_INFINITY;

  constructor(time: WitnessOrderTime) {
    this.#time = time;
  }

  /** Receive time has reached `now`. */
  until(now: number): void {
    if (now - this.#newestAt >= this.#time.idle) this.#turn(this.#newest);
  }

  /** @returns whether it is late */
  reading(reading: WitnessReading, now: number): boolean {
    const { sourceTime } = reading;
    this.arrived.push(reading);
    this.#disorders.push({ time: sourceTime, disorder: this.#newest - sourceTime });
    if (sourceTime > this.#newest) {
      this.#newest = sourceTime;
      this.#newestAt = now;
    }
    if (this.turned.some((one) => one.sourceTime > sourceTime)) {
      this.late.push({ reading, behind: (this.#newest - sourceTime) / 1000 });
      return true;
    }
    this.#waiting.push(reading);
    this.#turn(this.#newest - allowedDisorder(this.#disorders, this.#time));
    this.until(now);
    return false;
  }

  #turn(reached: number): void {
    // Sorting is stable: equal times stay in order of arrival.
    const due = this.#waiting.filter(({ sourceTime }) => sourceTime <= reached);
    this.turned.push(...due.sort((a, b) => a.sourceTime - b.sourceTime));
    this.#waiting = this.#waiting.filter(({ sourceTime }) => sourceTime > reached);
  }
}

/** What windows of a number of readings give, as a whole. */
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
    if (fill(readings) !== window.count) continue;
    const newest = Math.max(...readings.map(({ sourceTime }) => Math.floor(sourceTime)));
    results.push(resultOf(window.name, [lastStart, Math.max(newest, lastStart) + 1], readings));
  }
  return results;
}

/** What windows of a state give that have ended, of readings in order. */
export function witnessStates(window: WitnessState, turned: readonly WitnessReading[]): OrderedWitnessResult[] {
  const results: OrderedWitnessResult[] = [];
  let lastStart = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < turned.length; at++) {
    const first = turned[at]!;
    if (first.quality === 2 || !window.begins(first.value)) continue;
    lastStart = Math.max(Math.floor(first.sourceTime), lastStart + 1);
    const rest = turned.slice(at);
    const length = rest.findIndex(({ quality, value }) => quality !== 2 && !window.goesOn(value, first.value));
    if (length === -1) return results;
    const end = Math.max(rest[length]!.sourceTime, lastStart + 1);
    const result = resultOf(window.name, [lastStart, end], rest.slice(0, length));
    results.push({ ...result, fields: { ...result.fields, lasted: (end - lastStart) / 1000 } });
    at += length - 1;
  }
  return results;
}

/** Readings without those that are texts, which windows of numbers do not see. */
export function numbersAmong(readings: readonly WitnessReading[]): readonly WitnessReading[] {
  return readings.filter(({ text }) => text === undefined);
}

/** What windows of a text give that have ended, of readings in order: how many there were, and how long it was. */
export function witnessTexts(
  { name, text }: { readonly name: string; readonly text: string },
  turned: readonly WitnessReading[],
): OrderedWitnessResult[] {
  const asNumbers = turned.map((one) => ({ ...one, value: one.text === text ? 1 : 0 }));
  const state = { name, begins: (value: number) => value === 1, goesOn: (value: number) => value === 1 };
  return witnessStates(state, asNumbers).map((result) => {
    const { count, lasted } = result.fields;
    return { ...result, fields: { count: count!, lasted: lasted! } };
  });
}

/** What sliding windows give, of readings in order. */
export function witnessSliding(
  window: { readonly name: string; readonly size: number },
  turned: readonly WitnessReading[],
): OrderedWitnessResult[] {
  const end = ({ sourceTime }: WitnessReading) => Math.floor(sourceTime) + 1;
  return turned.flatMap((one, at) => {
    if (one.quality === 2) return [];
    const start = end(one) - window.size;
    const readings = turned.slice(0, at + 1).filter(({ sourceTime }) => sourceTime >= start);
    const before = turned.slice(0, at).filter((other) => other.quality !== 2 && end(other) === end(one));
    return [{ ...resultOf(window.name, [start, end(one)], readings), revision: before.length }];
  });
}

/** Readings that came too late, as they are given: windows of numbers miss no text. */
export function witnessLate(
  window: { readonly name: string; readonly text?: string },
  turns: WitnessTurns,
): OrderedWitnessResult[] {
  const missed = turns.late.filter(({ reading: { text } }) => text === undefined || window.text !== undefined);
  return missed.map(({ reading: { device, metric, value, text, quality, sourceTime }, behind }, revision) => {
    const start = Math.floor(sourceTime);
    const fields = quality === 2 || text !== undefined ? { behind } : { value, behind };
    const good = quality === 0 ? 1 : 0;
    return { key: `${device}/${metric}`, window: `${window.name}:late`, start, end: start + 1, revision, fields, good };
  });
}

function fill(readings: readonly WitnessReading[]): number {
  return readings.filter(({ quality }) => quality !== 2).length;
}

function resultOf(
  window: string,
  [start, end]: readonly [number, number],
  readings: readonly WitnessReading[],
): OrderedWitnessResult {
  const [{ device, metric }] = readings as [WitnessReading];
  return {
    key: `${device}/${metric}`,
    window,
    start,
    end,
    revision: 0,
    fields: fieldsOf(readings),
    good: readings.filter(({ quality }) => quality === 0).length / readings.length,
  };
}
