import { periodically } from '../base/periodically.ts';
import type { SeriesRegistry } from '../base/series-registry.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Intake, Rejected } from '../core/intake.ts';
import type { ComponentState, Lifecycle } from '../core/lifecycle.ts';
import type { Log } from '../core/log.ts';
import type { Series } from '../core/reading.ts';
import type { Result } from '../core/result.ts';
import type { AggregateQuery, AggregateRow, AlarmQuery, AlarmRow, History, Sink } from '../core/sink.ts';
import type { Source } from '../core/source.ts';
import type { Emit, Stage } from '../core/stage.ts';
import type { Logger } from '../core/telemetry.ts';
import type { GatewayStatus, GatewayView, LiveEvent, ReadingRow, ReadingsQuery, SeriesStatus } from '../core/view.ts';
import { Admission, type DurableEntry, type Normaliser } from './admission.ts';
import { Analysis, type Deduplicator } from './analysis.ts';
import type { CheckpointStore } from './checkpoint.ts';
import type { Command } from './command.ts';
import { DeadLetters } from './dead-letters.ts';
import { Forwarder, type ForwarderOptions } from './forwarder.ts';
import { Ledger } from './ledger.ts';
import { LiveFeed } from './live-feed.ts';
import type { RecentReadings } from './recent-readings.ts';
import { recover } from './recovery.ts';
import { RememberedRange } from './remembered-range.ts';
import { encodeResults } from './result-codec.ts';

const ADVANCE_EVERY_MS = 1_000;
const RATES_EVERY_MS = 2_000;
const LIVE_EVERY_MS = 250;
const STATUS_EVERY_MS = 2_000;
/** Readings of one series in one live event at the most. */
const LIVE_READINGS = 50;
/** Results in one outbox record at the most. */
const RESULTS_PER_RECORD = 500;
/** Results that may wait for the outbox to reach the disk before nothing more is let in. */
const MAX_UNSYNCED_RESULTS = 20_000;

/** The alarms as the detection knows them. */
export interface AlarmDesk {
  /** Acknowledges an alarm and emits the step; false when there is no such active alarm. */
  acknowledge(id: string, time: EpochMs, emit: Emit): boolean;
  readonly activeCount: number;
}

/** What a gateway is made of; the front door chooses. */
export interface GatewayParts {
  readonly name: string;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly journal: Log;
  readonly outbox: Log;
  readonly deadLetterLog: Log;
  readonly checkpoints: CheckpointStore;
  readonly checkpointEveryMs: number;
  readonly registry: SeriesRegistry;
  readonly normaliser: Normaliser;
  readonly deduplicator: Deduplicator;
  readonly recent: RecentReadings;
  /** By the names under which their snapshots are kept. */
  readonly stages: Readonly<Record<string, Stage>>;
  readonly alarmDesk: AlarmDesk;
  readonly watermarkOf: (series: Series) => EpochMs | undefined;
  /** Makes the sources, each with the intake of its name. */
  readonly sources: (intake: (source: string) => Intake) => readonly Source[];
  readonly sinks: readonly { readonly sink: Sink; readonly options: ForwarderOptions }[];
  readonly history: History;
  /** The running configuration, secrets hidden. */
  readonly configuration: string;
  /** Called when the gateway cannot go on: the process has to end and be started again. */
  readonly failed: (error: unknown) => void;
}

