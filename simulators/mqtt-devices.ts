import mqtt, { type MqttClient } from 'mqtt';
import type { FaultSpec } from './faults.ts';
import { devicesLike, Plant, PRESS_SHOP, PRESS_SHOP_FAULTS } from './plant.ts';
import { Random } from './random.ts';
import type { DeviceSpec } from './sensor.ts';
import { monotonicMs, pause, wallMs } from './time.ts';

/** What `simulateDevices` may be told. */
export interface SimulateDevicesOptions {
  /** Of the broker, for example `mqtt://127.0.0.1:1883`. */
  readonly url: string;
  /** The plant itself, or how many devices of the press shop's kinds there shall be. @default the press shop */
  readonly devices?: readonly DeviceSpec[] | number;
  /** Time between two values of a metric, in milliseconds, from 1. @default 1000 */
  readonly periodMs?: number;
  /** The same seed and period give the same values. @default 1 */
  readonly seed?: number;
  /** @default the press shop's own troubles where its devices are simulated, none otherwise */
  readonly faults?: readonly FaultSpec[];
  readonly username?: string;
  readonly password?: string;
  /** Hears of each connection made and lost, in words for a person. */
  readonly onEvent?: (message: string) => void;
}

/** What became of the values. */
export interface SimulatedCounts {
  published: number;
  acknowledged: number;
  /** Not sent, because the broker was away or had too many unacknowledged: these sensors have no memory. */
  skipped: number;
}

const MAX_UNACKNOWLEDGED = 10_000;

/**
 * Simulates devices that publish `{"value": …, "ts": …}` (milliseconds) to `sensors/<device>/<metric>` at QoS 1, until the signal
 * aborts. Connects again by itself; values that fall due while the broker is away are skipped and counted.
 */
export async function simulateDevices(options: SimulateDevicesOptions, signal: AbortSignal): Promise<SimulatedCounts> {
  const { periodMs = 1000, seed = 1 } = options;
  if (!(periodMs >= 1)) throw new RangeError(`Cannot simulate with a period of ${periodMs} ms: it must be at least 1`);
  const devices = plantOf(options.devices);
  const plant = new Plant(devices, options.faults ?? faultsFor(devices), seed);
  const counts: SimulatedCounts = { published: 0, acknowledged: 0, skipped: 0 };
  const client = connect(options, new Random(seed));
  try {
    const startMs = monotonicMs();
    for (let step = 0; !signal.aborted; step++) {
      // after a suspension the steps that were slept through are left out, not made up for in a burst
      step = Math.max(step, Math.floor((monotonicMs() - startMs) / periodMs));
      const elapsedMs = step * periodMs;
      await pause(startMs + elapsedMs - monotonicMs(), signal);
      if (signal.aborted) break;
      for (const sample of plant.samples(elapsedMs, wallMs())) {
        const payload = JSON.stringify({ value: sample.value, ts: sample.timeMs });
        publish(client, `sensors/${sample.device}/${sample.metric}`, payload, counts);
      }
    }
  } finally {
    await client.endAsync(true);
  }
  return counts;
}

function plantOf(devices: readonly DeviceSpec[] | number | undefined): readonly DeviceSpec[] {
  if (devices === undefined) return PRESS_SHOP;
  return typeof devices === 'number' ? devicesLike(PRESS_SHOP, devices) : devices;
}

function faultsFor(devices: readonly DeviceSpec[]): readonly FaultSpec[] {
  return PRESS_SHOP_FAULTS.filter((fault) =>
    devices.some((device) => device.device === fault.device && PRESS_SHOP.includes(device)),
  );
}

function connect(options: SimulateDevicesOptions, random: Random): MqttClient {
  const { url, username, password, onEvent = () => undefined } = options;
  const client = mqtt.connect(url, {
    reconnectPeriod: random.between(500, 1500),
    connectTimeout: 5_000,
    queueQoSZero: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  });
  client.on('connect', () => onEvent(`connected to ${url}`));
  client.on('close', () => onEvent(`no connection to ${url}; trying again`));
  client.on('error', (error) => onEvent(`${url}: ${error.message}`));
  return client;
}

function publish(client: MqttClient, topic: string, payload: string, counts: SimulatedCounts): void {
  if (!client.connected || counts.published - counts.acknowledged >= MAX_UNACKNOWLEDGED) {
    counts.skipped++;
    return;
  }
  counts.published++;
  client.publish(topic, payload, { qos: 1 }, (error) => {
    if (error === undefined || error === null) counts.acknowledged++;
  });
}
