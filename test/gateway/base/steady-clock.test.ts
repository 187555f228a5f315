import { expect, test } from 'vitest';
import { SteadyClock } from '../../../gateway/base/steady-clock.ts';
import { ManualClock } from '../../manual-clock.ts';

const NOW = Date.UTC(2026, 5, 1);

test('goes on evenly, whatever somebody does to the clock of the system', async () => {
  const system = new ManualClock(NOW, 5_000);
  const steady = new SteadyClock(system);
  system.jump(7_200_000);
  await system.advance(1_000);
  expect(steady.now()).toBe(NOW + 1_000);
  expect(steady.systemNow()).toBe(NOW + 7_201_000);
  expect(steady.monotonicMs()).toBe(6_000);
});

test('is set when it is told to, and goes on from there', async () => {
  const system = new ManualClock(NOW);
  const steady = new SteadyClock(system);
  steady.set(NOW - 1_000);
  await system.advance(250);
  expect(steady.now()).toBe(NOW - 750);
});

test('for those who tell ages by it another day it is 1970 while it is an estimate', async () => {
  const steady = new SteadyClock(new ManualClock(NOW, 40));
  expect(steady.certain.now()).toBe(NOW);
  steady.isEstimate = true;
  expect(steady.certain.now()).toBe(0);
  expect(steady.certain.monotonicMs()).toBe(40);
});

test('tells whole milliseconds, so that readings of one moment share one time', async () => {
  const system = new ManualClock(NOW, 0.7);
  const steady = new SteadyClock(system);
  await system.advance(0.2);
  expect(steady.now()).toBe(NOW);
});
