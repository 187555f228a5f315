import { expect, test } from 'vitest';
import { type FaultSpec, Faults, type Sample } from '../../simulators/faults.ts';
import { devicesLike, Plant, PRESS_SHOP, PRESS_SHOP_FAULTS } from '../../simulators/plant.ts';

const AT = { device: 'press-1', metric: 'vibration', afterMs: 1_000, forMs: 1_000 };

/** What faults make of the values 1, 2, 3 … sent each 250 ms. */
function apply(spec: Partial<FaultSpec> & Pick<FaultSpec, 'kind'>, steps: number): (Sample | undefined)[] {
  const faults = new Faults([{ ...AT, ...spec }], 10);
  return Array.from({ length: steps }, (_, i) => faults.apply({ value: i + 1, timeMs: i * 250 }, i * 250));
}

test('a spike lifts the value by its size in spans while it lasts, and again at its interval', () => {
  const values = apply({ kind: 'spike', size: 2, everyMs: 2_000 }, 17).map((sample) => sample?.value);
  expect(values).toEqual([1, 2, 3, 4, 25, 26, 27, 28, 9, 10, 11, 12, 33, 34, 35, 36, 17]);
});

test('a drift grows from nothing to its size', () => {
  const lift = apply({ kind: 'drift', size: 1 }, 9).map((sample, i) => (sample?.value ?? 0) - i - 1);
  expect(lift).toEqual([0, 0, 0, 0, 0, 2.5, 5, 7.5, 0]);
});

test('a stuck sensor repeats the value from before', () => {
  expect(apply({ kind: 'stuck' }, 9).map((sample) => sample?.value)).toEqual([1, 2, 3, 4, 4, 4, 4, 4, 9]);
});

test('a drop-out sends nothing, a wrong clock lies about the time only', () => {
  expect(apply({ kind: 'drop-out' }, 9).filter((sample) => sample === undefined)).toHaveLength(4);
  const wrong = apply({ kind: 'wrong-clock', size: -60_000 }, 9)[4];
  expect(wrong).toEqual({ value: 5, timeMs: 1_000 - 60_000 });
});

test('a plant is the same for the same seed', () => {
  const run = (seed: number) => {
    const plant = new Plant(PRESS_SHOP, PRESS_SHOP_FAULTS, seed);
    return Array.from({ length: 30 }, (_, i) => [...plant.samples(i * 1000, i)]);
  };
  expect(run(5)).toEqual(run(5));
  expect(run(5)).not.toEqual(run(6));
});

test('the press shop shows hot oil five seconds after the start, far beyond its normal range, and each minute', () => {
  const plant = new Plant(PRESS_SHOP, PRESS_SHOP_FAULTS, 1);
  const hot: number[] = [];
  const normal: number[] = [];
  for (let s = 0; s < 120; s++) {
    for (const sample of plant.samples(s * 1000, 0)) {
      if (sample.metric === 'oil_temperature')
        (sample.value > 60 ? hot : normal).push(sample.value > 60 ? s : sample.value);
    }
  }
  expect(hot).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 65, 66, 67, 68, 69, 70, 71, 72]);
  expect(Math.max(...normal)).toBeLessThan(52);
  expect(Math.min(...normal)).toBeGreaterThan(40);
});

test('any number of devices is made in the manner of the shop, each with a name of its own', () => {
  const names = devicesLike(PRESS_SHOP, 7).map((device) => device.device);
  expect(names).toEqual(['press-1', 'pump-1', 'hall', 'press-2', 'pump-2', 'hall-2', 'press-3']);
});

test('a fault of a metric that is not there is refused', () => {
  expect(() => new Plant(PRESS_SHOP, [{ ...AT, metric: 'colour', kind: 'spike' }], 1)).toThrow('no such metric');
});
