import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import type { Series } from '../../../gateway/core/reading.ts';
import { DeviceClocks } from '../../../gateway/runtime/device-clocks.ts';

const T0 = Date.UTC(2026, 5, 1);
const MINUTE_MS = 60_000;

function rig() {
  const registry = new SeriesRegistry();
  const clocks = new DeviceClocks();
  const series = (device: string, metric = 'a') => registry.intern({ device, metric }) as Series;
  const observe = (device: string, leadMs: number, at = 0, restamped = false) =>
    clocks.observe(series(device), T0 + at + leadMs, T0 + at, restamped);
  return {
    clocks,
    series,
    observe,
    skewMs: (device: string, metric?: string) => clocks.skewMs(series(device, metric)),
  };
}

test('a clock is as far ahead as the reading that was least on its way says, for all series of its device', () => {
  const { observe, skewMs } = rig();
  expect(skewMs('d')).toBeUndefined();
  for (const leadMs of [-4_000, 2_000, -60_000]) observe('d', leadMs);
  expect(skewMs('d', 'b')).toBe(2_000);
  observe('behind', -3_600_000);
  expect(skewMs('behind')).toBe(-3_600_000);
});

test('what a clock was more than ten minutes ago does not count', () => {
  const { observe, skewMs } = rig();
  observe('d', 600_000);
  observe('d', -10, 6 * MINUTE_MS);
  expect(skewMs('d')).toBe(600_000);
  observe('d', -20, 11 * MINUTE_MS);
  expect(skewMs('d')).toBe(-10);
});

test('after the clock of the gateway was set back it begins anew', () => {
  const { observe, skewMs } = rig();
  observe('d', 600_000, 60 * MINUTE_MS);
  observe('d', 3, 0);
  observe('d', 2, 6 * MINUTE_MS);
  expect(skewMs('d')).toBe(3);
});

test('people are told of the clocks that are furthest ahead, and of the readings that were not believed', () => {
  const { clocks, observe } = rig();
  observe('right', 5_000);
  for (let i = 1; i <= 25; i++) observe(`fast-${i}`, 5_000 + i, 0, i > 24);
  observe('fast-25', 0, 0, true);
  const { aheadCount, ahead, restampedTotal } = clocks.status();
  expect({ aheadCount, told: ahead.length, restampedTotal }).toEqual({ aheadCount: 25, told: 20, restampedTotal: 2 });
  expect(ahead[0]).toEqual({ device: 'fast-25', skewMs: 5_025, restampedTotal: 2 });
  expect(ahead.at(-1)).toMatchObject({ device: 'fast-6' });
});
