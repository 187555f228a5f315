import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Series, Value } from '../../../gateway/core/reading.ts';
import { RecentReadings } from '../../../gateway/runtime/recent-readings.ts';

const series = new SeriesRegistry().intern({ device: 'press-1', metric: 'temperature' }) as Series;

function recentWith(values: readonly Value[]): RecentReadings {
  const recent = new RecentReadings();
  for (const [i, value] of values.entries()) recent.add(reading(value, i));
  return recent;
}

function reading(value: Value, time: number) {
  return { series, source: 's', value, quality: Quality.good, sourceTime: time, receiveTime: time };
}

test('the newest readings are held, oldest first, and no more than 1024 of one series', () => {
  const recent = recentWith(Array.from({ length: 5_000 }, (_, i) => i));
  const rows = recent.query(series, { series: series.key, limit: 10_000 });
  expect(rows.length).toBe(1_024);
  expect(rows.map(({ value }) => value)).toEqual(Array.from({ length: 1_024 }, (_, i) => 5_000 - 1_024 + i));
  expect(recent.receivedTotal(series)).toBe(5_000);
});

test('a query by time takes its first moment, not its last, and gives the newest that fit', () => {
  const recent = recentWith([0, 1, 2, 3, 4, 5]);
  const rows = recent.query(series, { series: series.key, from: 1, to: 4, limit: 2 });
  expect(rows.map(({ value }) => value)).toEqual([2, 3]);
  const all = recent.query(series, { series: series.key, from: 1, to: 4, limit: 9 });
  expect(all.map(({ value }) => value)).toEqual([1, 2, 3]);
});

test('booleans and texts come back as what they were', () => {
  const recent = recentWith([1, true, false, 'stopped']);
  expect(recent.query(series, { series: series.key, limit: 9 }).map(({ value }) => value)).toEqual([
    1,
    true,
    false,
    'stopped',
  ]);
});

test('only the reading that is called one is marked as an anomaly, also behind others and where it is no longer held', () => {
  const recent = recentWith([1, 2]);
  recent.add(reading(3, 3));
  recent.markAnomaly(reading(2, 1));
  recent.markAnomaly(reading(7, 7));
  expect(recent.query(series, { series: series.key, limit: 9 }).map(({ anomaly }) => anomaly)).toEqual([
    false,
    true,
    false,
  ]);
});

test('changes are gathered only while somebody watches, and each is given once', () => {
  const recent = recentWith([1]);
  recent.live = true;
  recent.add(reading(2, 2));
  recent.add(reading(3, 3));
  expect(recent.takeChanges(1).map(({ value }) => value)).toEqual([3]);
  expect(recent.takeChanges(1)).toEqual([]);
  recent.live = false;
  recent.add(reading(4, 4));
  expect(recent.takeChanges(1)).toEqual([]);
});

test('a rate is right from its first measurement on, steady after it, and nought once the series is silent', () => {
  const recent = recentWith([1, 2]);
  recent.measureRates(2_000);
  expect(recent.rate(series)).toBe(1);
  recent.add(reading(3, 3));
  for (let i = 0; i < 7; i++) recent.add(reading(i, 4 + i));
  recent.measureRates(2_000);
  expect(recent.rate(series)).toBeCloseTo(2.5, 9);
  for (let i = 0; i < 60; i++) recent.measureRates(2_000);
  expect(recent.rate(series)).toBe(0);
});

test('given up, each series keeps its last reading only, and its counts; afterwards room grows again', () => {
  const recent = recentWith(Array.from({ length: 100 }, (_, i) => i));
  const held = () => recent.query(series, { series: series.key, limit: 9_999 }).map(({ value }) => value);
  expect(recent.held).toBe(128);
  recent.isGivenUp = true;
  expect(recent.held).toBe(1);
  expect(held()).toEqual([99]);
  for (let i = 100; i < 200; i++) recent.add(reading(i, i));
  expect(held()).toEqual([199]);
  expect(recent.receivedTotal(series)).toBe(200);
  recent.markAnomaly(reading(199, 199));
  expect(recent.last(series)).toMatchObject({ value: 199, anomaly: true });
  recent.isGivenUp = false;
  for (let i = 200; i < 230; i++) recent.add(reading(i, i));
  expect(held()).toEqual([199, ...Array.from({ length: 30 }, (_, i) => 200 + i)]);
});

test('with however many series, no more is held than the bound says', () => {
  const registry = new SeriesRegistry(200_000);
  const recent = new RecentReadings();
  for (let i = 0; i < 200_000; i++) {
    const one = registry.intern({ device: 'd', metric: `m${i}` }) as Series;
    for (let k = 0; k < 2; k++) recent.add({ ...reading(i, k), series: one });
  }
  expect(recent.held).toBeGreaterThan(1_000_000);
  expect(recent.held).toBeLessThanOrEqual(recent.maxHeld(registry.max));
  expect(recent.last(registry.all().at(-1)!)).toMatchObject({ value: 199_999 });
});
