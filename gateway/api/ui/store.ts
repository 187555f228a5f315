import type { AlarmRow } from '../../core/alarm.ts';
import type { LedgerReport, LiveReading, SeriesStatus } from '../../core/view.ts';
import type { StatusReply } from '../status-reply.ts';
import { AlarmList, MAX_ALARMS } from './alarm-list.ts';
import { now, throttled } from './browser-clock.ts';
import { ChartData } from './chart-data.ts';
import { fetchJson, postJson } from './fetch-json.ts';
import { listenLive } from './live.ts';
import { ReadingPath } from './reading-path.ts';
import { Tap } from './tap.ts';

/** A payload that was set aside, as the API gives it. */
export interface DeadLetter {
  readonly origin: string;
  readonly reason: string;
  readonly time: number;
  readonly subject: string;
  readonly text: string;
  readonly bytes: number;
  readonly times: number;
}

/** A series, and its latest numbers for the sparkline. */
export interface SeriesEntry {
  status: SeriesStatus;
  readonly recent: number[];
}

/** Points of a sparkline. */
export const RECENT = 48;
const BY_NAME = new Intl.Collator('en', { numeric: true });
const PAINT_MS = 200;
const SPARKLINES_AT_START = 24;
const DEVICES_IN_LEDGER = 20;
// A list this long is read again less often: it is megabytes.
const MANY_SERIES = 1_000;

/** Everything the page shows, and how it changes. One object; components draw it whenever it has changed. */
export class Store {
  connection: 'connecting' | 'live' | 'lost' = 'connecting';
  status: StatusReply | undefined;
  /** Undefined until they have been read. */
  series: Map<string, SeriesEntry> | undefined;
  letters: readonly DeadLetter[] = [];
  /** The ledger with its rows by device; undefined until it was read. */
  ledger: LedgerReport | undefined;
  /** The alarm that a person does more with than acknowledging it. */
  attended: AlarmRow | undefined;
  /** What went wrong with the last request of this page, for a person. */
  trouble: string | undefined;
  readonly chart = new ChartData(
    () => this.now(),
    () => this.changed(),
  );
  readonly path = new ReadingPath();
  readonly tap = new Tap(() => this.changed());
  /** Gateway's clock minus the browser's, in milliseconds. */
  #clockOffset = 0;
  #refused = -1;
  readonly #alarms = new AlarmList();
  #listener: () => void = () => undefined;

