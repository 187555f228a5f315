import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { Random } from '../../simulators/random.ts';
import { eventually } from './eventually.ts';
import { ExactlyOncePublisher } from './exactly-once-publisher.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';
import { uncounted } from './uncounted.ts';

const KILLS = 20;
const DEVICES = 4;
const SEED = Number(process.env['HEADGATE_SEED'] ?? systemClock.now());

let folder: string;
let gateway: GatewayProcess;
let port: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-exactly-once-'));
  port = await freePort();
  const api = await freePort();
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB, checkpointEvery: 300ms }
time: { idleTimeout: 2s }
sources:
  - { name: floor, type: mqtt, listen: "127.0.0.1:${port}", readings: [{ topic: sensors/_/+, template: _/device/metric }] }
windows:
  - { name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, sum] }
api: { listen: 127.0.0.1:${api} }
`;
  gateway = await GatewayProcess.start(folder, text, `http://127.0.0.1:${api}`);
});

afterEach(async () => {
  await gateway?.kill();
  await rm(folder, { recursive: true, force: true });
});

/** How many readings of a device went into windows, and their sum. */
async function totalOf(device: string): Promise<{ count: number; sum: number }> {
  const { aggregates } = await gateway.get<{ aggregates: { fields: { count: number; sum: number } }[] }>(
    `/api/v1/aggregates?series=${device}/seq&window=s&limit=10000`,
  );
  const total = { count: 0, sum: 0 };
  for (const { fields } of aggregates) {
    total.count += fields.count;
    total.sum += fields.sum;
  }
  return total;
}

test('QoS 2 messages without a time of their own count once each, however often the gateway is killed', {
  timeout: 120_000,
}, async () => {
  const random = new Random(SEED);
  process.stderr.write(`seed ${SEED}\n`);
  const devices = Array.from({ length: DEVICES }, (_, i) => new ExactlyOncePublisher(`exact-${i}`, port));
  for (let kill = 0; kill < KILLS; kill++) {
    const before = devices.map(({ completed }) => completed);
    await eventually('messages are exchanged', () => devices.every(({ completed }, i) => completed > before[i]! + 50));
    await systemClock.sleep(random.between(0, 200));
    await gateway.kill();
    await gateway.start();
  }
  await Promise.all(devices.map((device) => device.end()));
  const again = devices.map(({ again: { publish, pubrel } }) => `${publish} and ${pubrel}`);
  process.stderr.write(`sent again by each device, PUBLISH and PUBREL: ${again.join(', ')}\n`);
  for (const { again } of devices) expect(Math.min(again.publish, again.pubrel)).toBeGreaterThan(0);
  const total = devices.reduce((sum, { completed }) => sum + completed, 0);
  const status = await gateway.status();
  expect(status.ledger).toMatchObject({ received: total, late: 0, filtered: 0, duplicate: 0, rejected: 0, dropped: 0 });
  expect(uncounted(status)).toBe(0);
  for (const { name, completed: count } of devices) {
    // Each number from 0 on, once.
    const expected = { count, sum: (count * (count - 1)) / 2 };
    await eventually(
      'the last window is stored',
      async () => JSON.stringify(await totalOf(name)) === JSON.stringify(expected),
      10_000,
    ).catch(async () => expect(await totalOf(name)).toEqual(expected));
  }
});
