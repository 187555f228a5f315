import type { Aggregate, AlarmEvent } from '../../core/result.ts';
import { formatTime, formatValue } from './format.ts';
import type { Watchable } from './reading-path.ts';

/** Rows that are held, the newest first. */
export const TAP_ROWS = 8;
/** What passes beside so many in a second is only counted: nobody reads faster. */
const PER_SECOND = 5;
/** Fields of a result that a row has room for. */
const FIELDS_SHOWN = 3;

/** A reading as a tap gives it. */
interface PassedReading {
  readonly series: string;
  readonly value: number | boolean | string;
  readonly quality: string;
  readonly sourceTime: number;
  readonly outcome?: string;
}

/** What passes a stage, as a tap gives it. */
export type Passed = PassedReading | Aggregate | AlarmEvent;

/** Watches one stage of the pipeline as long as somebody looks. */
export class Tap {
  /** What is watched; undefined while nothing is. */
  watched: Watchable | undefined;
  rows: readonly string[] = [];
  /** How many passed beside those that were shown. */
  leftOut = 0;
  /** Why nothing is watched though somebody wanted to. */
  trouble: string | undefined;
  readonly #changed: () => void;
  #source: EventSource | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Watches another stage, from now on. */
  open(watched: Watchable): void {
    this.clear();
    this.watched = watched;
    const query = new URLSearchParams({ ...watched, limit: String(PER_SECOND) });
    const source = new EventSource(`/api/v1/tap?${query}`);
    this.#source = source;
    source.addEventListener('passed', (event) => {
      this.rows = [tapRow(JSON.parse(event.data)), ...this.rows].slice(0, TAP_ROWS);
      this.#changed();
    });
    source.addEventListener('left-out', (event) => {
      this.leftOut += JSON.parse(event.data).count;
      this.#changed();
    });
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED || source !== this.#source) return;
      this.close();
      this.trouble = 'the gateway lets nobody watch just now: too many do, or memory is short';
    };
  }

  /** Watches nothing any more, and forgets what was seen. */
  clear(): void {
    this.rows = [];
    this.leftOut = 0;
    this.close();
  }

  /** Watches nothing any more; what was seen stays. */
  close(): void {
    this.#source?.close();
    this.#source = undefined;
    this.watched = undefined;
    this.trouble = undefined;
    this.#changed();
  }
}

/** What has passed, in a line. */
export function tapRow(item: Passed): string {
  if (!('kind' in item)) {
    const { sourceTime, value, quality, outcome } = item;
    return [formatTime(sourceTime), formatValue(value), quality, ...(outcome === undefined ? [] : [outcome])].join(
      '  ',
    );
  }
  if (item.kind === 'alarm') return `${formatTime(item.time)}  ${item.severity} of ${item.detector} ${item.state}`;
  const { window, start, revision, fields } = item;
  const shown = Object.entries(fields).slice(0, FIELDS_SHOWN);
  return [
    formatTime(start),
    window,
    ...shown.map(([name, value]) => `${name} ${formatValue(value)}`),
    ...(revision === 0 ? [] : [`revision ${revision}`]),
  ].join('  ');
}
