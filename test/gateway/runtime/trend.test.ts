import { expect, test } from 'vitest';
import { Trend } from '../../../gateway/runtime/trend.ts';

function trendOf(seconds: number, valueAt: (second: number) => number): Trend {
  const trend = new Trend();
  for (let second = 0; second <= seconds; second++) trend.note(second * 1_000, valueAt(second));
  return trend;
}

test('a quantity that grows by five a second is said to', () => {
  const trend = trendOf(100, (second) => 5 * second);
  expect(trend.perSecond(30_000)).toBeCloseTo(5);
  expect(trend.floorPerSecond()).toBeCloseTo(5);
});

test('what comes in bursts and goes again does not count as growth', () => {
  // Every minute a thousand, gone within ten seconds; the last one has just come.
  const trend = trendOf(240, (second) => Math.max(0, 1_000 - (second % 60) * 100));
  expect(trend.floorPerSecond()).toBeCloseTo(0);
});

test('what lies longer ago than four minutes is forgotten', () => {
  const trend = trendOf(1_000, (second) => (second < 700 ? second * 1_000 : 700_000 + second));
  expect(trend.floorPerSecond()).toBeCloseTo(1);
});

test('of several looks in one second the lowest counts', () => {
  const trend = trendOf(120, () => 0);
  for (let minute = 0; minute < 3; minute++) {
    const atMs = 121_000 + minute * 60_000;
    trend.note(atMs, 1_000 * minute);
    trend.note(atMs + 100, 0);
  }
  expect(trend.floorPerSecond()).toBe(0);
});

test('before the second look nothing can be said, and of growth nothing in the first minute', () => {
  expect(trendOf(59, (second) => second).floorPerSecond()).toBeUndefined();
  expect(new Trend().perSecond(1_000)).toBeUndefined();
  expect(trendOf(0, () => 5).perSecond(1_000)).toBeUndefined();
  expect(trendOf(0, () => 5).floorPerSecond()).toBeUndefined();
});
