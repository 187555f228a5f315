import type { AlarmRow } from '../../core/alarm.ts';
import type { AlarmEvent } from '../../core/result.ts';
import type { AggregateRow } from '../../core/sink.ts';
import type { LiveReading, ReadingRow } from '../../core/view.ts';
import { AlarmList } from './alarm-list.ts';
import { fetchJson } from './fetch-json.ts';

/** Stretches of time that the chart can show, in milliseconds. */
export const RANGES = [
  { label: '5 min', ms: 5 * 60_000 },
  { label: '1 h', ms: 60 * 60_000 },
  { label: '24 h', ms: 24 * 60 * 60_000 },
] as const;

const MAX_READINGS = 10_000;
const MAX_AGGREGATES = 10_000;
// More windows than this across the chart and their steps can no longer be told apart.
const READABLE_WINDOWS = 400;
// A newest reading further than this from the wall clock: the data has a time of its own.
const LIVE_MS = 60_000;
const SHORTEST_MS = 60_000;

/** The names end so under which readings stand that came too late for a window. */
const LATE = ':late';

/** What the chart shows: readings, window results and alarms of one series over one stretch of time. */
export class ChartData {
  key: string | undefined;
  rangeMs: number = RANGES[0].ms;
  /** Name of the window that was chosen by hand. */
  chosenWindow: string | undefined;
  loading = false;
  readings: ReadingRow[] = [];
  readonly #windows = new Map<string, Map<number, AggregateRow>>();
  #alarms = new AlarmList();
  /** Earliest time of anything held. */
  #oldest = Infinity;
  readonly #changed: () => void;
  readonly #now: () => number;
  #newest: number | undefined;
  #request = 0;

  /** `clock` is the gateway's wall clock; `changed` is called whenever there is something new to draw. */
  constructor(clock: () => number, changed: () => void) {
    this.#now = clock;
    this.#changed = changed;
  }

  /** Reads everything of a series; `newest` is the source time of its last reading as far as known. */
  async show(key: string, newest: number | undefined): Promise<void> {
    if (key !== this.key) this.#clear();
    this.key = key;
    this.#newest = newest ?? this.#newest;
    await this.#load();
  }

  /** Shows another stretch of time. */
  async setRange(rangeMs: number): Promise<void> {
    this.rangeMs = rangeMs;
    await this.#load();
  }

  /** Alarms of the series on show. */
  get alarms(): readonly AlarmRow[] {
    return this.key === undefined ? [] : this.#alarms.of(this.key);
  }

