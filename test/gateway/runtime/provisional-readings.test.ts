import { deserialize, serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Reading } from '../../../gateway/core/reading.ts';
import { ProvisionalReadings, type ProvisionalSnapshot } from '../../../gateway/runtime/provisional-readings.ts';
import { Plant } from '../pipeline/make-reading.ts';

const plant = new Plant();
const TRUTH = Date.UTC(2026, 5, 1);

/** Received at an estimated time. */
function reading(value: number, time: number, quality: Quality = Quality.good): Reading {
  return { ...plant.reading('d/a', value, time, { quality }), provisional: true };
}

function shown(readings: Iterable<Reading>): unknown[] {
  return [...readings].map(({ value, sourceTime, receiveTime, quality, provisional }) => {
    expect(receiveTime).toBe(sourceTime);
    expect(provisional).toBe(false);
    return [value, sourceTime, quality];
  });
}

test('readings are given out in order, each as long ago as the monotonic clock says', () => {
  const held = new ProvisionalReadings();
  held.doubt({ boot: 'b', monotonicMs: 10_000, time: 5_000 }, 0);
  for (const value of [1, 2, 3]) expect(held.take(reading(value, 5_000 + value * 100))).toBeUndefined();
  expect(held.count).toBe(3);
  expect(shown(held.release({ boot: 'b', monotonicMs: 12_000, time: TRUTH }))).toEqual([
    [1, TRUTH - 1_900, Quality.good],
    [2, TRUTH - 1_800, Quality.good],
    [3, TRUTH - 1_700, Quality.good],
  ]);
  expect(held).toMatchObject({ count: 0, markedTotal: 0, isTimeKnown: true });
});

test('when there is no room the oldest is given out, marked', () => {
  const held = new ProvisionalReadings(2);
  held.doubt({ boot: 'b', monotonicMs: 0, time: 1_000 }, 0);
  const given = [1, 2, 3, 4, 5, 6, 7].map((value) => held.take(reading(value, 1_000 + value)));
  expect(shown(given.filter((one) => one !== undefined))).toEqual(
    [1, 2, 3, 4, 5].map((value) => [value, 1_000 + value, Quality.uncertain]),
  );
  expect(held).toMatchObject({ count: 2, markedTotal: 5 });
  expect(shown(held.release({ boot: 'b', monotonicMs: 10, time: TRUTH }))).toEqual([
    [6, TRUTH - 4, Quality.good],
    [7, TRUTH - 3, Quality.good],
  ]);
});

test('a bad reading that is marked stays bad', () => {
  const held = new ProvisionalReadings();
  held.doubt({ boot: 'b', monotonicMs: 0, time: 1_000 }, 0);
  held.take(reading(1, 1_001, Quality.bad));
  expect(shown(held.giveUp())).toEqual([[1, 1_001, Quality.bad]]);
});

test('after the time was given up readings are marked as they come, until it is known', () => {
  const held = new ProvisionalReadings();
  held.doubt({ boot: 'b', monotonicMs: 0, time: 1_000 }, 700);
  expect([...held.giveUp()]).toEqual([]);
  expect(held.take(reading(1, 1_001))).toMatchObject({ quality: Quality.uncertain, sourceTime: 1_001 });
  expect(held).toMatchObject({ isTimeKnown: false, knownTime: 700, markedTotal: 1 });
});

test('it survives a snapshot, stretches of several processes and boots included', () => {
  const before = new ProvisionalReadings();
  before.doubt({ boot: 'first', monotonicMs: 0, time: 1_000 }, 700);
  before.take(reading(1, 1_001));
  before.doubt({ boot: 'second', monotonicMs: 0, time: 2_000 }, 1_500);
  before.take(reading(2, 2_001));
  before.doubt({ boot: 'second', monotonicMs: 50, time: 3_000 }, 2_500);
  before.take(reading(3, 3_001));
  const held = new ProvisionalReadings();
  const snapshot = deserialize(serialize(before.snapshot())) as ProvisionalSnapshot;
  expect(held.restore(snapshot, (identity) => plant.registry.intern(identity))).toEqual([]);
  expect(held).toMatchObject({ count: 3, knownTime: 700 });
  expect(shown(held.release({ boot: 'second', monotonicMs: 100, time: TRUTH }))).toEqual([
    [1, 1_001, Quality.uncertain],
    [2, TRUTH - 99, Quality.good],
    [3, TRUTH - 49, Quality.good],
  ]);
});

test('readings whose series has no room any more are told, and gone', () => {
  const before = new ProvisionalReadings();
  before.doubt({ boot: 'b', monotonicMs: 0, time: 1_000 }, 0);
  before.take(reading(1, 1_001));
  const held = new ProvisionalReadings();
  expect(held.restore(before.snapshot(), () => 'no room')).toMatchObject([{ source: 'test', device: 'd' }]);
  expect(held.count).toBe(0);
});
