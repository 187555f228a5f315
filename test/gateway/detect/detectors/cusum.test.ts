import { expect, test } from 'vitest';
import { CusumDetector } from '../../../../gateway/detect/detectors/cusum.ts';
import { seededRandom } from '../seeded-random.ts';

const MINUTE = 60_000;
const DAY = 24 * 60;

/** Uniform noise of width 1 around 50, a reading a minute, for so many days, and what is added to it. */
function noise(days: number, added: (minute: number) => number = () => 0, seed = 7): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: days * DAY }, (_, i) => 49.5 + random() + added(i));
}

function anomalies(values: readonly number[], detector = new CusumDetector()): number[] {
  return values.flatMap((value, i) => (detector.judge(value, i * MINUTE).anomaly ? [i] : []));
}

test('a drift far below the noise is told, and in which direction from what', () => {
  const detector = new CusumDetector();
  // A tenth of the noise a day.
  const values = noise(20, (minute) => Math.max(0, minute - 10 * DAY) * (0.1 / DAY));
  const at: number[] = [];
  let told = '';
  for (const [i, value] of values.entries()) {
    if (!detector.judge(value, i * MINUTE).anomaly) continue;
    if (at.length === 0) told = `${detector.seen()} where ${detector.expected()}`;
    at.push(i);
  }
  expect(at[0]).toBeGreaterThan(10 * DAY);
  expect(at[0]).toBeLessThan(12 * DAY);
  expect(told).toMatch(/^drifts: 50\.[12]\d* on average over 64 readings where between 49\.9\d* and 50\.0\d*$/);
});

test('a shift by a fifth of the noise is told within a day, upwards as downwards', () => {
  for (const shift of [0.2, -0.2]) {
    const at = anomalies(noise(14, (minute) => (minute >= 10 * DAY ? shift : 0)));
    expect(at[0]).toBeGreaterThan(10 * DAY);
    expect(at[0]).toBeLessThan(11 * DAY);
  }
});

test('what swings with the day is no drift, and a drift under it is told all the same', () => {
  const day = (minute: number) => 5 * Math.sin((minute / DAY) * 2 * Math.PI);
  expect(anomalies(noise(90, day))).toEqual([]);
  const at = anomalies(noise(90, (minute) => day(minute) + Math.max(0, minute - 50 * DAY) * (0.5 / DAY)));
  expect(at[0]).toBeGreaterThan(50 * DAY);
  expect(at[0]).toBeLessThan(70 * DAY);
});

test('a wild reading is no drift', () => {
  const values = noise(10);
  for (const i of [5, 7 * DAY, 8 * DAY]) values[i] = 1e9;
  expect(anomalies(values)).toEqual([]);
});

test('a drift that is over is normal again, and one that stays is learnt after forty batches', () => {
  const over = anomalies(noise(30, (minute) => (minute >= 10 * DAY && minute < 11 * DAY ? 0.5 : 0)));
  expect(over.at(-1)).toBeLessThan(13 * DAY);
  const stays = anomalies(noise(30, (minute) => (minute >= 10 * DAY ? 0.5 : 0)));
  // Batches of 64 readings; at the end of the fortieth it begins to learn.
  expect(stays.at(-1)! - stays[0]!).toBe(39 * 64 - 1);
});

test('it is learning for a day at least, and calls nothing an anomaly', () => {
  const detector = new CusumDetector();
  const learning = noise(5).filter((value, i) => detector.judge(i < DAY ? value + i : value, i * MINUTE).learning);
  expect(learning.length).toBeGreaterThan(DAY);
  const soon = new CusumDetector({ learnForMs: 60_000 });
  const soonLearning = noise(5).filter((value, i) => soon.judge(value, i * MINUTE).learning);
  expect(soonLearning.length).toBeGreaterThanOrEqual(8 * 40 - 1);
  expect(soonLearning.length).toBeLessThan(DAY);
});

test('a constant scores 0, and a step of its resolution, a switch or an alternation is no drift', () => {
  const at = (value: (i: number) => number) => anomalies(Array.from({ length: 30 * DAY }, (_, i) => value(i)));
  expect(at(() => 21.5)).toEqual([]);
  expect(at((i) => (i < 20 * DAY ? 21.5 : 21.6))).toEqual([]);
  expect(at((i) => (i % 2 === 0 ? 10 : 900))).toEqual([]);
  const random = seededRandom(3);
  expect(at(() => (random() < 0.003 ? 1 : 0))).toEqual([]);
});

test('a drift that is fine by the word of a person is learnt anew at once', () => {
  const detector = new CusumDetector();
  const at: number[] = [];
  for (const [i, value] of noise(20, (minute) => (minute >= 10 * DAY ? 2 : 0)).entries()) {
    if (!detector.judge(value, i * MINUTE).anomaly) continue;
    at.push(i);
    if (at.length === 1) expect(detector.accept()).toBe(true);
  }
  expect(at.length).toBe(1);
  expect(detector.accept()).toBe(false);
});
