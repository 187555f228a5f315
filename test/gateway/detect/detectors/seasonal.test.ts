import { describe, expect, test } from 'vitest';
import { SeasonalDetector, seasonalSettings } from '../../../../gateway/detect/detectors/seasonal.ts';
import { seededRandom } from '../seeded-random.ts';

const HOUR = 3_600_000;
const STEP = HOUR / 4;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** A Monday. */
const MONDAY = Date.UTC(2026, 0, 5);

/** Runs from six to twenty-two on working days, and stands still at other times; with noise. */
function machine(
  from: number,
  to: number,
  shiftMs: (time: number) => number = () => 0,
): [time: number, value: number][] {
  const random = seededRandom(7);
  const readings: [number, number][] = [];
  for (let time = from; time < to; time += STEP) {
    const local = time + shiftMs(time);
    const hour = (local % DAY) / HOUR;
    const isRunning = Math.floor((local - MONDAY) / DAY) % 7 < 5 && hour >= 6 && hour < 22;
    readings.push([time, (isRunning ? 80 : 20) + random()]);
  }
  return readings;
}

/** The times of anomalies, in days since the Monday. */
function anomalies(readings: readonly (readonly [number, number])[], detector = new SeasonalDetector()): number[] {
  return readings.flatMap(([time, value]) => (detector.judge(value, time).anomaly ? [(time - MONDAY) / DAY] : []));
}

test('a value that is usual, but not at this hour of this day, is an anomaly, with what is usual then', () => {
  const detector = new SeasonalDetector();
  expect(anomalies(machine(MONDAY, MONDAY + 8 * WEEK), detector)).toEqual([]);
  const tuesdayMorning = MONDAY + 8 * WEEK + DAY + 10 * HOUR;
  expect(detector.judge(20.5, tuesdayMorning)).toMatchObject({ anomaly: true, learning: false });
  expect(detector.expected()).toMatch(/^between 7\d\.\d+ and 8\d\.\d+ at this hour of the week$/);
  expect(detector.judge(20.5, tuesdayMorning + 4 * DAY).anomaly).toBe(false);
  expect(detector.judge(80.5, tuesdayMorning + 5 * DAY).anomaly).toBe(true);
});

test('each hour is learning until it was seen in so many weeks', () => {
  const detector = new SeasonalDetector();
  const learning = machine(MONDAY, MONDAY + 8 * WEEK).filter(([time, value]) => detector.judge(value, time).learning);
  expect(learning.at(-1)![0]).toBe(MONDAY + 3 * WEEK - STEP);
  expect(detector.judge(5, MONDAY + 8 * WEEK).learning).toBe(false);
});

test('a day off is strange while it lasts, and hardly changes what is usual', () => {
  const readings = machine(MONDAY, MONDAY + 12 * WEEK);
  const off = readings.map(([time, value]): [number, number] => {
    const day = Math.floor((time - MONDAY) / DAY);
    return [time, day === 7 * 7 + 2 ? 20 + (value % 1) : value];
  });
  const at = anomalies(off);
  expect(at.length).toBe(16 * 4);
  expect(new Set(at.map(Math.floor))).toEqual(new Set([7 * 7 + 2]));
});

test('a new level is learnt after a day of it, and the week keeps its shape', () => {
  const detector = new SeasonalDetector();
  const shifted = machine(MONDAY, MONDAY + 12 * WEEK).map(([time, value]): [number, number] => [
    time,
    time >= MONDAY + 8 * WEEK ? value + 500 : value,
  ]);
  const at = anomalies(shifted, detector);
  expect(at[0]).toBe(56);
  expect(at.at(-1)).toBeLessThan(57.1);
  expect(detector.judge(520.5, MONDAY + 12 * WEEK + 10 * HOUR).anomaly).toBe(true);
});

test('new hours of work are learnt in some weeks', () => {
  const later = machine(MONDAY, MONDAY + 30 * WEEK, (time) => (time >= MONDAY + 8 * WEEK ? -2 * HOUR : 0));
  const at = anomalies(later);
  expect(at.length).toBeGreaterThan(0);
  expect(at.at(-1)).toBeLessThan(7 * 8 + 7 * 12);
});

describe('hours are those of the time zone', () => {
  // Summer begins in the thirteenth week.
  const summer = Date.UTC(2026, 2, 29, 1);
  const inBerlin = machine(MONDAY, MONDAY + 20 * WEEK, (time) => (time >= summer ? 2 * HOUR : HOUR));

  test('so a shift that begins at six does so in summer, too', () => {
    const detector = new SeasonalDetector(seasonalSettings({ timeZone: 'Europe/Berlin' }));
    expect(anomalies(inBerlin, detector)).toEqual([]);
  });

  test('and in another one it is strange when clocks are changed', () => {
    expect(anomalies(inBerlin)[0]).toBeGreaterThan(80);
  });

  test('one that is not known is refused', () => {
    expect(() => seasonalSettings({ timeZone: 'Mars/Olympus' })).toThrow(
      'Cannot judge the hours of a week in the time zone "Mars/Olympus": it is not known',
    );
  });
});

test('gaps of days, constants and switches are no trouble', () => {
  const gappy = machine(MONDAY, MONDAY + 12 * WEEK).filter(([time]) => Math.floor(time / DAY) % 9 < 5);
  expect(anomalies(gappy)).toEqual([]);
  const constant = machine(MONDAY, MONDAY + 12 * WEEK).map(([time]): [number, number] => [time, 21.5]);
  expect(anomalies(constant)).toEqual([]);
  const random = seededRandom(5);
  const rare = machine(MONDAY, MONDAY + 12 * WEEK).map(([time]): [number, number] => [time, random() < 0.01 ? 1 : 0]);
  expect(anomalies(rare)).toEqual([]);
});

test('its state is below 2 kB', () => {
  const { state } = new SeasonalDetector().snapshot() as { state: Uint8Array };
  expect(state.length).toBeLessThan(2000);
});

test('a level that is fine by the word of a person is the new one at once', () => {
  const detector = new SeasonalDetector();
  anomalies(machine(MONDAY, MONDAY + 8 * WEEK), detector);
  expect(detector.accept()).toBe(false);
  const later = machine(MONDAY + 8 * WEEK, MONDAY + 9 * WEEK).map(([time, value]): [number, number] => [
    time,
    value + 500,
  ]);
  expect(anomalies(later.slice(0, 3), detector).length).toBe(3);
  expect(detector.accept()).toBe(true);
  expect(anomalies(later.slice(3), detector)).toEqual([]);
});
