import { expect, test } from 'vitest';
import { SteadyClock } from '../../../gateway/base/steady-clock.ts';
import { makeGateway } from '../../../gateway/catalog/make-gateway.ts';
import { loadText } from '../../../gateway/commands/configuration-file.ts';
import type { Intake } from '../../../gateway/core/intake.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Sink } from '../../../gateway/core/sink.ts';
import type { Source } from '../../../gateway/core/source.ts';
import type { Gateway } from '../../../gateway/runtime/gateway.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { noTimeService } from '../../no-time-service.ts';
import { plentyOfMemory } from '../../plenty-of-memory.ts';
import { recordingLogger } from '../../recording-logger.ts';

const never = new AbortController().signal;
const forever = new Promise<never>(() => undefined);
const STOPS_WITHIN_MS = 5_000;
const READINGS = 20;
const MIB = 1024 * 1024;

const TEXT = `
storage: { path: /data, keepFree: 64 KiB, outbox: { whenFull: block } }
sources: [{ name: floor, type: mqtt, listen: "127.0.0.1:0", readings: [{ topic: "sensors/_/+" }] }]
detect: [{ series: "*", detector: range, max: 0, alarm: { severity: warning } }]
`;

/** A gateway on a disk in memory, with one source and one sink that a test can let hang. */
class Box {
  readonly clock = new ManualClock();
  readonly disk = new FaultyDisk(seededRandom(1));
  readonly logger = recordingLogger();
  readonly source: Source = {
    name: 'floor',
    type: 'test',
    start: async () => {},
    stop: async () => {},
    status: () => ({ state: 'running', detail: '', numbers: {} }),
  };
  readonly sink: Sink = {
    name: 'store',
    type: 'test',
    start: async () => {},
    stop: async () => {},
    write: async () => [],
  };
  gateway!: Gateway;
  intake!: Intake;

  async boot(signal = never): Promise<this> {
    const surroundings = { environment: {}, err: (text: string) => expect.fail(text) };
    const { configuration } = loadText(TEXT, '/gateway.yaml', surroundings as never);
    const { storage } = configuration;
    // Smaller than a file may ask for.
    const small = { journal: { maxBytes: MIB }, outbox: { ...storage.outbox, maxBytes: MIB } };
    this.gateway = makeGateway(
      { ...configuration, storage: { ...storage, ...small } },
      {
        clock: new SteadyClock(this.clock),
        timeService: noTimeService,
        boot: 'boot',
        random: () => 0.5,
        memory: plentyOfMemory,
        logger: this.logger,
        disk: this.disk.mount(),
        version: '0',
        configurationText: TEXT,
        failed: (error) => this.logger.error({ error }, 'failed'),
        sources: (intakeOf) => {
          this.intake = intakeOf('floor');
          return [this.source];
        },
        sinks: [{ sink: this.sink, options: { maxItems: 100, lingerMs: 0 } }],
        history: { aggregates: () => [], alarms: () => [] },
      },
    );
    await this.gateway.start(signal);
    return this;
  }

  /** Resolves when all of them are acknowledged. */
  async send(count: number): Promise<void> {
    const series = this.intake.series({ device: 'd', metric: 'm' });
    if (typeof series === 'string') throw new Error(series);
    for (let i = 0; i < count; i++) {
      this.intake.reading(series, 1, Quality.good, this.clock.now() + i, this.clock.now());
    }
    await new Promise<void>((resolve) => this.intake.acknowledge(resolve));
  }

  /** Asks for the end and lets the time pass that it may take; whether it had ended by then. */
  async stop(): Promise<boolean> {
    let ended = false;
    const stopped = this.gateway.stop(never).then(() => {
      ended = true;
    });
    await this.clock.advance(STOPS_WITHIN_MS);
    if (ended) await stopped;
    return ended;
  }

