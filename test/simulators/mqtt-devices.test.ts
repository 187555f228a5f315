import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type SimulateDevicesOptions, simulateDevices } from '../../simulators/mqtt-devices.ts';
import { TestBroker } from './broker.ts';

let broker: TestBroker;
beforeEach(async () => {
  broker = new TestBroker();
  await broker.start();
});
afterEach(() => broker.kill());

async function simulateUntil(options: Partial<SimulateDevicesOptions>, enough: () => boolean) {
  const stop = new AbortController();
  const running = simulateDevices({ url: broker.url, periodMs: 10, ...options }, stop.signal);
  try {
    await vi.waitUntil(enough, { timeout: 10_000, interval: 10 });
  } finally {
    stop.abort();
  }
  return running;
}

test('devices publish value and time at QoS 1 to their own topics', async () => {
  const before = Date.now();
  const counts = await simulateUntil({}, () => broker.received.length >= 70);
  expect(new Set(broker.received.map((message) => message.topic))).toEqual(
    new Set([
      'sensors/press-1/oil_temperature',
      'sensors/press-1/oil_pressure',
      'sensors/press-1/vibration',
      'sensors/pump-1/flow',
      'sensors/pump-1/current',
      'sensors/hall/temperature',
      'sensors/hall/humidity',
    ]),
  );
  for (const { payload, qos } of broker.received) {
    const { value, ts } = JSON.parse(payload);
    expect(qos).toBe(1);
    expect(Number.isFinite(value)).toBe(true);
    expect(ts).toBeGreaterThanOrEqual(before);
  }
  expect(counts.acknowledged).toBeGreaterThan(0);
  expect(counts.acknowledged).toBeLessThanOrEqual(counts.published);
});

test('a scheduled fault shows on the wire', async () => {
  const faults = [{ device: 'hall', metric: 'humidity', kind: 'spike', afterMs: 100, forMs: 1e9, size: 10 }] as const;
  await simulateUntil({ faults }, () =>
    broker.received.some(({ topic, payload }) => topic.endsWith('humidity') && JSON.parse(payload).value > 90),
  );
});

test('devices come back after the broker did, and say what they skipped', async () => {
  let died: number | undefined;
  let back = false;
  const counts = await simulateUntil({ devices: 30 }, () => {
    if (died === undefined && broker.received.length > 100) {
      died = broker.received.length;
      void broker
        .kill()
        .then(() => broker.start())
        .then(() => {
          back = true;
        });
    }
    return back && died !== undefined && broker.received.length > died + 500;
  });
  expect(counts.skipped).toBeGreaterThan(0);
  expect(counts.published + counts.skipped).toBeGreaterThan(counts.acknowledged);
});
