import { join } from 'node:path';
import type { RollupShape, WindowConfiguration } from '../../config/analysis-configuration.ts';
import type { Configuration } from '../../config/configuration.ts';
import { SeriesRegistry } from '../base/series-registry.ts';
import type { SteadyClock } from '../base/steady-clock.ts';
import type { TimeServiceAnswer } from '../base/time-service.ts';
import { SegmentLog, type SegmentLogOptions } from '../buffer/segment-log.ts';
import type { Disk } from '../core/disk.ts';
import type { Intake } from '../core/intake.ts';
import type { MemoryProbe } from '../core/memory.ts';
import type { History } from '../core/sink.ts';
import type { Source } from '../core/source.ts';
import type { Logger } from '../core/telemetry.ts';
import { Deduplicator } from '../pipeline/deduplicate.ts';
import { CheckpointStore } from '../runtime/checkpoint.ts';
import { Gateway } from '../runtime/gateway.ts';
import { RecentReadings } from '../runtime/recent-readings.ts';
import { resultThinner } from '../runtime/result-thinner.ts';
import { consumersOf } from './consumers.ts';
import { namedStages } from './named-stages.ts';
import type { FedSink } from './sinks.ts';
import { makeNormaliser, makeStages } from './stages.ts';
import { tableFiles } from './tables.ts';

/** The world a gateway lives in, and its two ends: where readings come from and where results go. */
export interface GatewaySurroundings {
  readonly clock: SteadyClock;
  /** Asks the box whether its clock is synchronised. Must not reject. */
  readonly timeService: (signal: AbortSignal) => Promise<TimeServiceAnswer>;
  /** Names this run of the operating system, over which the monotonic clock goes on. */
  readonly boot: string;
  readonly random: () => number;
  readonly logger: Logger;
  readonly disk: Disk;
  readonly memory: MemoryProbe;
  readonly version: string;
  /** The configuration as it may be shown: secrets hidden. */
  readonly configurationText: string;
  /** The gateway cannot go on. */
  readonly failed: (error: unknown) => void;
  /** Makes the sources, each with the intake of its name. */
  readonly sources: (intake: (source: string) => Intake) => readonly Source[];
  readonly sinks: readonly FedSink[];
  readonly history: History;
}

const DEAD_LETTER_BYTES = 64 * 1024 * 1024;
const SMALL_SEGMENT_BYTES = 4 * 1024 * 1024;
/** All windows that may be open, and they are bounded, can end in one moment: at 250 to 500 bytes each. */
const OUTBOX_PENDING_BYTES = 256 * 1024 * 1024;

/** Puts everything between the two ends together as a configuration says. */
export function makeGateway(configuration: Configuration, surroundings: GatewaySurroundings): Gateway {
  const { storage, time } = configuration;
  const { timeService: ask, boot } = surroundings;
  const registry = new SeriesRegistry(storage.maxSeries);
  const recent = new RecentReadings();
  return new Gateway({
    ...surroundings,
    ...makeLogs(configuration, surroundings),
    name: configuration.gateway.name,
    clockTrust: { sync: time.sync, syncWaitMs: time.syncWaitMs, ask, boot },
    configuration: surroundings.configurationText,
    checkpoints: new CheckpointStore(surroundings.disk, storage.path, surroundings.logger, surroundings.clock),
    checkpointEveryMs: storage.checkpointEveryMs,
    maxShelvingMs: configuration.alarms.maxShelvingMs,
    maxMaintenanceMs: configuration.alarms.maxMaintenanceMs,
    registry,
    recent,
    normaliser: makeNormaliser(configuration),
    deduplicator: new Deduplicator(storage.rememberedReadings),
    tables: tableFiles(configuration.tables, surroundings.disk),
    namedStages: namedStages(configuration),
    consumersOf: consumersOf(configuration),
    makeStages: () => makeStages(configuration, registry, recent),
  });
}

function makeLogs({ storage, windows, rollups }: Configuration, { disk, clock, logger, random }: GatewaySurroundings) {
  type Options = Pick<
    SegmentLogOptions,
    'maxBytes' | 'maxAgeMs' | 'whenFull' | 'thinner' | 'segmentBytes' | 'keepFreeBytes' | 'maxPendingBytes'
  >;
  const thinner = resultThinner((name) => stepMs([...windows, ...rollups].find((one) => one.name === name)?.window));
  const log = (name: string, options: Options) =>
    new SegmentLog({
      path: join(storage.path, name),
      disk,
      clock: clock.certain,
      random,
      logger: logger.child({ log: name }),
      sync: storage.sync === '1s' ? { everyMs: 1_000 } : storage.sync,
      keepFreeBytes: storage.keepFreeBytes,
      ...options,
    });
  return {
    // Accepted readings are never dropped: a full journal makes the sources wait.
    journal: log('journal', { ...storage.journal, whenFull: 'block' }),
    // As the disk fills, new readings are refused first; what came of the accepted ones still has room, alarms longest.
    outbox: log('outbox', {
      ...storage.outbox,
      thinner,
      keepFreeBytes: storage.keepFreeBytes / 2,
      maxPendingBytes: OUTBOX_PENDING_BYTES,
    }),
    alarmOutbox: log('alarms', {
      ...storage.alarms,
      segmentBytes: SMALL_SEGMENT_BYTES,
      whenFull: 'drop-oldest',
      thinner,
      keepFreeBytes: storage.keepFreeBytes / 4,
    }),
    deadLetterLog: log('dead-letters', {
      maxBytes: DEAD_LETTER_BYTES,
      segmentBytes: SMALL_SEGMENT_BYTES,
      whenFull: 'drop-oldest',
    }),
  };
}

/** Milliseconds from the start of one window to the next; undefined where that varies. */
function stepMs(window: WindowConfiguration['window'] | RollupShape | undefined): number | undefined {
  if (window === undefined) return undefined;
  if ('tumblingMs' in window) return window.tumblingMs;
  return 'everyMs' in window ? window.everyMs : undefined;
}
