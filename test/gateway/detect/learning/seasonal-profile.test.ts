import { expect, test } from 'vitest';
import { PROFILE_NUMBERS, SeasonalProfile } from '../../../../gateway/detect/learning/seasonal-profile.ts';
import { seededRandom } from '../seeded-random.ts';

const BINS = 24;
const HOUR = 3_600_000;

/** A profile of the hours of a day, and one series. */
class Day {
  readonly profile = new SeasonalProfile(HOUR, BINS, { numbersAt: 0, floatsAt: 0, bytesAt: 0 });
  readonly #series = {
    numbers: new Float64Array(PROFILE_NUMBERS),
    floats: new Float32Array(2 * BINS),
    bytes: new Uint8Array(BINS),
  };

  compare(value: number, elapsedMs: number): number {
    return this.profile.compare(this.#series, value, elapsedMs);
  }
}

/** A day of low nights and high days, six values an hour. */
function daily(hour: number, random: () => number): number {
  return (hour % 24 >= 8 && hour % 24 < 18 ? 50 : 10) + random();
}

test('a bin is known in as many cycles as have left it', () => {
  const day = new Day();
  const known = Array.from({ length: 14 * 24 }, (_, hour) => day.compare(1, hour * HOUR));
  expect(known.slice(0, 24)).toEqual(new Array(24).fill(0));
  expect(known.slice(24, 48)).toEqual(new Array(24).fill(1));
  expect(known[4 * 24 + 5]).toBe(4);
  expect(known[13 * 24]).toBe(10);
});

test('what is usual at its time is near, and the value of another time far, in spreads', () => {
  const day = new Day();
  const random = seededRandom(4);
  for (let i = 0; i < 7 * 24 * 6; i++) {
    day.compare(daily(i / 6, random), (i / 6) * HOUR);
    if (i > 3 * 24 * 6) expect(Math.abs(day.profile.offset)).toBeLessThan(5 * day.profile.spread);
  }
  day.compare(10.5, (7 * 24 + 12) * HOUR);
  expect(day.profile.offset).toBeLessThan(-30 * day.profile.spread);
});

test('a value is compared with earlier cycles only: one wild reading does not hide the next', () => {
  const day = new Day();
  for (let hour = 0; hour < 96; hour++) day.compare(5, hour * HOUR);
  day.compare(100, 96 * HOUR);
  expect(day.profile.offset).toBe(95);
  day.compare(100, 96 * HOUR + 1);
  expect(day.profile.offset).toBe(95);
});

test('readings on the hour fall into one bin each, also when they come a little early or late', () => {
  const day = new Day();
  const random = seededRandom(6);
  const known = Array.from({ length: 14 * 24 }, (_, hour) =>
    day.compare(1, Math.max(0, hour * HOUR + (random() - 0.5) * 60_000)),
  );
  expect(known).toEqual(known.map((_, hour) => Math.min(10, Math.floor(hour / 24))));
});

test('bins that were never seen are not known, however late it is', () => {
  const day = new Day();
  expect(day.compare(3, 0)).toBe(0);
  expect(day.compare(3, 1000 * 24 * HOUR + 5 * HOUR)).toBe(0);
  expect(day.compare(3, 1001 * 24 * HOUR)).toBe(1);
});
