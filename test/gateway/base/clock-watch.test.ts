import { expect, test } from 'vitest';
import { ClockWatch } from '../../../gateway/base/clock-watch.ts';
import { ManualClock } from '../../manual-clock.ts';

const HOUR_MS = 3_600_000;

test('a clock that was set ahead or back is in doubt for an hour', async () => {
  for (const byMs of [10 * HOUR_MS, -10 * HOUR_MS, 61_000]) {
    const clock = new ManualClock();
    const watch = new ClockWatch(clock);
    expect(watch.isSettled()).toBe(true);
    clock.jump(byMs);
    expect(watch.isSettled()).toBe(false);
    await clock.advance(HOUR_MS - 1);
    expect(watch.isSettled()).toBe(false);
    await clock.advance(1);
    expect(watch.isSettled()).toBe(true);
  }
});

test('setting it right again begins the hour anew, time that passes and small corrections do not', async () => {
  const clock = new ManualClock();
  const watch = new ClockWatch(clock);
  clock.jump(59_000);
  await clock.advance(100 * HOUR_MS);
  expect(watch.isSettled()).toBe(true);
  clock.jump(HOUR_MS);
  expect(watch.isSettled()).toBe(false);
  await clock.advance(HOUR_MS / 2);
  clock.jump(-HOUR_MS);
  expect(watch.isSettled()).toBe(false);
  await clock.advance(HOUR_MS - 1);
  expect(watch.isSettled()).toBe(false);
});
