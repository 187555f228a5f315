import { type AlarmListQuery, type AlarmOperations, type AlarmRow, plainState } from '../../../gateway/core/alarm.ts';
import { GatewayError } from '../../../gateway/core/errors.ts';
import type { Rejected } from '../../../gateway/core/intake.ts';
import type { MaintenanceRow } from '../../../gateway/core/maintenance.ts';
import { type AlarmEvent, PRIORITIES, type Severity } from '../../../gateway/core/result.ts';
import type { AggregateQuery, AggregateRow } from '../../../gateway/core/sink.ts';
import type {
  ClockStatus,
  DeviceClocksStatus,
  GatewayStatus,
  GatewayView,
  LedgerCounts,
  LedgerReport,
  LiveEvent,
  LiveReading,
  NamedCounts,
  ReadingRow,
  ReadingsQuery,
  SeriesStatus,
  SinkStatus,
} from '../../../gateway/core/view.ts';
import { FakeInspection } from './fake-inspection.ts';
import { LOG, NO_READINGS, sinkStatus } from './fake-rows.ts';

interface FakeSeries {
  status: SeriesStatus;
  readings: ReadingRow[];
}

/** A gateway that a test writes itself: everything the API shows is set by hand, and events are sent on demand. */
export class FakeView implements GatewayView {
  /** The wall clock that the status tells. */
  now = 1_780_000_600_000;
  reasons: string[] = [];
  clock: ClockStatus = {
    state: 'believed',
    detail: 'nobody says whether the clock is synchronised; it is believed',
    source: 'nothing on this box tells',
    steppedTotal: 2,
    lastStepMs: -7_200_000,
    provisionalReadings: 0,
    markedTotal: 3,
  };
  deviceClocks: DeviceClocksStatus = { aheadCount: 0, ahead: [], restampedTotal: 0 };
  ledger: LedgerCounts = {
    ...NO_READINGS,
    received: 1000,
    inFlight: 4,
    aggregated: 980,
    duplicate: 10,
    late: 5,
    rejected: 1,
  };
  liveIsOff = false;
  readonly inspection = new FakeInspection((key) => this.#series.has(key));
  memory: GatewayStatus['memory'] = {
    rssBytes: 98_000_000,
    rssLimitBytes: 512_000_000,
    heapUsedBytes: 31_000_000,
    heapLimitBytes: 268_000_000,
    state: 'normal',
    shedding: ['live data', 'new series', 'sources'].map((name) => ({ name, active: false, total: 0 })),
    bounds: [
      { name: 'floor: read and not acknowledged', used: 65_536, max: 8_388_608, unit: 'bytes' },
      { name: 'series', used: 4, max: 10_000, unit: 'series' },
    ],
  };
  /** Rows of the ledger by device. */
  groups: NamedCounts[] = [];
  sinks: SinkStatus[] = [sinkStatus('history', 'history', 0), sinkStatus('influx', 'influxdb', 1520)];
  letters: Rejected[] = [];
  windows: AggregateRow[] = [];
  alarmRows: AlarmRow[] = [];
  maintenance: MaintenanceRow[] = [];
  readonly acknowledged: { id: string; by: string }[] = [];
  readonly #series = new Map<string, FakeSeries>();
  readonly #listeners = new Set<(event: LiveEvent) => void>();

  /** How many listen to events just now. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Sends an event to whoever listens. */
  emit(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Makes a series, or gives it a unit. */
  addSeries(device: string, metric: string, unit: string | null): string {
    const key = `${device}/${metric}`;
    const status = {
      key,
      device,
      metric,
      tags: {},
      unit,
      last: null,
      receivedTotal: 0,
      rate: 0,
      watermark: null,
      outOfOrdernessMs: null,
      skewMs: null,
    };
    this.#series.set(key, { status, readings: [] });
    return key;
  }

  /** Takes readings, and tells them to whoever listens. */
  read(batch: readonly LiveReading[], rate = 10): void {
    for (const { series: key, ...row } of batch) {
      const series = this.#series.get(key);
      if (series === undefined) throw new Error(`no series ${key}`);
      series.readings.push(row);
      const receivedTotal = series.status.receivedTotal + 1;
      series.status = { ...series.status, last: row, receivedTotal, rate, watermark: row.sourceTime - 1000 };
    }
    const { received, aggregated } = this.ledger;
    this.ledger = { ...this.ledger, received: received + batch.length, aggregated: aggregated + batch.length };
    this.emit({ topic: 'readings', data: batch });
  }

  /** Closes a window and tells it. */
  close(row: AggregateRow): void {
    this.windows.push(row);
    const [device = '', metric = ''] = row.series.split('/');
    const { window, start, end, revision, fields, good } = row;
    const series = { key: row.series, device, metric, tags: {} };
    this.emit({ topic: 'aggregates', data: { kind: 'aggregate', series, window, start, end, revision, fields, good } });
  }

  /** Raises an alarm and tells it. */
  raise(key: string, severity: Severity, time: number, message: string, value = 99.5): string {
    const [device = '', metric = ''] = key.split('/');
    const id = `novelty@${key}@${time}`;
    const row = { id, series: key, device, metric, detector: 'novelty', severity, score: 3.2, value, message };
    this.alarmRows.unshift({
      ...row,
      ...{ raisedAt: time, clearedAt: null, acknowledgedAt: null, acknowledgedBy: null },
      ...{ priority: PRIORITIES[severity], state: 'unacknowledged', group: `${device}@1`, count: 1 },
      ...{ suppressed: null, shelvedUntil: null },
    });
    this.#tell(id, 'raised', time);
    return id;
  }

  /** Clears an alarm and tells it. */
  clear(id: string, time: number): void {
    this.#change(id, { clearedAt: time });
    this.#tell(id, 'cleared', time);
  }

  #change(id: string, change: Partial<AlarmRow>): AlarmRow | undefined {
    this.alarmRows = this.alarmRows.map((row) => {
      if (row.id !== id) return row;
      const changed = { ...row, ...change };
      const { clearedAt, acknowledgedAt, shelvedUntil } = changed;
      return { ...changed, state: shelvedUntil === null ? plainState(clearedAt, acknowledgedAt) : 'shelved' };
    });
    return this.alarmRows.find((row) => row.id === id);
  }

  #tell(id: string, state: AlarmEvent['state'], time: number): void {
    const row = this.alarmRows.find((one) => one.id === id);
    if (row === undefined) throw new Error(`no alarm ${id}`);
    const { device, metric, detector, score, value, message, raisedAt } = row;
    const severity: Severity =
      row.severity === 'critical' ? 'critical' : row.severity === 'warning' ? 'warning' : 'info';
    const series = { key: row.series, device, metric, tags: {} };
    const { priority, count, group, shelvedUntil } = row;
    const marks = {
      priority,
      count,
      ...(group === null ? {} : { group }),
      ...(shelvedUntil === null ? {} : { until: shelvedUntil }),
    };
    const step = { id, series, detector, severity, state, time, raisedAt, score, value, message, ...marks };
    this.emit({ topic: 'alarms', data: { kind: 'alarm', ...step } });
  }

