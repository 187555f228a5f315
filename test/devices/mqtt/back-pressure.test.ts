import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MqttBroker } from '../../../devices/mqtt/broker.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { eventually } from '../../services/eventually.ts';
import { RecordingIntake } from '../recording-intake.ts';
import { connectFrame, publishFrame } from './raw-client.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const never = new AbortController().signal;
const MIB = 1024 * 1024;
const MAX_IN_FLIGHT = 8 * MIB;
/** What one read brings at the most. */
const READ = 64 * 1024;

let broker: MqttBroker;
let intake: RecordingIntake;
let publishers: Publisher[] = [];

beforeEach(async () => {
  intake = new RecordingIntake();
  const readings = [{ topic: 'sensors/_/+', template: '_/device/metric' }];
  const options = { name: 'floor', listen: { host: '127.0.0.1', port: 0 }, readings };
  broker = new MqttBroker(options, intake, { clock: systemClock, logger: recordingLogger() });
  await broker.start(never);
  // As when the disk is stuck.
  intake.hold = true;
});

afterEach(async () => {
  for (const publisher of publishers) publisher.close();
  publishers = [];
  await broker.stop(never);
});

/** A client that publishes frames one after the other as its socket takes them, and notes the ids that are acknowledged. */
class Publisher {
  readonly #socket: Socket;
  readonly acknowledged: number[] = [];
  sent = 0;
  isClosed = false;