  readonly changed = throttled(PAINT_MS, () => this.#listener());
  readonly #readSeries = throttled(1_000, () => this.#attempt(() => this.#loadSeries()));
  readonly #readAlarms = throttled(3_000, () => this.#attempt(() => this.#loadAlarms()));
  readonly #readLetters = throttled(2_000, () => this.#attempt(() => this.#loadLetters()));
  readonly #readLedger = throttled(5_000, () => this.#attempt(() => this.#loadLedger()));
  readonly #refreshRates = throttled(2_000, () => this.#attempt(() => this.#loadSeries()));
  readonly #refreshManyRates = throttled(30_000, () => this.#attempt(() => this.#loadSeries()));

  /** Open alarms, what waits for a person first. */
  get alarms(): readonly AlarmRow[] {
    return this.#alarms.open();
  }

  /** The gateway's wall clock. */
  now(): number {
    return now() + this.#clockOffset;
  }

  /** Reads everything, listens for what comes, and calls `listener` after changes. */
  start(listener: () => void): void {
    this.#listener = listener;
    this.#readAll();
    listenLive({
      up: (gap) => {
        this.connection = 'live';
        if (gap || this.trouble !== undefined) this.#readAll();
        this.changed();
      },
      down: () => {
        this.connection = 'lost';
        this.changed();
      },
      readings: (batch) => this.#takeReadings(batch),
      aggregate: (aggregate) => this.chart.addAggregate({ ...aggregate, series: aggregate.series.key }),
      alarm: (event) => {
        this.#alarms.take(event);
        // Only the gateway knows how what is told to nobody stands.
        if (event.suppressed !== undefined) this.#readAlarms();
        this.chart.addAlarm(event);
        this.changed();
      },
      status: (status) => this.#takeStatus(status),
    });
  }

  /** Shows another series in the chart, and puts it into the address, so that it can be linked to. */
  select(key: string): void {
    const address = new URL(location.href);
    address.searchParams.set('series', key);
    history.replaceState(null, '', address);
    this.#show(key);
  }

  /** Tells where the reading of this source time went, of the series on show. */
  explain(time: number): void {
    const { key } = this.chart;
    if (key !== undefined) this.#attempt(() => this.path.show(key, time));
  }

  /** Tells it of the newest reading of the series on show. */
  explainNewest(): void {
    const last = this.chart.key === undefined ? undefined : this.series?.get(this.chart.key)?.status.last;
    if (last) this.explain(last.sourceTime);
  }

  /** Shows another stretch of time, in milliseconds, in the chart. */
  setRange(rangeMs: number): void {
    this.#attempt(() => this.chart.setRange(rangeMs));
  }

  acknowledge(id: string): void {
    this.#act(id, 'acknowledge', {});
  }

  /** Acknowledges every open alarm that nobody has, the gravest first, up to what one request takes. */
  acknowledgeAll(): void {
    const open = this.alarms.filter(({ acknowledgedAt }) => acknowledgedAt === null);
    const ids = open.slice(0, MAX_ALARMS).map(({ id }) => id);
    this.#attempt(async () => {
      const { alarms } = await postJson<{ alarms: AlarmRow[] }>('/api/v1/alarms/acknowledge', { ids });
      for (const alarm of alarms) this.#alarms.put(alarm);
    });
  }

  /** Shelves an alarm for some seconds. */
  shelve(id: string, forSeconds: number, reason: string): void {
    this.#act(id, 'shelve', { forSeconds, reason });
  }

  unshelve(id: string): void {
    this.#act(id, 'unshelve', {});
  }

  /** Says that what an alarm told of was fine. */
  dismiss(id: string, reason: string): void {
    this.#act(id, 'dismiss', { reason });
  }

  /** A person looks closer at an alarm, or no longer does. */
  attend(alarm: AlarmRow | undefined): void {
    this.attended = alarm;
    this.changed();
  }

  #act(id: string, action: string, body: object): void {
    this.#attempt(async () => {
      this.#alarms.put(await postJson<AlarmRow>(`/api/v1/alarms/${encodeURIComponent(id)}/${action}`, body));
    });
  }

  #show(key: string): void {
    const last = this.series?.get(key)?.status.last?.sourceTime;
    const isAnother = key !== this.path.series;
    this.#attempt(() => this.chart.show(key, last));
    if (isAnother) {
      this.tap.clear();
      this.explainNewest();
    }
    this.changed();
  }

  #readAll(): void {
    this.#attempt(async () => {
      this.#takeStatus(await fetchJson<StatusReply>('/api/v1/status'));
      // Alarms first: the page opens on a series that has one.
      await this.#loadAlarms();
      await Promise.all([this.#loadSeries(), this.#loadLetters()]);
      const key = this.chart.key ?? this.#firstChoice();
      if (key !== undefined) this.#show(key);
      await this.#loadSparklines();
    });
  }

  /** Runs a request; its failure is shown, and the next success takes that away. */
  #attempt(run: () => Promise<void>): void {
    run().then(
      () => {
        this.trouble = undefined;
        this.changed();
      },
      (error: unknown) => {
        this.trouble = error instanceof Error ? error.message : String(error);
        this.changed();
      },
    );
  }

  #firstChoice(): string | undefined {
    const linked = new URL(location.href).searchParams.get('series');
    return linked ?? this.alarms[0]?.series ?? this.series?.keys().next().value;
  }

  async #loadSeries(): Promise<void> {
    const { series } = await fetchJson<{ series: SeriesStatus[] }>('/api/v1/series');
    const sorted = series.toSorted((a, b) => BY_NAME.compare(a.key, b.key));
    const entries = new Map<string, SeriesEntry>();
    for (const status of sorted) {
      const recent = this.series?.get(status.key)?.recent ?? [];
      if (recent.length === 0 && typeof status.last?.value === 'number') recent.push(status.last.value);
      entries.set(status.key, { status, recent });
    }
    this.series = entries;
    // The first series has come while the page was open.
    if (this.chart.key === undefined && entries.size > 0) this.#show(this.#firstChoice() ?? '');
    this.changed();
  }

  async #loadAlarms(): Promise<void> {
    const { alarms } = await fetchJson<{ alarms: AlarmRow[] }>('/api/v1/alarms', {
      state: 'open',
      limit: MAX_ALARMS,
    });
    this.#alarms.load(alarms);
    this.changed();
  }

  async #loadLetters(): Promise<void> {
    const { deadLetters } = await fetchJson<{ deadLetters: DeadLetter[] }>('/api/v1/dead-letters', { limit: 20 });
    this.letters = deadLetters;
  }

  async #loadLedger(): Promise<void> {
    this.ledger = await fetchJson<LedgerReport>('/api/v1/ledger', { limit: DEVICES_IN_LEDGER });
  }

  async #loadSparklines(): Promise<void> {
    for (const [series, entry] of [...(this.series ?? [])].slice(0, SPARKLINES_AT_START)) {
      if (entry.recent.length > RECENT / 2) continue;
      const reply = await fetchJson<{ readings: { value: unknown }[] }>('/api/v1/readings', { series, limit: RECENT });
      const numbers = reply.readings.map((row) => row.value).filter((value) => typeof value === 'number');
      entry.recent.splice(0, entry.recent.length, ...numbers);
    }
  }

  #takeReadings(batch: readonly LiveReading[]): void {
    let unknown = false;
    for (const reading of batch) {
      const entry = this.series?.get(reading.series);
      if (entry === undefined) {
        unknown = true;
        continue;
      }
      entry.status = { ...entry.status, last: reading, receivedTotal: entry.status.receivedTotal + 1 };
      if (typeof reading.value === 'number') {
        entry.recent.push(reading.value);
        if (entry.recent.length > RECENT) entry.recent.shift();
      }
    }
    this.chart.addReadings(batch);
    // Of a series that had no reading when it was chosen.
    if (this.path.series !== this.chart.key) this.explainNewest();
    if (unknown) this.#readSeries();
    this.changed();
  }

  #takeStatus(status: StatusReply): void {
    this.status = status;
    this.#clockOffset = status.now - now();
    const refused = status.ledger.rejected + status.sinks.reduce((sum, sink) => sum + sink.rejectedTotal, 0);
    if (this.#refused >= 0 && refused !== this.#refused) this.#readLetters();
    this.#refused = refused;
    const open = status.activeAlarms + status.alarms.returned;
    if (Math.min(open, MAX_ALARMS) !== this.alarms.length) this.#readAlarms();
    this.#readLedger();
    if (this.series !== undefined) (this.series.size > MANY_SERIES ? this.#refreshManyRates : this.#refreshRates)();
    this.changed();
  }
}
