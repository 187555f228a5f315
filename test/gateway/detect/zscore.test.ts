import { expect, test } from 'vitest';
import { ZscoreDetector, zscoreSettings } from '../../../gateway/detect/zscore.ts';
import { seededRandom } from './seeded-random.ts';

const MINUTE = 60_000;

/** Scores of values that come every minute. */
function scores(values: readonly number[], detector = new ZscoreDetector(), from = 0): number[] {
  return values.map((value, i) => detector.judge(value, from + i * MINUTE).score);
}

/** Uniform noise of width 1, whose standard deviation is the root of a twelfth, around 50. */
function noise(count: number, seed = 7): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => 49.5 + random());
}

test('the score is the distance from the mean in standard deviations, over the threshold', () => {
  const detector = new ZscoreDetector();
  scores(noise(1000), detector);
  const sigmas = (51 - 50) / Math.sqrt(1 / 12);
  expect(detector.judge(51, 1000 * MINUTE).score).toBeCloseTo(sigmas / 6, 1);
  const verdict = detector.judge(53, 1001 * MINUTE);
  expect(verdict).toMatchObject({ anomaly: true, learning: false });
  expect(detector.expected()).toMatch(/^between 48\.[123]\S* and 51\.[789]\S*$/);
});

test('an anomaly does not join its own baseline: what lasts for less than the time scores the same to its end', () => {
  const values = noise(2000).map((value, i) => (i >= 1000 && i < 1055 ? value + 20 : value));
  const got = scores(values);
  const during = got.slice(1000, 1055);
  expect(Math.min(...during)).toBeGreaterThan(0.9 * Math.max(...during));
  expect(Math.max(...got.slice(1055))).toBeLessThan(1);
});

test('a new level is learnt after the stated time, through a time of learning', () => {
  const detector = new ZscoreDetector();
  const values = noise(3000).map((value, i) => (i >= 1000 ? value + 20 : value));
  const judged = values.map((value, i) => ({ ...detector.judge(value, i * MINUTE) }));
  expect(judged.flatMap(({ anomaly }, i) => (anomaly ? [i] : []))).toEqual(
    Array.from({ length: 60 }, (_, i) => 1000 + i),
  );
  expect(judged.flatMap(({ learning }, i) => (learning && i >= 1000 ? [i] : []))).toEqual(
    Array.from({ length: 200 }, (_, i) => 1060 + i),
  );
  // Where the old level was is strange now.
  expect(detector.judge(50, 3000 * MINUTE).anomaly).toBe(true);
});

test('a wild value among the first does not blind it', () => {
  for (const at of [0, 1, 2, 5, 20]) {
    const values = noise(1500);
    values[at] = 1e6;
    const detector = new ZscoreDetector();
    scores(values, detector);
    expect(detector.judge(60, 1500 * MINUTE).score).toBeGreaterThan(1);
  }
});

test('more noise is an anomaly at first, and then known', () => {
  const values = noise(6000).map((value, i) => (i >= 1000 ? 50 + (value - 50) * 20 : value));
  const at = scores(values).flatMap((score, i) => (score >= 1 ? [i] : []));
  expect(at.length).toBeGreaterThan(10);
  expect(at.at(-1)).toBeLessThan(1200);
});

test('a constant scores 0, its first step too little, and a switch or a coarse sensor never enough', () => {
  const constant = new Array<number>(3000).fill(21.5);
  constant[2000] = 21.6;
  constant[2500] = 25;
  const got = scores(constant);
  expect(Math.max(...got.slice(0, 2000))).toBe(0);
  expect(got[2000]).toBeCloseTo(1 / 3, 9);
  expect(got.flatMap((score, i) => (score >= 1 ? [i] : []))).toEqual([2500]);
  const random = seededRandom(3);
  expect(Math.max(...scores(Array.from({ length: 8000 }, () => (random() < 0.003 ? 1 : 0))))).toBeLessThan(1);
  expect(Math.max(...scores(Array.from({ length: 8000 }, (_, i) => (i % 2 === 0 ? 10 : 900))))).toBeLessThan(1);
  expect(Math.max(...scores(Array.from({ length: 8000 }, (_, i) => Math.round(200 + i / 300) / 10)))).toBeLessThan(1);
});

test('shifting, scaling or mirroring a series leaves its scores as they are', () => {
  const values = noise(1500).map((value, i) => (i % 300 === 299 ? value + 5 : value));
  const original = scores(values);
  for (const [factor, offset] of [
    [-1, 0],
    [1e6, 0],
    [-0.37, 1234],
  ] as const) {
    const moved = scores(values.map((value) => value * factor + offset));
    for (const [i, score] of moved.entries()) expect(score).toBeCloseTo(original[i]!, 6);
  }
});

test('a level that is fine by the word of a person is learnt at once, and there is nothing to learn of what is over', () => {
  const detector = new ZscoreDetector(zscoreSettings({ warmUp: 50 }));
  const values = noise(2000).map((value, i) => (i >= 1000 ? value + 500 : value));
  const anomalies = values.flatMap((value, i) => {
    if (i === 900) expect(detector.accept()).toBe(false);
    if (i === 1003) expect(detector.accept()).toBe(true);
    return detector.judge(value, i * 1000).anomaly ? [i] : [];
  });
  expect(anomalies).toEqual([1000, 1001, 1002]);
});

test('it is learning until its warm-up is over', () => {
  const detector = new ZscoreDetector(zscoreSettings({ warmUp: 50 }));
  const learning = noise(100).filter((value, i) => detector.judge(i === 30 ? 1e6 : value, i).learning);
  expect(learning.length).toBe(50);
});
