import { join } from 'node:path';
import type { Configuration } from '../../config/configuration.ts';
import { MqttBroker } from '../../devices/mqtt/broker.ts';
import { Api } from '../api/app.ts';
import { SeriesRegistry } from '../base/series-registry.ts';
import { systemDisk } from '../base/system-disk.ts';
import { SegmentLog, type SegmentLogOptions } from '../buffer/segment-log.ts';
import type { Clock } from '../core/clock.ts';
import type { Source } from '../core/source.ts';
import type { Logger } from '../core/telemetry.ts';
import { Deduplicator } from '../pipeline/deduplicate.ts';
import { CheckpointStore } from '../runtime/checkpoint.ts';
import { Gateway } from '../runtime/gateway.ts';
import { RecentReadings } from '../runtime/recent-readings.ts';
import { makeSinks } from './sinks.ts';
import { sourceFactories } from './sources.ts';
import { makeDetection, makeNormaliser, makeWindows } from './stages.ts';

/** What a gateway needs from the process it runs in. */
export interface AssemblyParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly version: string;
  /** The configuration as it may be shown: secrets hidden. */
  readonly configurationText: string;
  /** The gateway cannot go on. */
  readonly failed: (error: unknown) => void;
}

/** A gateway and its API, not started. */
export interface Assembly {
  readonly gateway: Gateway;
  readonly api: Api;
  /** The embedded brokers, once the gateway has started. */
  readonly brokers: readonly MqttBroker[];
}

const DEAD_LETTER_BYTES = 64 * 1024 * 1024;
const SMALL_SEGMENT_BYTES = 4 * 1024 * 1024;

/** Puts a gateway together as a configuration says: the one place where the rooms meet. */
export async function assemble(configuration: Configuration, parts: AssemblyParts): Promise<Assembly> {
  const { clock, logger } = parts;
  const { storage } = configuration;
  const registry = new SeriesRegistry(storage.maxSeries);
  const recent = new RecentReadings();
  const windows = makeWindows(configuration, registry);
  const detection = makeDetection(configuration, () => recent.markLastAsAnomaly());
  const { history, sinks } = makeSinks(configuration, parts);
  const factories = await sourceFactories(configuration, parts);
  const brokers: MqttBroker[] = [];
  const gateway = new Gateway({
    ...parts,
    ...makeLogs(configuration, parts),
    name: configuration.gateway.name,
    configuration: parts.configurationText,
    checkpoints: new CheckpointStore(storage.path, logger),
    checkpointEveryMs: storage.checkpointEveryMs,
    registry,
    recent,
    normaliser: makeNormaliser(configuration),
    deduplicator: new Deduplicator(),
    stages: { windows, detection },
    alarmDesk: {
      acknowledge: (id, time, emit) => detection.acknowledge(id, time, emit),
      get activeCount() {
        return detection.activeAlarms().length;
      },
    },
    watermarkOf: (series) => windows.watermarkOf(series),
    sources: (intake) => {
      const sources = factories.map(({ name, make }): Source => make(intake(name)));
      brokers.push(...sources.filter((source) => source instanceof MqttBroker));
      return sources;
    },
    sinks,
    history,
  });
  const api = new Api(configuration.api, gateway, {
    clock,
    logger: logger.child({ room: 'api' }),
    onUpgrade: (_path, stream, request) => {
      const broker = brokers[0];
      if (broker === undefined) stream.destroy();
      else broker.attach(stream, request);
    },
  });
  return { gateway, api, brokers };
}

function makeLogs({ storage }: Configuration, { clock, logger, random }: AssemblyParts) {
  const log = (name: string, options: Pick<SegmentLogOptions, 'maxBytes' | 'maxAgeMs' | 'whenFull' | 'segmentBytes'>) =>
    new SegmentLog({
      path: join(storage.path, name),
      disk: systemDisk,
      clock,
      random,
      logger: logger.child({ log: name }),
      sync: storage.sync === '1s' ? { everyMs: 1_000 } : storage.sync,
      keepFreeBytes: storage.keepFreeBytes,
      ...options,
    });
  return {
    // Accepted readings are never dropped: a full journal makes the sources wait.
    journal: log('journal', { ...storage.journal, whenFull: 'block' }),
    outbox: log('outbox', storage.outbox),
    deadLetterLog: log('dead-letters', {
      maxBytes: DEAD_LETTER_BYTES,
      segmentBytes: SMALL_SEGMENT_BYTES,
      whenFull: 'drop-oldest',
    }),
  };
}