/** The running gateway: sources, journal, analysis, outbox and sinks, started and stopped in the right order. */
export class Gateway implements Lifecycle, GatewayView {
  readonly #parts: GatewayParts;
  readonly #ledger = new Ledger();
  readonly #deadLetters: DeadLetters;
  readonly #analysis: Analysis;
  readonly #admission: Admission;
  readonly #remembered: RememberedRange;
  readonly #feed: LiveFeed;
  #sources: readonly Source[] = [];
  #forwarders: readonly Forwarder[] = [];
  #state: ComponentState = 'stopped';
  #stopping = new AbortController();
  #tasks: Promise<unknown> = Promise.resolve();
  #startedAt: EpochMs = 0;
  #startedMonotonicMs = 0;
  /** The first journal record that has not been analysed. */
  #analysedTo = 0;
  #checkpointedTo = -1;
  #checkpointAt: EpochMs | null = null;
  #recovered = false;
  #unsyncedResults = 0;
  #outboxSync: Promise<void> | undefined;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#deadLetters = new DeadLetters(parts.deadLetterLog, parts.clock);
    this.#remembered = new RememberedRange(parts.deduplicator.capacity * 2);
    this.#feed = new LiveFeed((interested) => {
      parts.recent.live = interested;
    });
    this.#analysis = new Analysis({
      deduplicator: parts.deduplicator,
      stages: parts.stages,
      ledger: this.#ledger,
      recent: parts.recent,
      results: (results) => this.#takeResults(results),
    });
    this.#admission = new Admission({
      journal: parts.journal,
      deadLetters: this.#deadLetters,
      ledger: this.#ledger,
      normaliser: parts.normaliser,
      intern: (identity, unit) => parts.registry.intern(identity, unit),
      durable: (entry) => this.#analyse(entry),
      backPressure: () => (this.#unsyncedResults > MAX_UNSYNCED_RESULTS ? this.#outboxSync : undefined),
      failed: parts.failed,
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger, journal, outbox, deadLetterLog } = this.#parts;
    this.#state = 'starting';
    this.#startedAt = clock.now();
    this.#startedMonotonicMs = clock.monotonicMs();
    this.#stopping = new AbortController();
    await Promise.all([journal, outbox, deadLetterLog].map((log) => log.start(signal)));
    this.#sources = this.#parts.sources((source) => this.#admission.intake(source));
    await this.#recover();
    await this.#startForwarders(signal);
    for (const source of this.#sources) await source.start(signal);
    this.#tasks = this.#startTasks();
    this.#state = 'running';
    logger.info({ readyMs: Math.round(clock.monotonicMs() - this.#startedMonotonicMs) }, 'gateway is ready');
  }

  /** Sources stop first, then everything they brought is carried to the disk, then the sinks and logs stop. */
  async stop(signal: AbortSignal): Promise<void> {
    if (this.#state === 'stopped' || this.#state === 'draining') return;
    const { journal, outbox, deadLetterLog } = this.#parts;
    this.#state = 'draining';
    for (const source of this.#sources) await source.stop(signal);
    await this.#admission.drain();
    this.#stopping.abort();
    await this.#tasks;
    if (this.#recovered) await this.#checkpoint();
    await Promise.all(this.#forwarders.map((forwarder) => forwarder.stop(signal)));
    await Promise.all([journal, outbox, deadLetterLog].map((log) => log.stop(signal)));
    this.#state = 'stopped';
  }

  async #recover(): Promise<void> {
    const { clock, logger, journal, registry } = this.#parts;
    const begun = clock.monotonicMs();
    const { replayed, unreadable, checkpoint } = await recover({
      journal,
      registry,
      checkpoints: this.#parts.checkpoints,
      analysis: this.#analysis,
      ledger: this.#ledger,
      deadLetters: this.#deadLetters,
      logger,
      apply: (command) => this.#apply(command),
      remembered: (offset, readings) => this.#remembered.add(offset, readings),
    });
    this.#analysedTo = journal.status().durableOffset;
    this.#checkpointedTo = checkpoint?.journalOffset ?? -1;
    this.#checkpointAt = checkpoint?.takenAt ?? null;
    this.#recovered = true;
    const tookMs = Math.round(clock.monotonicMs() - begun);
    if (replayed > 0 || unreadable > 0) logger.info({ replayed, unreadable, tookMs }, 'journal replayed');
  }

  async #startForwarders(signal: AbortSignal): Promise<void> {
    const { outbox, clock, logger, random, sinks } = this.#parts;
    const deadLetters = this.#deadLetters;
    this.#forwarders = sinks.map(
      ({ sink, options }) =>
        new Forwarder({ sink, outbox, deadLetters, clock, random, logger: logger.child({ sink: sink.name }) }, options),
    );
    for (const forwarder of this.#forwarders) await forwarder.start(signal);
  }

  #startTasks(): Promise<unknown> {
    const { clock, logger, recent, checkpointEveryMs } = this.#parts;
    const { signal } = this.#stopping;
    const every = (pauseMs: number, what: string, task: () => void | Promise<void>) =>
      periodically(clock, pauseMs, signal, task, (error) =>
        logger.error({ error: messageOf(error) }, `cannot ${what}`),
      );
    recent.beginRates();
    let measuredAt = clock.monotonicMs();
    return Promise.all([
      every(ADVANCE_EVERY_MS, 'advance the windows', () => {
        // While readings are on their way they carry the time themselves: only so is a replay the same.
        if (this.#admission.isIdle) this.#analysis.advance(clock.now());
      }),
      every(RATES_EVERY_MS, 'measure rates', () => {
        const now = clock.monotonicMs();
        recent.measureRates(now - measuredAt);
        measuredAt = now;
      }),
      every(LIVE_EVERY_MS, 'publish readings', () => {
        if (!this.#feed.isWatched) return;
        const readings = recent.takeChanges(LIVE_READINGS);
        if (readings.length > 0) this.#feed.publish({ topic: 'readings', data: readings });
      }),
      every(STATUS_EVERY_MS, 'publish the status', () => {
        if (this.#feed.isWatched) this.#feed.publish({ topic: 'status', data: this.status() });
      }),
      every(checkpointEveryMs, 'write a checkpoint', () => this.#checkpoint()),
    ]);
  }

  #analyse(entry: DurableEntry): void {
    if (entry.command !== undefined) this.#apply(entry.command);
    this.#analysis.process(entry.readings);
    this.#remembered.add(entry.offset, entry.readings.length);
    this.#analysedTo = entry.offset + 1;
  }

  #apply(command: Command): void {
    this.#analysis.apply((emit) => {
      this.#parts.alarmDesk.acknowledge(command.id, command.time, emit);
    });
  }

  #takeResults(results: readonly Result[]): void {
    const { outbox } = this.#parts;
    for (let from = 0; from < results.length; from += RESULTS_PER_RECORD) {
      const some = results.slice(from, from + RESULTS_PER_RECORD);
      outbox.append(encodeResults(some), some.length);
    }
    this.#unsyncedResults += results.length;
    this.#outboxSync = outbox.commit().then(
      () => {
        this.#unsyncedResults -= results.length;
      },
      (error: unknown) => {
        if (this.#state !== 'stopped') this.#parts.failed(error);
      },
    );
    if (!this.#feed.isWatched) return;
    for (const result of results) {
      this.#feed.publish({ topic: result.kind === 'alarm' ? 'alarms' : 'aggregates', data: result });
    }
  }

  /**
   * Writes down where everything stands, so that a restart need not go further back. The snapshots are taken in one go; before they
   * count, every result they have led to is durable in the outbox.
   */
  async #checkpoint(): Promise<void> {
    const { clock, journal, outbox, checkpoints, registry } = this.#parts;
    await this.#trimOutbox();
    // From here to the last snapshot nothing may be awaited: the offset and the snapshots must be of one moment.
    const journalOffset = this.#analysedTo;
    // Time alone needs no checkpoint: what it led to, a replay finds again.
    if (journalOffset === this.#checkpointedTo) return;
    const remember = this.#remembered.start(this.#parts.deduplicator.remembered, journalOffset);
    const takenAt = clock.now();
    const checkpoint = {
      takenAt,
      journalOffset,
      remember,
      deadLetterOffset: this.#deadLetters.nextOffset,
      receiveTime: this.#analysis.receiveTime,
      series: registry.all().map(({ device, metric, tags, unit }) => ({ device, metric, tags, unit })),
      ledger: this.#ledger.snapshot(),
      stages: this.#analysis.snapshot(),
    };
    await Promise.all([outbox.commit(), this.#deadLetters.commit()]);
    await checkpoints.write(checkpoint);
    this.#checkpointedTo = journalOffset;
    this.#checkpointAt = takenAt;
    await journal.trim(remember.offset);
  }

  /** Frees what every sink has taken. */
  async #trimOutbox(): Promise<void> {
    if (this.#forwarders.length === 0) return;
    await this.#parts.outbox.trim(Math.min(...this.#forwarders.map((forwarder) => forwarder.position)));
  }

  status(): GatewayStatus {
    const { clock, name, version, journal, outbox, registry, checkpoints, alarmDesk } = this.#parts;
    const memory = process.memoryUsage();
    const ledgers = this.#ledger.sources();
    const sinks = this.#forwarders.map((forwarder) => forwarder.status());
    const sources = this.#sources.map((source) => ({
      name: source.name,
      type: source.type,
      ...source.status(),
      ledger: { ...(ledgers.get(source.name) ?? this.#ledger.row(source.name)) },
    }));
    return {
      name,
      version,
      state: this.#stateWith([...sources, ...sinks]),
      startedAt: this.#startedAt,
      uptimeMs: clock.monotonicMs() - this.#startedMonotonicMs,
      now: clock.now(),
      sources,
      sinks,
      ledger: this.#ledger.total(),
      journal: journal.status(),
      outbox: outbox.status(),
      checkpoint: { offset: Math.max(0, this.#checkpointedTo), at: this.#checkpointAt, bytes: checkpoints.bytes },
      activeAlarms: alarmDesk.activeCount,
      series: { count: registry.all().length, max: registry.max },
      memory: { rssBytes: memory.rss, heapUsedBytes: memory.heapUsed },
    };
  }

  #stateWith(components: readonly { readonly state: ComponentState }[]): ComponentState {
    if (this.#state !== 'running') return this.#state;
    const troubled = components.some(({ state }) => state === 'degraded' || state === 'failed');
    return troubled || this.#parts.journal.status().trouble !== undefined ? 'degraded' : 'running';
  }

  notReady(): readonly string[] {
    const { journal, outbox } = this.#parts;
    const reasons: string[] = [];
    if (this.#state !== 'running') reasons.push(`the gateway is ${this.#state}`);
    for (const [what, log] of [
      ['journal', journal],
      ['outbox', outbox],
    ] as const) {
      const { trouble } = log.status();
      if (trouble !== undefined) reasons.push(`the ${what} cannot be written: ${trouble}`);
    }
    for (const source of this.#sources) {
      const { state, detail } = source.status();
      if (state === 'failed') reasons.push(`source ${source.name} has failed: ${detail}`);
    }
    return reasons;
  }

  series(): readonly SeriesStatus[] {
    const { registry, recent, watermarkOf } = this.#parts;
    return registry.all().map((series) => ({
      key: series.key,
      device: series.device,
      metric: series.metric,
      tags: series.tags,
      unit: series.unit ?? null,
      last: recent.last(series) ?? null,
      receivedTotal: recent.receivedTotal(series),
      rate: recent.rate(series),
      watermark: watermarkOf(series) ?? null,
    }));
  }

  readings(query: ReadingsQuery): readonly ReadingRow[] | undefined {
    const series = this.#parts.registry.get(query.series);
    return series === undefined ? undefined : this.#parts.recent.query(series, query);
  }

  aggregates(query: AggregateQuery): readonly AggregateRow[] {
    return this.#parts.history.aggregates(query);
  }

  alarms(query: AlarmQuery): readonly AlarmRow[] {
    return this.#parts.history.alarms(query);
  }

  async acknowledgeAlarm(id: string, by: string): Promise<AlarmRow | undefined> {
    const alarm = this.#parts.history.alarms({ limit: 1_000, state: 'active' }).find((row) => row.id === id);
    if (alarm === undefined) return undefined;
    const time = this.#parts.clock.now();
    await this.#admission.command({ type: 'acknowledge-alarm', id, by, time });
    return { ...alarm, acknowledgedAt: alarm.acknowledgedAt ?? time };
  }

  deadLetters(limit: number): Promise<readonly Rejected[]> {
    return this.#deadLetters.newest(limit);
  }

  subscribe(listener: (event: LiveEvent) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  configuration(): string {
    return this.#parts.configuration;
  }
}
