import { MarkTable } from '../base/mark-table.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Rejected } from '../core/intake.ts';
import type { ComponentState, Lifecycle } from '../core/lifecycle.ts';
import type { Log } from '../core/log.ts';
import type { Result } from '../core/result.ts';
import type { AggregateQuery, AggregateRow } from '../core/sink.ts';
import type { Source } from '../core/source.ts';
import type {
  GatewayStatus,
  GatewayView,
  LedgerReport,
  LiveEvent,
  ReadingRow,
  ReadingsQuery,
  SeriesStatus,
} from '../core/view.ts';
import { Admission, type DurableEntry } from './admission.ts';
import { Analysis } from './analysis.ts';
import { applyCommand } from './apply-command.ts';
import { Checkpointer } from './checkpointer.ts';
import { ClockKeeper } from './clock-keeper.ts';
import type { Command } from './command.ts';
import { DeadLetters } from './dead-letters.ts';
import { DeviceClocks } from './device-clocks.ts';
import { Forwarder } from './forwarder.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { heldBack } from './held-back.ts';
import { keepHouse } from './housekeeping.ts';
import { Inspector } from './inspector.ts';
import { Ledger } from './ledger.ts';
import { LiveFeed } from './live-feed.ts';
import { LoadShedding } from './load-shedding.ts';
import { Operations } from './operations.ts';
import { Progress } from './progress.ts';
import { recover } from './recovery.ts';
import { ResultLogs } from './result-logs.ts';
import { makeRoomFor } from './room-at-start.ts';
import { gatewayStatus, reasonsNotReady, type StatusParts, seriesStatus } from './status.ts';
import { StopSteps } from './stop-steps.ts';
import { TableKeeper } from './table-keeper.ts';

/** What the steps of a stop may take, in milliseconds. */
const STOP_MS = { sources: 800, drain: 2_200, sinks: 400, logs: 400 };

/** Notes of the sources: of QoS 2 messages on their way, some thousand even of many clients. */
const MARK_LIMITS = { maxMarks: 100_000, maxMarksPerPeer: 2_000 };

