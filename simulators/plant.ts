import { FAULT_KINDS, type FaultSpec, Faults, type Sample } from './faults.ts';
import { Random } from './random.ts';
import { type DeviceSpec, Sensor } from './sensor.ts';

/** A small press shop: a hydraulic press, its cooling pump, and the hall they stand in. */
export const PRESS_SHOP: readonly DeviceSpec[] = [
  {
    device: 'press-1',
    metrics: [
      {
        metric: 'oil_temperature',
        unit: '°C',
        base: 46,
        swing: 2,
        seasonMs: 45_000,
        noise: 0.15,
        wander: 0.5,
        decimals: 2,
      },
      {
        metric: 'oil_pressure',
        unit: 'bar',
        base: 180,
        swing: 12,
        seasonMs: 8_000,
        noise: 1.5,
        wander: 1,
        decimals: 1,
      },
      { metric: 'vibration', unit: 'mm/s', base: 2.4, swing: 0.5, seasonMs: 8_000, noise: 0.12, min: 0 },
    ],
  },
  {
    device: 'pump-1',
    metrics: [
      {
        metric: 'flow',
        unit: 'l/min',
        base: 32,
        swing: 1.2,
        seasonMs: 20_000,
        noise: 0.3,
        wander: 0.4,
        decimals: 2,
        min: 0,
      },
      { metric: 'current', unit: 'A', base: 1.4, swing: 0.08, seasonMs: 20_000, noise: 0.02, min: 0 },
    ],
  },
  {
    device: 'hall',
    metrics: [
      {
        metric: 'temperature',
        unit: '°C',
        base: 21,
        swing: 1.5,
        seasonMs: 300_000,
        noise: 0.05,
        wander: 0.2,
        decimals: 2,
      },
      {
        metric: 'humidity',
        unit: '%',
        base: 45,
        swing: 5,
        seasonMs: 300_000,
        noise: 0.3,
        wander: 1,
        decimals: 1,
        min: 0,
      },
    ],
  },
];

/** What goes wrong in the press shop by itself: hot oil five seconds after the start and each minute, smaller troubles between. */
export const PRESS_SHOP_FAULTS: readonly FaultSpec[] = [
  {
    device: 'press-1',
    metric: 'oil_temperature',
    kind: 'spike',
    afterMs: 5_000,
    forMs: 8_000,
    everyMs: 60_000,
    size: 7,
  },
  { device: 'press-1', metric: 'vibration', kind: 'drift', afterMs: 95_000, forMs: 25_000, everyMs: 240_000, size: 4 },
  { device: 'pump-1', metric: 'flow', kind: 'stuck', afterMs: 150_000, forMs: 30_000, everyMs: 300_000 },
  { device: 'hall', metric: 'humidity', kind: 'drop-out', afterMs: 200_000, forMs: 20_000, everyMs: 300_000 },
];

/** `count` devices in the manner of the press shop: press-1, pump-1, hall, press-2, pump-2, hall-2 … */
export function devicesLike(shop: readonly DeviceSpec[], count: number): DeviceSpec[] {
  return Array.from({ length: count }, (_, i) => {
    const like = shop[i % shop.length]!;
    const number = Math.floor(i / shop.length) + 1;
    return number === 1 ? like : { ...like, device: `${like.device.replace(/-\d+$/, '')}-${number}` };
  });
}

/** One value of the plant. */
export interface PlantSample extends Sample {
  readonly device: string;
  readonly metric: string;
}

/** Sensors and their faults: a deterministic function of the seed and of the times it is asked for. */
export class Plant {
  readonly #parts: readonly { device: string; sensor: Sensor; faults: Faults }[];

  /** @throws RangeError when a fault names a metric that the plant does not have, or a kind that does not exist */
  constructor(devices: readonly DeviceSpec[], faults: readonly FaultSpec[], seed: number) {
    const random = new Random(seed);
    this.#parts = devices.flatMap(({ device, metrics }) =>
      metrics.map((spec) => {
        const own = faults.filter((fault) => fault.device === device && fault.metric === spec.metric);
        const sensor = new Sensor(spec, random.fork(`${device}/${spec.metric}`));
        return { device, sensor, faults: new Faults(own, sensor.span) };
      }),
    );
    for (const fault of faults) this.#check(fault);
  }

  /** What every sensor reports at `elapsedMs` since the start, being `timeMs` on the wall; call with ascending times. */
  *samples(elapsedMs: number, timeMs: number): Generator<PlantSample> {
    for (const { device, sensor, faults } of this.#parts) {
      const sample = { device, metric: sensor.spec.metric, value: sensor.value(elapsedMs), timeMs };
      if (faults.apply(sample, elapsedMs) === undefined) continue;
      sample.value = sensor.report(sample.value);
      yield sample;
    }
  }

  #check(fault: FaultSpec): void {
    if (!FAULT_KINDS.includes(fault.kind)) {
      throw new RangeError(
        `Cannot simulate the fault ${JSON.stringify(fault.kind)}: the kinds are ${FAULT_KINDS.join(', ')}`,
      );
    }
    if (!this.#parts.some((part) => part.device === fault.device && part.sensor.spec.metric === fault.metric)) {
      throw new RangeError(
        `Cannot simulate a ${fault.kind} of ${fault.device}/${fault.metric}: the plant has no such metric`,
      );
    }
  }
}
