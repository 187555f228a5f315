import { vi } from 'vitest';
import { MqttBroker } from '../../../devices/mqtt/broker.ts';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { SteadyClock } from '../../../gateway/base/steady-clock.ts';
import { systemDisk } from '../../../gateway/base/system-disk.ts';
import { Maintenance } from '../../../gateway/detect/maintenance/maintenance.ts';
import { Deduplicator } from '../../../gateway/pipeline/deduplicate.ts';
import { Tables } from '../../../gateway/pipeline/enrich/tables.ts';
import { Normaliser } from '../../../gateway/pipeline/normalise.ts';
import { CheckpointStore } from '../../../gateway/runtime/checkpoint.ts';
import { Gateway } from '../../../gateway/runtime/gateway.ts';
import { RecentReadings } from '../../../gateway/runtime/recent-readings.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { noTimeService } from '../../no-time-service.ts';
import { openDesk } from '../../open-desk.ts';
import { openGate } from '../../open-gate.ts';
import { plentyOfMemory } from '../../plenty-of-memory.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { RawClient } from './raw-client.ts';

const never = new AbortController().signal;
const CHECKPOINT_EVERY_MS = 10_000;

/** A gateway with the embedded broker, on disks in memory that survive its crashes. */
export class BrokerBox {
  readonly #folder: string;
  #clock = new ManualClock();
  journal = new MemoryLog();
  #outbox = new MemoryLog();
  #deadLetters = new MemoryLog();
  #broker!: MqttBroker;
  readonly #clients: RawClient[] = [];
  gateway!: Gateway;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async boot(): Promise<void> {
    const logger = recordingLogger();
    this.gateway = new Gateway({
      name: 'box',
      version: '0',
      clock: new SteadyClock(this.#clock),
      clockTrust: { sync: 'auto', syncWaitMs: 120_000, ask: noTimeService, boot: 'boot' },
      logger,
      random: () => 0.5,
      memory: plentyOfMemory,
      journal: this.journal,
      alarmOutbox: new MemoryLog(),
      outbox: this.#outbox,
      deadLetterLog: this.#deadLetters,
      checkpoints: new CheckpointStore(systemDisk, this.#folder, logger, this.#clock),
      tables: [],
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      registry: new SeriesRegistry(),
      recent: new RecentReadings(),
      maxShelvingMs: 3_600_000,
      maxMaintenanceMs: 3_600_000,
      normaliser: new Normaliser([]),
      deduplicator: new Deduplicator(16),
      namedStages: [],
      consumersOf: () => ({ reduction: null, readBy: [], windows: [], detectors: [] }),
      makeStages: () => ({
        gate: openGate,
        tables: new Tables([]),
        derivers: [],
        byName: {},
        alarmDesk: openDesk(),
        maintenance: new Maintenance([]),
        watermarkOf: () => undefined,
        windowsAt: () => [],
        outOfOrdernessOf: () => undefined,
      }),
      sources: (intakeOf) => {
        const readings = [{ topic: 'sensors/_/+', template: '_/device/metric' }];
        const options = { name: 'floor', listen: { host: '127.0.0.1', port: 0 }, readings };
        this.#broker = new MqttBroker(options, intakeOf('floor'), { clock: this.#clock, logger });
        return [this.#broker];
      },
      sinks: [],
      history: { aggregates: () => [], alarms: () => [] },
      configuration: '',
      failed: (error) => {
        throw error;
      },
    });
    await this.gateway.start(never);
  }

  async connect(id = 'plc', clean = false, willQos?: number): Promise<RawClient> {
    const will = willQos === undefined ? {} : { will: { topic: 'sensors/press-1/alive', payload: '0', qos: willQos } };
    const client = await RawClient.connect(this.#broker.port, { id, clean, ...will });
    this.#clients.push(client);
    return client;
  }

  clients(): number {
    return this.#broker.status().numbers['clients']!;
  }

  async checkpoint(): Promise<void> {
    const { at } = this.gateway.status().checkpoint;
    await this.#clock.advance(CHECKPOINT_EVERY_MS);
    await vi.waitUntil(() => this.gateway.status().checkpoint.at !== at);
    await settle();
  }

  /** The power goes; what was durable is found again. */
  async crash(): Promise<void> {
    // The old gateway is not told: its clock stands still for ever, and what it still writes is not seen.
    this.#clock = new ManualClock(this.#clock.now() + 1000);
    this.journal = this.journal.afterCrash();
    this.#outbox = this.#outbox.afterCrash();
    this.#deadLetters = this.#deadLetters.afterCrash();
    await this.#broker.stop(never);
    await this.boot();
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.journal.stuck = false;
    await this.gateway.stop(never);
  }
}
