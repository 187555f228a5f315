import { expect, test } from 'vitest';
import { AgeClock, type ClockLeap } from '../../../gateway/buffer/age-clock.ts';
import type { Segment } from '../../../gateway/buffer/segment.ts';
import { ManualClock } from '../../manual-clock.ts';

const YEAR_MS = 365 * 86_400_000;
/** As far as its age depends on it. */
const segment = (endOffset: number, lastTime: number) => ({ endOffset, lastTime }) as Segment;

test('a leap of the clock makes nothing older or younger, and time that passes does', async () => {
  const clock = new ManualClock(1_700_000_000_000);
  const ages = new AgeClock(clock, []);
  const before = segment(10, clock.now());
  for (const leap of [YEAR_MS, -3 * YEAR_MS, 2 * 3_600_000]) {
    clock.jump(leap);
    expect(ages.look(10)).toBe(true);
    expect(ages.ageMs(before)).toBeCloseTo(0, 3);
  }
  const behind = segment(11, clock.now());
  await clock.advance(5000);
  expect(ages.look(11)).toBe(false);
  expect(ages.ageMs(before)).toBeCloseTo(5000, 3);
  expect(ages.ageMs(behind)).toBeCloseTo(5000, 3);
});

test('a clock that is kept right does not leap', () => {
  const clock = new ManualClock();
  const ages = new AgeClock(clock, []);
  const one = segment(1, clock.now());
  clock.jump(30_000);
  expect(ages.look(1)).toBe(false);
  expect(ages.ageMs(one)).toBe(30_000);
});

test('a pause of an hour or more does not count, a shorter one does', () => {
  const clock = new ManualClock();
  const one = segment(1, clock.now());
  for (const { pauseMs, ageMs } of [
    { pauseMs: 60_000, ageMs: 60_000 },
    { pauseMs: YEAR_MS, ageMs: 0 },
  ]) {
    const later = new ManualClock(clock.now() + pauseMs);
    const ages = new AgeClock(later, []);
    ages.resume(one.lastTime, 1);
    expect(ages.ageMs(one)).toBe(ageMs);
  }
  const ages = new AgeClock(clock, []);
  ages.resume(Number.NaN, 0);
  expect(ages.ageMs(segment(0, Number.NaN))).toBeNaN();
});

test('a pause counts once, however often the log is opened after it without a new record', async () => {
  const clock = new ManualClock();
  const leaps: ClockLeap[] = [];
  const one = segment(10, clock.now());
  for (let start = 0; start < 3; start++) {
    clock.jump(5 * 3_600_000);
    const ages = new AgeClock(clock, leaps);
    ages.resume(one.lastTime, one.endOffset);
    expect(ages.ageMs(one)).toBe(0);
    await clock.advance(1_800_000);
    expect(ages.ageMs(one)).toBe(1_800_000);
  }
  const again = new AgeClock(clock, leaps);
  again.resume(one.lastTime, one.endOffset);
  expect(again.ageMs(one)).toBe(1_800_000);
});

test('however often the clock leaps, a hundred leaps are remembered, and nothing seems older for it', () => {
  const clock = new ManualClock();
  const leaps: ClockLeap[] = [];
  const ages = new AgeClock(clock, leaps);
  const segments = Array.from({ length: 300 }, (_, offset) => {
    const made = segment(offset, clock.now());
    clock.jump(offset % 2 === 0 ? YEAR_MS : -3_600_000);
    ages.look(offset);
    return made;
  });
  expect(leaps).toHaveLength(100);
  for (const made of segments) expect(ages.ageMs(made)).toBeLessThanOrEqual(0.001);
});
