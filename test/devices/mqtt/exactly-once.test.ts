import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MqttBroker } from '../../../devices/mqtt/broker.ts';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { SteadyClock } from '../../../gateway/base/steady-clock.ts';
import { systemDisk } from '../../../gateway/base/system-disk.ts';
import { Deduplicator } from '../../../gateway/pipeline/deduplicate.ts';
import { Normaliser } from '../../../gateway/pipeline/normalise.ts';
import { CheckpointStore } from '../../../gateway/runtime/checkpoint.ts';
import { Gateway } from '../../../gateway/runtime/gateway.ts';
import { RecentReadings } from '../../../gateway/runtime/recent-readings.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { noTimeService } from '../../no-time-service.ts';
import { plentyOfMemory } from '../../plenty-of-memory.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { publishFrame, pubrelFrame, RawClient, subscribeFrame } from './raw-client.ts';

const never = new AbortController().signal;
const CHECKPOINT_EVERY_MS = 10_000;
const PUBREC = '50020007';
const PUBCOMP = '70020007';

let box: Box;
beforeEach(async () => {
  box = new Box(await mkdtemp(join(tmpdir(), 'headgate-exactly-once-')));
  await box.boot();
});
afterEach(() => box.end());

/** A message without a time of its own: nothing but QoS 2 tells whether it has come before. */
function publish(dup = false, payload = '1'): Buffer {
  return publishFrame({ topic: 'sensors/press-1/temperature', payload, id: 7, qos: 2, dup });
}

async function answer(client: RawClient): Promise<string | undefined> {
  return (await client.frame())?.toString('hex');
}

/** Publishes under the same id once more, which must count. */
async function countsAsNew(client: RawClient): Promise<void> {
  const { received } = box.gateway.status().ledger;
  client.send(publish());
  expect(await answer(client)).toBe(PUBREC);
  expect(box.gateway.status().ledger.received).toBe(received + 1);
}

describe('a QoS 2 message is admitted once', () => {
  test('when the gateway dies before the message is durable', async () => {
    const client = await box.connect();
    box.journal.stuck = true;
    client.send(publish());
    await vi.waitUntil(() => box.gateway.status().ledger.received === 1);
    await settle();
    await box.crash();
    const again = await box.connect();
    again.send(publish(true));
    expect(await answer(again)).toBe(PUBREC);
    expect(box.gateway.status().ledger.received).toBe(1);
  });

  test.each([false, true])(
    'when the gateway dies before PUBREC has arrived (checkpoint before: %s)',
    async (checkpoint) => {
      const client = await box.connect();
      client.send(publish());
      expect(await answer(client)).toBe(PUBREC);
      if (checkpoint) await box.checkpoint();
      await box.crash();
      const again = await box.connect();
      // With the DUP flag, as the standard asks, and without, as some clients do.
      for (const dup of [true, false]) {
        again.send(publish(dup));
        expect(await answer(again)).toBe(PUBREC);
      }
      expect(box.gateway.status().ledger.received).toBe(1);
      again.send(pubrelFrame(7));
      expect(await answer(again)).toBe(PUBCOMP);
      await countsAsNew(again);
    },
  );

  test('when the gateway dies between PUBREC and PUBREL', async () => {
    const client = await box.connect();
    client.send(publish());
    expect(await answer(client)).toBe(PUBREC);
    await box.crash();
    const again = await box.connect();
    again.send(pubrelFrame(7));
    expect(await answer(again)).toBe(PUBCOMP);
    expect(box.gateway.status().ledger.received).toBe(1);
    await countsAsNew(again);
  });

  test('when the gateway dies between PUBREL and PUBCOMP, which waits until the end of the exchange is durable', async () => {
    const client = await box.connect();
    client.send(publish());
    expect(await answer(client)).toBe(PUBREC);
    box.journal.stuck = true;
    client.send(pubrelFrame(7));
    // Sent again it must not be answered either.
    client.send(pubrelFrame(7));
    expect(await client.answersPingFirst()).toBe(true);
    await box.crash();
    const again = await box.connect();
    again.send(pubrelFrame(7));
    expect(await answer(again)).toBe(PUBCOMP);
    expect(box.gateway.status().ledger.received).toBe(1);
    await countsAsNew(again);
  });

  test('and once PUBCOMP has left, the id is that of another message after a crash too', async () => {
    const client = await box.connect();
    client.send(publish());
    expect(await answer(client)).toBe(PUBREC);
    await box.checkpoint();
    client.send(pubrelFrame(7));
    expect(await answer(client)).toBe(PUBCOMP);
    await box.crash();
    await countsAsNew(await box.connect());
  });

  test('though it was refused: the crash does not take its dead letter', async () => {
    const client = await box.connect();
    client.send(publish(false, '{'));
    expect(await answer(client)).toBe(PUBREC);
    await box.crash();
    const again = await box.connect();
    again.send(publish(true, '{'));
    expect(await answer(again)).toBe(PUBREC);
    expect(box.gateway.status().ledger).toMatchObject({ received: 1, rejected: 1 });
  });

  test('through a take-over by another connection', async () => {
    const client = await box.connect();
    client.send(publish());
    expect(await answer(client)).toBe(PUBREC);
    const other = await box.connect();
    await client.waitClosed();
    other.send(publish(true));
    expect(await answer(other)).toBe(PUBREC);
    expect(box.gateway.status().ledger.received).toBe(1);
  });
});