  status(): GatewayStatus {
    return {
      name: 'press-hall',
      version: '0.1.0',
      state: this.reasons.length > 0 ? 'degraded' : 'running',
      startedAt: this.now - 3_725_000,
      uptimeMs: 3_725_000,
      clock: this.clock,
      deviceClocks: this.deviceClocks,
      now: this.now,
      sources: [
        {
          name: 'floor',
          type: 'mqtt',
          state: 'running',
          detail: 'broker listens on 127.0.0.1:1883',
          numbers: { clients: 12, subscriptions: 3 },
          ledger: this.ledger,
        },
        {
          name: 'press',
          type: 'opcua',
          state: 'degraded',
          detail: 'opc.tcp://press.local:4840 refuses the connection; next attempt in 8 s',
          numbers: { items: 0 },
          ledger: NO_READINGS,
        },
      ],
      sinks: this.sinks,
      ledger: this.ledger,
      journal: LOG,
      alarmOutbox: LOG,
      outbox: { ...LOG, bytes: 734_003_200, nextOffset: 9000, oldestTime: this.now - 5_000_000 },
      checkpoint: { offset: 4100, at: this.now - 12_000, ageMs: 12_000, bytes: 48_213 },
      reduction: [{ series: '*/temperature', passed: 40, filtered: 60 }],
      tables: [{ name: 'machines', rows: 12, problem: 'it has 20000 rows; at most 10000 are taken' }],
      derived: [
        {
          name: 'derive:fahrenheit',
          series: 2,
          ledger: { ...NO_READINGS, received: 50, aggregated: 47, rejected: 3 },
          lastProblem: 'it gives Infinity, which is no number, for 0 of boiler/temperature',
        },
      ],
      detectors: { count: 8, learning: 3 },
      activeAlarms: this.alarmRows.filter((row) => row.clearedAt === null).length,
      alarms: this.#alarmsStatus(),
      maintenance: this.maintenance.filter(({ active }) => active),
      series: { count: this.#series.size, max: 10_000, refusedTotal: 3 },
      memory: this.memory,
    };
  }

  #alarmsStatus(): GatewayStatus['alarms'] {
    const active = this.alarmRows.filter((row) => row.clearedAt === null);
    const of = (severity: Severity) => active.filter((row) => row.severity === severity).length;
    return {
      active: { info: of('info'), warning: of('warning'), critical: of('critical') },
      unacknowledged: this.alarmRows.filter((row) => row.acknowledgedAt === null).length,
      returned: this.alarmRows.filter((row) => row.state === 'returned').length,
      shelved: this.alarmRows
        .filter((row) => row.shelvedUntil !== null)
        .map(({ id, series, shelvedUntil }) => ({
          id,
          series,
          by: 'Ada',
          reason: 'a loose wire',
          until: shelvedUntil!,
        })),
      flood: { since: this.now - 60_000, raised: 14, suppressed: 3 },
      perTenMinutes: { average: 0.4, most: 14 },
      ...{
        raisedTotal: 60,
        shelvedTotal: 2,
        floodedTotal: 3,
        chatteringTotal: 1,
        dismissedTotal: 5,
        forgottenTotal: 0,
      },
    };
  }