  /** What the next process finds after the power was cut. */
  async received(): Promise<number> {
    this.disk.delay = () => Promise.resolve();
    this.disk.capacity = Number.POSITIVE_INFINITY;
    this.disk.cutPower();
    this.source.stop = async () => {};
    this.sink.write = async () => [];
    this.sink.stop = async () => {};
    await this.boot();
    const { ledger } = this.gateway.status();
    await this.gateway.stop(never);
    return ledger.received;
  }

  warnings(): readonly string[] {
    return this.logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  }
}

test('a clean stop takes no time, and says nothing', async () => {
  const box = await new Box().boot();
  await box.send(READINGS);
  await box.gateway.stop(never);
  expect(box.gateway.hasHung).toBe(false);
  expect(box.warnings()).toEqual([]);
  expect(box.gateway.status()).toMatchObject({ state: 'stopped', ledger: { received: READINGS, inFlight: 0 } });
});

const HANGS: Readonly<Record<string, { hang: (box: Box) => void; step: string }>> = {
  'a source whose server is gone': {
    hang: ({ source }) => {
      source.stop = () => forever;
    },
    step: 'stop the sources',
  },
  'a sink in a request': {
    hang: ({ sink }) => {
      sink.write = () => forever;
    },
    step: 'stop the sinks',
  },
  'a sink that does not close': {
    hang: ({ sink }) => {
      sink.stop = () => forever;
    },
    step: 'stop the sinks',
  },
  'a disk that does not sync': {
    hang: ({ disk }) => {
      disk.delay = (call) => (call === 'datasync' ? forever : Promise.resolve());
    },
    step: 'carry everything to the disk',
  },
  'a disk that answers nothing': {
    hang: ({ disk }) => {
      disk.delay = () => forever;
    },
    step: 'carry everything to the disk',
  },
  'a full disk': {
    hang: ({ disk }) => {
      disk.capacity = 0;
    },
    step: 'carry everything to the disk',
  },
};

test.each(Object.entries(HANGS))('%s holds a stop no longer than five seconds', async (_, { hang, step }) => {
  const box = await new Box().boot();
  await box.send(READINGS);
  hang(box);
  // On its way when the end comes; nobody was told that it is kept.
  void box.send(READINGS);
  await settle();
  expect(await box.stop()).toBe(true);
  expect(box.gateway.hasHung).toBe(true);
  expect(box.gateway.status().state).toBe('stopped');
  expect(box.warnings()).toContainEqual(expect.stringContaining(`cannot ${step} in time`));
  expect(await box.received()).toBeGreaterThanOrEqual(READINGS);
});

test('where a source hangs, what it brought is on the disk all the same', async () => {
  const box = await new Box().boot();
  box.source.stop = () => forever;
  void box.send(READINGS);
  expect(await box.stop()).toBe(true);
  expect(await box.received()).toBe(READINGS);
});

test('what fails in one step does not keep the next from its work', async () => {
  const box = await new Box().boot();
  await box.send(READINGS);
  box.source.stop = () => Promise.reject(new Error('the socket is not there'));
  await box.gateway.stop(never);
  expect(box.gateway.hasHung).toBe(false);
  expect(box.warnings()).toEqual(['cannot stop the sources: the next start goes on from what is on the disk']);
  expect(await box.received()).toBe(READINGS);
});

test('everything together hangs, and still five seconds are enough', async () => {
  const box = await new Box().boot();
  await box.send(READINGS);
  for (const { hang } of Object.values(HANGS)) hang(box);
  void box.send(READINGS);
  await settle();
  expect(await box.stop()).toBe(true);
  expect(await box.received()).toBe(READINGS);
});

test('a start that is called off while it replays the journal ends with the reason', async () => {
  const box = await new Box().boot();
  for (let i = 0; i < 50; i++) await box.send(READINGS);
  box.disk.kill();
  const ending = new AbortController();
  box.disk.delay = async (call, path) => {
    if (call === 'read' && path.includes('journal')) ending.abort(new Error('enough'));
  };
  await expect(box.boot(ending.signal)).rejects.toThrow('enough');
  expect(box.gateway.status().ledger.received).toBe(0);
  await box.gateway.stop(never);
  expect(await box.received()).toBe(50 * READINGS);
});
