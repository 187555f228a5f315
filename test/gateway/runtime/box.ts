import { expect, vi } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { SteadyClock } from '../../../gateway/base/steady-clock.ts';
import { systemDisk } from '../../../gateway/base/system-disk.ts';
import type { TimeServiceAnswer } from '../../../gateway/base/time-service.ts';
import type { Intake } from '../../../gateway/core/intake.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Result } from '../../../gateway/core/result.ts';
import type { History, Sink } from '../../../gateway/core/sink.ts';
import type { TableContent } from '../../../gateway/core/table.ts';
import type { AlarmDeskOptions } from '../../../gateway/detect/alarms/alarm-desk.ts';
import { DetectStage } from '../../../gateway/detect/detect-stage.ts';
import { Maintenance } from '../../../gateway/detect/maintenance/maintenance.ts';
import type { DetectRule } from '../../../gateway/detect/rule.ts';
import { Deduplicator } from '../../../gateway/pipeline/deduplicate.ts';
import { Derivation, type DerivationSettings, type SeriesAccess } from '../../../gateway/pipeline/derive/derivation.ts';
import { type TableSettings, Tables } from '../../../gateway/pipeline/enrich/tables.ts';
import { Join } from '../../../gateway/pipeline/join/join.ts';
import type { JoinSettings } from '../../../gateway/pipeline/join/join-definition.ts';
import { Normaliser } from '../../../gateway/pipeline/normalise.ts';
import { Reduction } from '../../../gateway/pipeline/reduction/reduction.ts';
import type { ReductionSettings } from '../../../gateway/pipeline/reduction/reduction-rule.ts';
import { WindowStage } from '../../../gateway/pipeline/windows/window-stage.ts';
import { Gateway } from '../../../gateway/runtime/gateway.ts';
import { RecentReadings } from '../../../gateway/runtime/recent-readings.ts';
import { sinkImbalance } from '../../../gateway/runtime/sink-ledger.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { noTimeService } from '../../no-time-service.ts';
import { openDesk } from '../../open-desk.ts';
import { PLENTY } from '../../plenty-of-memory.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { MortalCheckpointStore } from './mortal-checkpoint-store.ts';

const never = new AbortController().signal;
/** Wall time ten minutes before a box is switched on. */
export const START = Date.UTC(2026, 5, 1);
export const CHECKPOINT_EVERY_MS = 10_000;

/** A reading of device `d`. */
export interface Sent {
  readonly metric: string;
  readonly value: number;
  /** Undefined where the device has no clock. */
  readonly time: number | undefined;
}

/** A box that is switched off. */
export async function newBox(): Promise<Box> {
  return new Box(await temporaryFolder());
}

/** A box that is switched on for the first time. */
export async function bootedBox(): Promise<Box> {
  const box = await newBox();
  await box.boot();
  return box;
}

/** A gateway on disks in memory that survive its crashes, with one source and one sink. */
export class Box {
  clock = new ManualClock(START + 600_000);
  /** What the gateway makes of it. */
  steady!: SteadyClock;
  /** Names the run of the operating system. */
  bootId = 'boot';
  sync: 'auto' | 'required' | 'ignore' = 'auto';
  /** What the box says about its clock. */
  ask: (signal: AbortSignal) => Promise<TimeServiceAnswer> = noTimeService;
  /** Where its checkpoints are. */
  readonly folder: string;
  #logger = recordingLogger();
  #checkpoints!: MortalCheckpointStore;
  journal = new MemoryLog();
  alarmOutbox = new MemoryLog();
  outbox = new MemoryLog();
  deadLetters = new MemoryLog();
  #stored: Result[] = [];
  gateway!: Gateway;
  intake!: Intake;
  /** What the box tells of its memory. */
  memory = PLENTY;
  /** The bound on series, from the next boot on. */
  maxSeries = 100;
  /** Readings among which a redelivered one is recognised, from the next boot on. */
  rememberedReadings = 16;
  /** How far out of order the readings of a device may be at the most where that is learnt, from the next boot on. */
  maxOutOfOrdernessMs = 5_000;
  /** What goes on to the stages, from the next boot on. */
  reduce: readonly ReductionSettings[] = [];
  /** What is derived from readings, from the next boot on. */
  derive: readonly DerivationSettings[] = [];
  tables: readonly TableSettings[] = [];
  /** What is judged beside values above 100, from the next boot on. */
  detect: readonly DetectRule[] = [];
  /** What the file of a table says when it is read again; rejects where it is none. */
  readTable: (settings: TableSettings) => Promise<TableContent> = async ({ content }) => content;
  join: readonly JoinSettings[] = [];
  /** Why the sink refuses a result for ever. */
  refuse: (result: Result) => string | undefined = () => undefined;
  alarms: Partial<AlarmDeskOptions> = {};

