import { parseTime } from '../../base/parse-time.ts';
import { messageOf } from '../../core/errors.ts';
import { Quality } from '../../core/quality.ts';
import { KnownSeries } from './known-series.ts';
import type { RecordedReader, RecordedTarget } from './recorded-input.ts';

const NEWLINE = 10;

/** Reads lines of JSON: `{"device": …, "metric": …, "value": …, "time": milliseconds or ISO 8601}`, and `tags` if there are any. */
export class NdjsonReader implements RecordedReader {
  readonly #target: RecordedTarget;
  readonly #known: KnownSeries;
  #number = 0;

  constructor(target: RecordedTarget) {
    this.#target = target;
    this.#known = new KnownSeries(target);
  }

  take(bytes: Buffer, isLast: boolean): number {
    const end = isLast ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) return 0;
    const lines = bytes.toString('utf8', 0, end).split('\n');
    // What follows the last line end is no line.
    if (lines.at(-1) === '') lines.pop();
    for (const line of lines) {
      this.#number++;
      const problem = line.trim() === '' ? undefined : this.#takeLine(line);
      if (problem !== undefined) this.#target.reject(`line ${this.#number}`, problem);
    }
    return end;
  }

  /** Why a line is no reading; undefined when it was one, or its series was refused. */
  #takeLine(line: string): string | undefined {
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch (error) {
      return `it is not JSON: ${messageOf(error)}`;
    }
    const { device, metric, value, time, tags } = (parsed ?? {}) as Record<string, unknown>;
    const sourceTime = typeof time === 'number' ? time : parseTime(String(time));
    if (typeof device !== 'string' || typeof metric !== 'string') return 'device and metric have to be strings';
    if (sourceTime === undefined) return `the time ${JSON.stringify(time)} cannot be read`;
    if (typeof value !== 'number' && typeof value !== 'boolean' && typeof value !== 'string') {
      return `the value ${JSON.stringify(value)} is no number, boolean or string`;
    }
    const series = this.#known.find(device, metric, isTags(tags) ? tags : undefined);
    if (series !== undefined) this.#target.reading(series, value, Quality.good, sourceTime);
    return undefined;
  }
}

function isTags(tags: unknown): tags is Record<string, string> {
  return typeof tags === 'object' && tags !== null && Object.values(tags).every((value) => typeof value === 'string');
}