  constructor(name: string, frames: readonly Buffer[]) {
    this.#socket = connect({ host: '127.0.0.1', port: broker.port, noDelay: true });
    this.#socket.write(connectFrame({ id: name }));
    this.#socket.on('close', () => {
      this.isClosed = true;
    });
    let received = Buffer.alloc(0);
    let begun = false;
    this.#socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      for (; received.length >= 4; received = received.subarray(4)) {
        if (received[0] === 0x40) this.acknowledged.push(received.readUInt16BE(2));
        else if (!begun && received[0] === 0x20) {
          begun = true;
          this.#send(frames).catch(() => this.close());
        } else throw new Error(`${name} was answered ${received.toString('hex')}`);
      }
    });
    publishers.push(this);
  }

  async #send(frames: readonly Buffer[]): Promise<void> {
    for (const frame of frames) {
      if (!this.#socket.write(frame)) await once(this.#socket, 'drain');
      this.sent += frame.length;
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Resolves when the broker reads no more, although there is more to read. */
async function standstill(): Promise<void> {
  let before = '';
  let still = 0;
  await eventually('the broker reads no more', () => {
    const now = `${intake.held.length} ${publishers.map(({ sent }) => sent).join(' ')}`;
    still = now === before && intake.held.length > 0 ? still + 1 : 0;
    before = now;
    return still === 10;
  });
}

function usedBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('while the disk is stuck, 50 clients that push 100 MB take little memory; then all of it comes, acknowledged in order', {
  timeout: 60_000,
}, async () => {
  const clients = 50;
  const messages = 40;
  const before = usedBytes();
  const pad = 'x'.repeat(50_000);
  const frames = Array.from({ length: messages }, (_, i) =>
    publishFrame({ topic: 'sensors/press-1/seq', payload: `{"value":${i},"pad":"${pad}"}`, id: i + 1 }),
  );
  for (let i = 0; i < clients; i++) new Publisher(`p${i}`, frames);
  await standstill();
  expect(intake.held.length * pad.length).toBeLessThan(MAX_IN_FLIGHT + READ);
  expect(usedBytes() - before).toBeLessThan(48 * MIB);
  intake.release();
  await eventually('everything is acknowledged', () => publishers.every((one) => one.acknowledged.length === messages));
  const inOrder = Array.from({ length: messages }, (_, i) => i + 1);
  for (const { acknowledged } of publishers) expect(acknowledged).toEqual(inOrder);
  expect(intake.readings).toHaveLength(clients * messages);
});

test('a large packet counts whole, not just its last read', async () => {
  const frame = publishFrame({ topic: 'sensors/press-1/seq', payload: `{"value":1,"pad":"${'x'.repeat(MIB - 100)}"}` });
  for (let i = 0; i < 20; i++) new Publisher(`p${i}`, [frame]);
  await standstill();
  expect(intake.held.length).toBeGreaterThan(0);
  expect(intake.held.length * MIB).toBeLessThanOrEqual(MAX_IN_FLIGHT + MIB);
  intake.release();
  await eventually('everything is acknowledged', () => publishers.every((one) => one.acknowledged.length === 1));
});

test('of the smallest messages so many are in flight as memory allows, not as many as bytes', async () => {
  const frame = publishFrame({ topic: 'sensors/p/s', payload: '1', id: 1 });
  const count = Math.ceil((4 * READ) / frame.length);
  const burst = Buffer.concat(Array.from({ length: count }, () => frame));
  for (let i = 0; i < 30; i++) new Publisher(`p${i}`, [burst]);
  await standstill();
  const bytes = intake.held.length * frame.length;
  expect(bytes).toBeLessThan(MAX_IN_FLIGHT / 4);
  expect(intake.held.length).toBeLessThan(32_768 + READ / frame.length);
  expect(broker.status().numbers['inFlightMessages']).toBe(intake.held.length);
  expect(broker.status().bounds).toContainEqual({
    name: 'not acknowledged',
    used: intake.held.length,
    max: 32_768,
    unit: 'messages',
  });
  intake.release();
  await eventually('everything is acknowledged', () => publishers.every((one) => one.acknowledged.length === count));
  await eventually('all counted out', () => broker.status().numbers['inFlightMessages'] === 0);
});

test('clients that stop in the middle of large packets hold up nobody', async () => {
  intake.release();
  const frame = publishFrame({
    topic: 'sensors/press-1/seq',
    payload: `{"value":1,"pad":"${'x'.repeat(2 * MIB - 100_000)}"}`,
  });
  for (let i = 0; i < 8; i++) new Publisher(`slow-${i}`, [frame.subarray(0, frame.length - 1)]);
  await eventually('most of them has come', () => publishers.every(({ sent }) => sent > 0));
  const small = publishFrame({ topic: 'sensors/press-1/seq', payload: '1', id: 7 });
  const quick = new Publisher(
    'quick',
    Array.from({ length: 100 }, () => small),
  );
  await eventually('the others are answered', () => quick.acknowledged.length === 100, 5_000);
  expect(intake.readings).toHaveLength(100);
});

test('where beginnings of packets take all room, those that have been at theirs for the longest are closed, and nobody else', async () => {
  intake.release();
  const large = (value: number) =>
    publishFrame({ topic: 'sensors/p/s', payload: `{"value":${value},"pad":"${'x'.repeat(MIB - 1_000)}"}`, id: 1 });
  const unfinished = large(0).subarray(0, -1);
  const held = () => broker.status().bounds?.find(({ name }) => name === 'packets coming in')?.used ?? 0;
  const slow: Publisher[] = [];
  for (let i = 0; i < 31; i++) {
    slow.push(new Publisher(`slow-${i}`, [unfinished]));
    await eventually(`${i} have begun`, () => held() > (slow.length - 1) * MIB + 128 * 1024);
  }
  const honest = Array.from({ length: 6 }, (_, i) => new Publisher(`honest-${i}`, Array(5).fill(large(i))));
  await eventually('honest clients are answered', () => honest.every(({ acknowledged }) => acknowledged.length === 5));
  expect(honest.some(({ isClosed }) => isClosed)).toBe(false);
  const closed = slow.map(({ isClosed }) => isClosed);
  expect(closed.slice(0, 1)).toEqual([true]);
  expect(closed.lastIndexOf(true)).toBe(closed.filter(Boolean).length - 1);
  expect(closed.at(-1)).toBe(false);
  expect(broker.status().numbers['unfinishedPacketsTotal']).toBe(closed.filter(Boolean).length);
  expect(held()).toBeLessThanOrEqual(32 * MIB);
});

test('a connection that has sent much, and the beginning of a packet, keeps no more in memory than that beginning', async () => {
  intake.release();
  const clients = 100;
  const heldBytes = () => {
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  await eventually('other tests have left nothing', () => heldBytes() < MIB);
  const frame = publishFrame({ topic: 'sensors/p/s', payload: `{"value":1,"pad":"${'x'.repeat(1_000)}"}`, id: 1 });
  const count = Math.floor(READ / frame.length) - 1;
  const burst = Buffer.concat([...Array.from({ length: count }, () => frame), frame.subarray(0, 200)]);
  for (let i = 0; i < clients; i++) {
    const one = new Publisher(`p${i}`, [burst]);
    await eventually('all is answered', () => one.acknowledged.length === count);
  }
  await eventually('it is given back', () => heldBytes() < 2 * MIB, 10_000);
});