describe('another message', () => {
  test('under an id whose PUBREL never came is admitted: a device that forgot its session loses nothing', async () => {
    const client = await box.connect();
    client.send(publish());
    expect(await answer(client)).toBe(PUBREC);
    await box.crash();
    const again = await box.connect();
    again.send(publish(false, '2'));
    expect(await answer(again)).toBe(PUBREC);
    expect(box.gateway.status().ledger.received).toBe(2);
    again.send(publish(true, '2'));
    expect(await answer(again)).toBe(PUBREC);
    expect(box.gateway.status().ledger.received).toBe(2);
  });

  test('of another client is admitted under the same id', async () => {
    for (const id of ['one', 'two']) await countsAsNew(await box.connect(id));
  });

  test('after a clean session was asked for is admitted, after a crash too', async () => {
    const client = await box.connect();
    client.send(publish());
    expect(await answer(client)).toBe(PUBREC);
    client.close();
    const clean = await box.connect('plc', true);
    await countsAsNew(clean);
    await box.crash();
    await countsAsNew(await box.connect());
  });

  test('of a clean session is not remembered beyond it', async () => {
    for (let round = 0; round < 2; round++) {
      const client = await box.connect('plc', true);
      await countsAsNew(client);
      client.send(publish(true));
      expect(await answer(client)).toBe(PUBREC);
      expect(box.gateway.status().ledger.received).toBe(round + 1);
      client.close();
      await vi.waitUntil(() => box.clients() === 0);
    }
  });

  test('that is a will is admitted, though it has no id', async () => {
    const client = await box.connect('plc', false, 2);
    client.close();
    await vi.waitUntil(() => box.gateway.status().ledger.received === 1);
  });
});

test('a message whose topic is illegal is not taken for one that was admitted', async () => {
  const illegal = publishFrame({ topic: 'sensors/press-1/\u0001', payload: '1', id: 7, qos: 2 });
  const client = await box.connect();
  client.send(illegal);
  await client.waitClosed();
  await box.crash();
  const again = await box.connect();
  again.send(illegal);
  expect(await answer(again)).toBe(undefined);
});

test('subscribers get a message once, though it is sent again', async () => {
  const subscriber = await box.connect('display', true);
  subscriber.send(subscribeFrame('sensors/#', 0));
  expect((await subscriber.frame())?.[0]).toBe(0x90);
  const client = await box.connect();
  for (const dup of [false, true]) {
    client.send(publish(dup));
    expect(await answer(client)).toBe(PUBREC);
  }
  client.send(pubrelFrame(7));
  expect(await answer(client)).toBe(PUBCOMP);
  // The last one is another message although the one before was not released.
  for (const payload of ['2', '3']) {
    client.send(publish(false, payload));
    expect(await answer(client)).toBe(PUBREC);
  }
  const heard = [await subscriber.frame(), await subscriber.frame(), await subscriber.frame()];
  expect(heard.map((frame) => frame?.toString().slice(-1))).toEqual(['1', '2', '3']);
});

/** A gateway with the embedded broker, on disks in memory that survive its crashes. */
class Box {
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
      checkpoints: new CheckpointStore(systemDisk, this.#folder, logger),
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      registry: new SeriesRegistry(),
      recent: new RecentReadings(),
      normaliser: new Normaliser([]),
      deduplicator: new Deduplicator(16),
      makeStages: () => ({
        byName: {},
        alarmDesk: { acknowledge: () => false, activeCount: 0 },
        watermarkOf: () => undefined,
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
    await rm(this.#folder, { recursive: true, force: true });
  }
}