  notReady(): readonly string[] {
    return this.reasons;
  }

  ledgerReport(limit: number): LedgerReport {
    return {
      total: { ...this.ledger, imbalance: 0 },
      sources: [{ name: 'floor', ...this.ledger, imbalance: 0 }],
      groups: this.groups.slice(0, limit),
      groupCount: this.groups.length,
    };
  }

  series(): readonly SeriesStatus[] {
    return [...this.#series.values()].map((series) => series.status);
  }

  readings(query: ReadingsQuery): readonly ReadingRow[] | undefined {
    const { from = -Infinity, to = Infinity, limit } = query;
    const rows = this.#series.get(query.series)?.readings;
    return rows?.filter((row) => row.sourceTime >= from && row.sourceTime < to).slice(-limit);
  }

  aggregates({ series, window, from = -Infinity, to = Infinity, limit }: AggregateQuery): readonly AggregateRow[] {
    const rows = this.windows.filter((row) => row.series === series && (window ?? row.window) === row.window);
    return rows.filter((row) => row.start >= from && row.start < to).slice(-limit);
  }

  readonly operations: AlarmOperations = {
    alarms: (query) => this.#alarms(query),
    acknowledge: async (id, by) => {
      if (this.#change(id, { acknowledgedAt: this.now, acknowledgedBy: by }) === undefined) return undefined;
      this.acknowledged.push({ id, by });
      this.#tell(id, 'acknowledged', this.now);
      return this.alarmRows.find((row) => row.id === id);
    },
    shelve: async (id, { forMs }) => {
      if (forMs > 86_400_000) throw new GatewayError(`Cannot shelve for ${forMs} ms`, { hint: 'a day at the most' });
      const row = this.#change(id, { shelvedUntil: this.now + forMs });
      if (row !== undefined) this.#tell(id, 'shelved', this.now);
      return row;
    },
    dismiss: async (id, by) => {
      const row = this.#change(id, { clearedAt: this.now, acknowledgedAt: this.now, acknowledgedBy: by });
      if (row === undefined) return undefined;
      this.#tell(id, 'cleared', this.now);
      this.#tell(id, 'acknowledged', this.now);
      return row;
    },
    maintenances: () => this.maintenance,
    startMaintenance: async (series, { by, reason, forMs }) => {
      if (forMs > 86_400_000) throw new GatewayError(`Cannot start for ${forMs} ms`, { hint: 'a day at the most' });
      const row = { id: `${series}@1`, series, by, reason, active: true, from: this.now, until: this.now + forMs };
      this.maintenance = [...this.maintenance, row];
      return row;
    },
    stopMaintenance: async (id) => {
      const before = this.maintenance.length;
      this.maintenance = this.maintenance.filter((row) => row.id !== id);
      return this.maintenance.length < before;
    },
    unshelve: async (id) => {
      const row = this.#change(id, { shelvedUntil: null });
      if (row !== undefined) this.#tell(id, 'unshelved', this.now);
      return row;
    },
  };

  #alarms({ state, series, limit }: AlarmListQuery): readonly AlarmRow[] {
    const rows = this.alarmRows.filter((row) => (series ?? row.series) === row.series);
    const isMeant = ({ clearedAt, acknowledgedAt }: AlarmRow) =>
      clearedAt === null || (state === 'open' ? acknowledgedAt === null : state !== 'active');
    return rows.filter(isMeant).slice(0, limit);
  }

  async deadLetters(limit: number): Promise<readonly Rejected[]> {
    return this.letters.slice(0, limit);
  }

  subscribe(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  configuration(): string {
    return 'gateway: { name: press-hall }\nsinks:\n  - { name: influx, password: "••••" }\n';
  }
}