  /** The stretch of time on show. It ends now, or with the newest reading where that is from another time. */
  span(): { from: number; to: number; live: boolean } {
    const now = this.#now();
    const newest = this.#newest ?? now;
    const live = Math.abs(now - newest) < LIVE_MS;
    const to = live ? Math.max(now, newest) : newest;
    // A series younger than the range fills the chart all the same.
    const from = Math.max(to - this.rangeMs, Math.min(this.#oldest, to - SHORTEST_MS));
    return { from, to, live };
  }

  /** Names of the windows that have results, the finest first. */
  windows(): string[] {
    const length = (name: string) => {
      const row = this.#windows.get(name)?.values().next().value;
      return row === undefined ? 0 : row.end - row.start;
    };
    return [...this.#windows.keys()].sort((a, b) => length(a) - length(b));
  }

  /** The window on show: the chosen one, or the finest whose steps can still be told apart. */
  window(): string | undefined {
    const names = this.windows();
    if (this.chosenWindow !== undefined && names.includes(this.chosenWindow)) return this.chosenWindow;
    const whole = names.filter((name) => !name.endsWith(LATE));
    return whole.find((name) => this.#inSpan(name).length <= READABLE_WINDOWS) ?? whole.at(-1);
  }

  /** Results of the window on show, in order of their start. */
  aggregates(): AggregateRow[] {
    const window = this.window();
    return window === undefined ? [] : this.#inSpan(window).sort((a, b) => a.start - b.start);
  }

  /** Takes live readings; those of other series are left out. */
  addReadings(batch: readonly LiveReading[]): void {
    let ordered = true;
    for (const reading of batch) {
      if (reading.series !== this.key) continue;
      ordered &&= reading.sourceTime >= (this.readings.at(-1)?.sourceTime ?? -Infinity);
      this.readings.push(reading);
      this.#oldest = Math.min(this.#oldest, reading.sourceTime);
      this.#newest = Math.max(this.#newest ?? -Infinity, reading.sourceTime);
    }
    if (!ordered) this.readings.sort((a, b) => a.sourceTime - b.sourceTime);
    if (this.readings.length > MAX_READINGS * 1.1) this.readings.splice(0, this.readings.length - MAX_READINGS);
  }

  /** Takes a live result; a correction replaces the one before. */
  addAggregate(row: AggregateRow): void {
    if (row.series !== this.key) return;
    this.#put(row);
    this.#changed();
  }

  /** Takes a step of an alarm from the live stream. */
  addAlarm(event: AlarmEvent): void {
    if (event.series.key === this.key) this.#alarms.take(event);
  }

  async #loadAlarms(): Promise<void> {
    const series = this.key;
    if (series === undefined) return;
    const { alarms } = await fetchJson<{ alarms: AlarmRow[] }>('/api/v1/alarms', { series, state: 'all', limit: 200 });
    if (series === this.key) this.#alarms.load(alarms);
  }

  #clear(): void {
    this.readings = [];
    this.#alarms = new AlarmList();
    this.#oldest = Infinity;
    this.#windows.clear();
    this.#newest = undefined;
  }

  async #load(): Promise<void> {
    const series = this.key;
    if (series === undefined) return;
    this.#request += 1;
    const request = this.#request;
    this.loading = true;
    this.#changed();
    try {
      const from = this.span().to - this.rangeMs;
      const [rows, results] = await Promise.all([
        fetchJson<{ readings: ReadingRow[] }>('/api/v1/readings', { series, from, limit: MAX_READINGS }),
        fetchJson<{ aggregates: AggregateRow[] }>('/api/v1/aggregates', {
          series,
          // A window that began before still reaches in.
          from: from - this.rangeMs / 10,
          limit: MAX_AGGREGATES,
        }),
        this.#loadAlarms(),
      ]);
      if (request !== this.#request) return; // another series or range was chosen meanwhile
      const read = rows.readings.toSorted((a, b) => a.sourceTime - b.sourceTime);
      const end = read.at(-1)?.sourceTime ?? -Infinity;
      // What the live stream brought while the request was under way comes after what it answered.
      this.readings = [...read, ...this.readings.filter((row) => row.sourceTime > end)];
      // What the live stream brought may not be in the history yet: it stays, a correction replaces it.
      for (const row of results.aggregates) this.#put(row);
      this.#oldest = Math.min(this.#oldest, this.readings[0]?.sourceTime ?? Infinity);
      const newest = this.readings.at(-1)?.sourceTime;
      if (newest !== undefined) this.#newest = Math.max(this.#newest ?? -Infinity, newest);
    } finally {
      if (request === this.#request) {
        this.loading = false;
        this.#changed();
      }
    }
  }

  #put(row: AggregateRow): void {
    let rows = this.#windows.get(row.window);
    if (rows === undefined) {
      rows = new Map();
      this.#windows.set(row.window, rows);
    }
    const known = rows.get(row.start);
    if (known === undefined || known.revision <= row.revision) rows.set(row.start, row);
    this.#oldest = Math.min(this.#oldest, row.start);
    if (rows.size > MAX_AGGREGATES) rows.delete(Math.min(...rows.keys()));
  }

  #inSpan(window: string): AggregateRow[] {
    const { from, to } = this.span();
    const rows = [...(this.#windows.get(window)?.values() ?? [])];
    return rows.filter((row) => row.end > from && row.start < to);
  }
}