  constructor(folder: string) {
    this.folder = folder;
  }

  async boot(): Promise<void> {
    this.steady = new SteadyClock(this.clock);
    this.#logger = recordingLogger();
    this.#checkpoints = new MortalCheckpointStore(systemDisk, this.folder, this.#logger, this.clock);
    const registry = new SeriesRegistry(this.maxSeries);
    const recent = new RecentReadings();
    const findSeries = (key: string) => registry.get(key);
    const windows = () =>
      new WindowStage({
        windows: [
          {
            name: 'm',
            series: '*',
            window: { tumblingMs: 60_000, allowedLatenessMs: 30_000 },
            aggregates: ['count', 'mean', 'stddev', 'p95', 'last'],
          },
          {
            name: 's',
            series: '*/a',
            window: { tumblingMs: 10_000, allowedLatenessMs: 0 },
            aggregates: ['sum', 'first'],
          },
        ],
        time: {
          outOfOrdernessMs: 5_000,
          maxOutOfOrdernessMs: this.maxOutOfOrdernessMs,
          idleTimeoutMs: 5_000,
        },
        findSeries,
      });
    const detection = (maintenance: Maintenance) =>
      new DetectStage({
        maintenance,
        rules: [
          { series: '*', detector: 'range', options: { max: 100 }, alarm: { severity: 'critical', holdMs: 5_000 } },
          ...this.detect,
        ],
        findSeries,
        onAnomaly: (reading) => recent.markAnomaly(reading),
      });
    this.gateway = new Gateway({
      name: 'box',
      version: '0',
      clock: this.steady,
      clockTrust: { sync: this.sync, syncWaitMs: 120_000, ask: (signal) => this.ask(signal), boot: this.bootId },
      logger: this.#logger,
      random: () => 0.5,
      memory: { read: () => this.memory, collect: () => undefined },
      journal: this.journal,
      alarmOutbox: this.alarmOutbox,
      outbox: this.outbox,
      deadLetterLog: this.deadLetters,
      checkpoints: this.#checkpoints,
      tables: this.tables.map((settings) => ({ ...settings, read: () => this.readTable(settings) })),
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      registry,
      recent,
      maxShelvingMs: 3_600_000,
      maxMaintenanceMs: 3_600_000,
      normaliser: new Normaliser([]),
      deduplicator: new Deduplicator(this.rememberedReadings),
      namedStages: [],
      consumersOf: () => ({ reduction: null, readBy: [], windows: [], detectors: [] }),
      makeStages: () => {
        const tables = new Tables(this.tables);
        const access: SeriesAccess = {
          find: findSeries,
          derive: (identity, unit) => registry.derive(identity, unit),
          tables,
        };
        const maintenance = new Maintenance([]);
        const byName = { windows: windows(), detection: detection(maintenance) };
        return {
          tables,
          gate: new Reduction({ rules: this.reduce, findSeries, idleTimeoutMs: 5_000 }),
          derivers: [
            ...this.derive.map((settings) => new Derivation(settings, access)),
            ...this.join.map((settings) => new Join(settings, access)),
          ],
          byName,
          alarmDesk: openDesk({
            ...this.alarms,
            activeAlarms: () => byName.detection.activeAlarms(),
            dismiss: (raised) => byName.detection.dismiss(raised),
            isOutOfService: (series, time) => maintenance.covers(series, time),
          }),
          maintenance,
          watermarkOf: (series) => byName.windows.watermarkOf(series),
          windowsAt: () => [],
          outOfOrdernessOf: (series) => byName.windows.outOfOrdernessOf(series),
        };
      },
      sources: (intakeOf) => {
        this.intake = intakeOf('floor');
        return [];
      },
      sinks: [{ sink: this.#sink(), options: { maxItems: 100, lingerMs: 0 } }],
      history: this.#history(),
      configuration: '',
      failed: (error) => {
        throw error;
      },
    });
    await this.gateway.start(never);
    await settle();
  }

  send({ metric, value, time }: Sent, device = 'd'): void {
    const series = this.intake.series({ device, metric });
    if (typeof series === 'string') throw new Error(series);
    this.intake.reading(series, value, Quality.good, time, this.steady.now());
  }

  acknowledged(): Promise<void> {
    return new Promise((resolve) => this.intake.acknowledge(resolve));
  }

  /** Time goes on until the next checkpoint is on the disk, which is due in `inMs` at the latest. */
  async untilCheckpoint(inMs = CHECKPOINT_EVERY_MS): Promise<void> {
    const { at } = this.gateway.status().checkpoint;
    await this.clock.advance(inMs);
    await vi.waitUntil(() => this.gateway.status().checkpoint.at !== at, { timeout: 5_000 });
    await settle();
  }

  /** The process dies; what was durable is found again. */
  async crash(): Promise<void> {
    await this.die();
    await this.boot();
  }

  /** The process dies, and nothing comes in its place yet. With a new `bootId` and `monotonicMs` it was the whole box. */
  async die(monotonicMs = this.clock.monotonicMs()): Promise<void> {
    // The old gateway is not told: its clock stands still for ever, and what it still writes is not seen.
    const dead = this.#checkpoints.die();
    const { driftPpm, jitterMs } = this.clock;
    this.clock.jitterMs = () => 0;
    this.clock = Object.assign(new ManualClock(this.clock.now(), monotonicMs), { driftPpm, jitterMs });
    this.journal = this.journal.afterCrash();
    this.alarmOutbox = this.alarmOutbox.afterCrash();
    this.outbox = this.outbox.afterCrash();
    this.deadLetters = this.deadLetters.afterCrash();
    await dead;
  }

  async stop(): Promise<void> {
    await this.gateway.stop(never);
    expect(this.gateway.status().sinks.map((sink) => sinkImbalance(sink.ledger))).toEqual([0]);
  }

  /** Everything the sink was given, in order. */
  stored(): readonly Result[] {
    return this.#stored;
  }

  /** What an idempotent sink holds at the end: of each window the last revision, of each alarm every step. */
  latest(): ReadonlyMap<string, unknown> {
    const latest = new Map<string, unknown>();
    for (const result of this.#stored) {
      if (result.kind === 'alarm') {
        latest.set(`${result.id}@${result.state}`, result);
        continue;
      }
      const { revision, ...rest } = result;
      latest.set(`${result.series.key}@${result.window}@${result.start}`, rest);
    }
    return new Map([...latest].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  logLines(): readonly string[] {
    return this.#logger.lines.map(({ message }) => message);
  }

  #sink(): Sink {
    const { clock } = this;
    return {
      name: 'store',
      type: 'test',
      start: async () => {},
      stop: async () => {},
      write: async (batch) => {
        if (clock !== this.clock) return [];
        const rejections = batch.flatMap((result) => {
          const reason = this.refuse(result);
          return reason === undefined ? [] : [{ result, reason }];
        });
        this.#stored.push(...batch.filter((result) => !rejections.some((rejection) => rejection.result === result)));
        return rejections;
      },
    };
  }

  /** It knows nothing: what is open, the desk does. */
  #history(): History {
    return { aggregates: () => [], alarms: () => [] };
  }
}
