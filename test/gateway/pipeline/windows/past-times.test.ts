import { expect, test } from 'vitest';
import { PastTimes } from '../../../../gateway/pipeline/windows/past-times.ts';
import { throughDisk } from '../make-reading.ts';

/** Time begins at 1000, and 500 pass before each of the steps. */
function after(...steps: readonly number[]): PastTimes {
  const past = new PastTimes();
  let now = 1_000;
  past.reach(now);
  for (const byMs of steps) {
    now += 500 + byMs;
    past.step(now, byMs);
    past.reach(now);
  }
  return past;
}

test('what was before the first moment has not been, what came since has', () => {
  const past = after();
  expect(past.meets(0, 1_000)).toBe(false);
  expect(past.meets(0, 1_001)).toBe(true);
  expect(past.meets(1_200, 1_300)).toBe(true);
});

test('what the clock was set across has not been', () => {
  const past = after(10_000);
  expect(past.meets(1_500, 11_500)).toBe(false);
  expect(past.meets(1_499, 2_000)).toBe(true);
  expect(past.meets(11_000, 11_501)).toBe(true);
});

test('once the clock is set back into it, what lies ahead will have been, and what lies behind still has not', () => {
  const past = after(10_000, -8_000);
  expect(past.meets(1_500, 4_000)).toBe(false);
  expect(past.meets(4_000, 5_000)).toBe(true);
});

test('several leaps are kept apart', () => {
  const past = after(10_000, 10_000);
  expect(past.meets(1_500, 11_500)).toBe(false);
  expect(past.meets(11_500, 12_000)).toBe(true);
  expect(past.meets(12_000, 22_000)).toBe(false);
});

test('it goes on after a snapshot', () => {
  const past = new PastTimes();
  past.restore(throughDisk(after(10_000).snapshot()));
  expect(past.meets(1_500, 11_500)).toBe(false);
  expect(past.meets(1_000, 1_500)).toBe(true);
});