/** The running gateway: sources, journal, analysis, outbox and sinks, started and stopped in the right order. */
export class Gateway implements Lifecycle, GatewayView {
  readonly #parts: GatewayParts;
  readonly #ledger = new Ledger();
  readonly #deadLetters: DeadLetters;
  readonly #analysis: Analysis;
  readonly #admission: Admission;
  readonly #checkpointer: Checkpointer;
  readonly #clockKeeper: ClockKeeper;
  readonly #tableKeeper: TableKeeper;
  readonly #deviceClocks = new DeviceClocks();
  readonly #feed: LiveFeed;
  readonly inspection: Inspector;
  readonly operations: Operations;
  readonly #results: ResultLogs;
  /** What the sources have noted: as they see it, and as it was when the last record was analysed. */
  readonly #admittedMarks = new MarkTable(MARK_LIMITS);
  readonly #analysedMarks = new MarkTable(MARK_LIMITS);
  readonly #progress: Progress;
  readonly #shedding: LoadShedding;
  #sources: readonly Source[] = [];
  #forwarders: readonly Forwarder[] = [];
  #state: ComponentState = 'stopped';
  #stopping = new AbortController();
  #tasks: Promise<unknown> = Promise.resolve();
  #startedAt: EpochMs = 0;
  #startedMonotonicMs = 0;
  #hasHung = false;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#deadLetters = new DeadLetters(parts.deadLetterLog, parts.clock);
    this.#results = new ResultLogs({
      ...parts,
      failed: (error) => {
        if (this.#state !== 'stopped') parts.failed(error);
      },
    });
    this.#shedding = new LoadShedding({
      probe: parts.memory,
      clock: parts.clock,
      logger: parts.logger,
      liveData: (on) => {
        this.#feed.isOff = !on;
        this.inspection.taps.isGivenUp = !on;
        parts.recent.isGivenUp = !on;
      },
      newSeries: (on) => {
        parts.registry.refusal = on ? undefined : 'no new series is taken while memory is short';
      },
    });
    this.#feed = new LiveFeed((interested) => {
      parts.recent.live = interested;
    });
    const stages = () => this.#analysis.stages;
    this.inspection = new Inspector({ ...parts, stages, deadLetters: this.#deadLetters });
    this.operations = new Operations({
      ...parts,
      desk: () => stages().alarmDesk,
      maintenance: () => stages().maintenance,
      tell: (command) => this.#admission.command(command),
    });
    this.#analysis = new Analysis({
      watchers: this.inspection,
      deduplicator: parts.deduplicator,
      makeStages: parts.makeStages,
      ledger: this.#ledger,
      recent: parts.recent,
      results: (results) => this.#takeResults(results),
    });
    this.#checkpointer = new Checkpointer({
      ...parts,
      results: this.#results,
      marks: this.#analysedMarks,
      deadLetters: this.#deadLetters,
      analysis: this.#analysis,
      reference: () => this.#clockKeeper.reference(),
      ledger: this.#ledger,
    });
    const told = {
      clock: parts.clock,
      analysis: this.#analysis,
      tell: (command: Command) => this.#admission.enter(command),
    };
    this.#clockKeeper = new ClockKeeper({ ...told, trust: parts.clockTrust, logger: parts.logger });
    this.#tableKeeper = new TableKeeper({
      tables: parts.tables,
      logger: parts.logger,
      desk: () => this.#analysis.stages.tables,
      tell: (command) => this.#admission.enter(command),
    });
    this.#admission = new Admission({
      clock: this.#clockKeeper,
      deviceClocks: this.#deviceClocks,
      journal: parts.journal,
      deadLetters: this.#deadLetters,
      ledger: this.#ledger,
      normaliser: parts.normaliser,
      marks: this.#admittedMarks,
      intern: (identity, unit) => parts.registry.intern(identity, unit),
      durable: (entry) => this.#analyse(entry),
      backPressure: heldBack(() => this.#results.backPressure ?? this.#shedding.backPressure, told),
      failed: parts.failed,
    });
    this.#progress = new Progress({ clock: parts.clock, logs: this.#logs(), admission: this.#admission });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts;
    this.#state = 'starting';
    this.#startedAt = clock.now();
    this.#startedMonotonicMs = clock.monotonicMs();
    this.#stopping = new AbortController();
    const asking = this.#clockKeeper.keepAsking(this.#stopping.signal);
    await Promise.all(this.#logs().map((log) => log.start(signal)));
    this.#sources = this.#parts.sources((source) => this.#admission.intake(source));
    const hasReplayed = await this.#recover(signal);
    this.#clockKeeper.begin();
    this.#tableKeeper.begin();
    if (this.#forwarders.length === 0) await this.#startForwarders(signal);
    for (const source of this.#sources) {
      signal.throwIfAborted();
      await source.start(signal);
    }
    signal.throwIfAborted();
    this.#tasks = Promise.all([asking, this.#keepHouse(hasReplayed)]);
    this.#state = 'running';
    logger.info({ readyMs: Math.round(clock.monotonicMs() - this.#startedMonotonicMs) }, 'gateway is ready');
  }

  /**
   * Sources stop first, then everything they brought is carried to the disk, then the sinks and logs stop. Each step has its time, four
   * seconds in all; what hangs beyond, a peer, a sink, a full log or a disk, is left: nothing of it was acknowledged, or the next start
   * replays it. `signal` cuts all of them short.
   */
  async stop(signal: AbortSignal): Promise<void> {
    if (this.#state === 'stopped' || this.#state === 'draining') return;
    this.#state = 'draining';
    this.#shedding.over();
    const { clock, logger } = this.#parts;
    const steps = new StopSteps({ clock, logger, signal });
    await steps.stop('the sources', STOP_MS.sources, this.#sources);
    await steps.run('carry everything to the disk', STOP_MS.drain, () => this.#drain());
    this.#stopping.abort();
    await steps.stop('the sinks', STOP_MS.sinks, this.#forwarders);
    await steps.stop('the logs', STOP_MS.logs, this.#logs());
    this.#hasHung = steps.hasHung;
    this.#state = 'stopped';
  }

  /** Something did not stop in its time, and was left. */
  get hasHung(): boolean {
    return this.#hasHung;
  }

  async #drain(): Promise<void> {
    await this.#admission.drain();
    this.#stopping.abort();
    await this.#tasks;
    await this.#checkpoint();
  }

  /** @returns whether the journal held something that no checkpoint covers */
  async #recover(signal: AbortSignal): Promise<boolean> {
    const { clock, logger, journal, registry } = this.#parts;
    const since = clock.monotonicMs();
    const { replayed, unreadable, checkpoint } = await recover({
      clock,
      journal,
      registry,
      checkpoints: this.#parts.checkpoints,
      analysis: this.#analysis,
      ledger: this.#ledger,
      deadLetters: this.#deadLetters,
      marks: this.#analysedMarks,
      logger,
      apply: (command) => this.#apply(command),
      passed: (offset, readings) => this.#checkpointer.passed(offset, readings),
      signal,
    });
    this.#admittedMarks.restore(this.#analysedMarks.snapshot());
    const begun = this.#checkpointer.begin(journal.status().durableOffset, checkpoint);
    const startForwarders = () => this.#startForwarders(signal);
    await makeRoomFor(begun, { clock, startForwarders, freeResults: () => this.#freeResults() }, signal);
    const tookMs = Math.round(clock.monotonicMs() - since);
    if (replayed > 0 || unreadable > 0) logger.info({ replayed, unreadable, tookMs }, 'journal replayed');
    return replayed > 0;
  }

  async #startForwarders(signal: AbortSignal): Promise<void> {
    const { alarmOutbox, outbox, clock, logger, random, sinks } = this.#parts;
    const common = { alarmOutbox, outbox, deadLetters: this.#deadLetters, clock, random };
    this.#forwarders = sinks.map(
      ({ sink, options }) => new Forwarder({ ...common, sink, logger: logger.child({ sink: sink.name }) }, options),
    );
    for (const forwarder of this.#forwarders) await forwarder.start(signal);
  }

  #keepHouse(hasReplayed: boolean): Promise<void> {
    const { clock, logger, recent, checkpointEveryMs } = this.#parts;
    const house = {
      ...{ clock, logger, recent, checkpointEveryMs, hasReplayed, feed: this.#feed },
      tick: () => this.#tick(),
      lookAtMemory: () => this.#shedding.look(),
      status: () => this.status(),
      freeResults: () => this.#freeResults(),
      lookAtTables: () => this.#tableKeeper.look(),
      writeCheckpoint: () => this.#checkpoint(),
    };
    return keepHouse(house, this.#stopping.signal);
  }

  #tick(): void {
    this.#clockKeeper.tick();
    const time = this.#parts.clock.now();
    // While readings are on their way they carry the time themselves. That time has passed without any is journaled where it
    // matters, so that a replay does the same whatever the clock says then.
    if (this.#admission.isIdle && this.#analysis.isDue(time)) this.#admission.enter({ type: 'time-passed', time });
    const bound = this.#analysis.seriesAlarm.look(this.#parts.registry, time);
    if (bound !== undefined) this.#admission.enter(bound);
  }

  #analyse(entry: DurableEntry): void {
    if (entry.command !== undefined) this.#apply(entry.command);
    for (const change of entry.marks) this.#analysedMarks.apply(change);
    this.#analysis.process(entry.readings);
    this.#checkpointer.passed(entry.offset, entry.readings.length);
  }

  #apply(command: Command): void {
    applyCommand(this.#analysis, command, this.#parts.name);
  }

  #takeResults(results: readonly Result[]): void {
    this.#results.append(results);
    if (this.inspection.taps.isOpen) this.inspection.taps.results(results);
    if (!this.#feed.isWatched) return;
    for (const result of results) {
      this.#feed.publish({ topic: result.kind === 'alarm' ? 'alarms' : 'aggregates', data: result });
    }
  }

  async #freeResults(): Promise<void> {
    await this.#results.trim(this.#forwarders.map((forwarder) => forwarder.positions));
  }

  async #checkpoint(): Promise<void> {
    const { journal, deadLetterLog } = this.#parts;
    // Nothing to free here: what the disk has refused these logs is tried again.
    await Promise.all([journal, deadLetterLog].map((log) => log.trim(0)));
    await this.#checkpointer.write();
  }

  /** For how long nothing has become durable though something waits and no log tells of a trouble, in milliseconds; call it regularly. */
  stuckMs(): number {
    return this.#progress.stuckMs();
  }

  status(): GatewayStatus {
    return gatewayStatus(this.#statusParts());
  }

  notReady(): readonly string[] {
    return reasonsNotReady(this.#statusParts());
  }

  #logs(): readonly Log[] {
    const { journal, alarmOutbox, outbox, deadLetterLog } = this.#parts;
    return [journal, alarmOutbox, outbox, deadLetterLog];
  }

  #statusParts(): StatusParts {
    return {
      parts: this.#parts,
      state: this.#state,
      startedAt: this.#startedAt,
      startedMonotonicMs: this.#startedMonotonicMs,
      sources: this.#sources,
      forwarders: this.#forwarders,
      ledger: this.#ledger,
      stages: this.#analysis.stages,
      tableKeeper: this.#tableKeeper,
      derived: this.#analysis.derived,
      receiveTime: this.#analysis.receiveTime,
      checkpointer: this.#checkpointer,
      clockKeeper: this.#clockKeeper,
      deviceClocks: this.#deviceClocks,
      shedding: this.#shedding,
      results: this.#results,
      marks: this.#admittedMarks,
      admission: this.#admission,
      fates: this.inspection.fates,
    };
  }

  ledgerReport(limit: number): LedgerReport {
    return this.#ledger.report(limit);
  }

  series(): readonly SeriesStatus[] {
    return seriesStatus(this.#parts, this.#analysis.stages, this.#deviceClocks);
  }

  readings(query: ReadingsQuery): readonly ReadingRow[] | undefined {
    const series = this.#parts.registry.get(query.series);
    return series === undefined ? undefined : this.#parts.recent.query(series, query);
  }

  aggregates(query: AggregateQuery): readonly AggregateRow[] {
    return this.#parts.history.aggregates(query);
  }

  deadLetters(limit: number): Promise<readonly Rejected[]> {
    return this.#deadLetters.newest(limit);
  }

  get liveIsOff(): boolean {
    return this.#feed.isOff;
  }

  subscribe(listener: (event: LiveEvent) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  configuration(): string {
    return this.#parts.configuration;
  }
}
