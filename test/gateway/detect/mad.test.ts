import { expect, test } from 'vitest';
import { MadDetector, madSettings } from '../../../gateway/detect/mad.ts';
import { seededRandom } from './seeded-random.ts';

/** Scores of values, in turn. */
function scores(values: readonly number[], detector = new MadDetector()): number[] {
  return values.map((value, i) => detector.judge(value, i * 60_000).score);
}

/** Uniform noise of width 1 around 50: its MAD is a quarter. */
function noise(count: number, seed = 7): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => 49.5 + random());
}

/** The places of anomalies. */
const anomalies = (got: readonly number[]) => got.flatMap((score, i) => (score >= 1 ? [i] : []));

test('the score is the distance from the rolling median in scaled MADs, over the threshold', () => {
  const detector = new MadDetector();
  scores(noise(2000), detector);
  const verdict = detector.judge(55, 2000 * 60_000);
  expect(verdict.score).toBeCloseTo(5 / (6 * 1.4826 * 0.25), 0);
  expect(verdict).toMatchObject({ anomaly: true, learning: false });
  expect(detector.expected()).toMatch(/^between 47\.\d+ and 52\.\d+$/);
});

test('anomalies do not hide each other, nor what follows: a fifth of a window of them scores as a single one', () => {
  const values = noise(2000);
  for (let i = 1000; i < 1020; i++) values[i] = 60;
  values[1500] = 60;
  const got = scores(values);
  expect(anomalies(got)).toEqual([...Array.from({ length: 20 }, (_, i) => 1000 + i), 1500]);
  expect(got[1019]).toBeGreaterThan(0.6 * got[1000]!);
});

test('a new level is learnt when half of the window has seen it', () => {
  const at = anomalies(scores(noise(2000).map((value, i) => (i >= 1000 ? value + 20 : value))));
  expect(at[0]).toBe(1000);
  expect(at.length).toBeGreaterThanOrEqual(50);
  expect(at.at(-1)).toBeLessThanOrEqual(1051);
});

test('a wild value among the first does not blind it', () => {
  for (const at of [0, 1, 2, 5, 20]) {
    const values = noise(1500);
    values[at] = 1e6;
    const detector = new MadDetector();
    scores(values, detector);
    expect(detector.judge(60, 1500 * 60_000).score).toBeGreaterThan(1);
  }
});

test('what a third of the readings are is not strange, though the MAD does not see it', () => {
  const values = noise(6000).map((value, i) => (i % 3 === 0 ? value + 15 : value));
  expect(anomalies(scores(values))).toEqual([]);
});

test('a constant scores 0, its first step too little, and a switch or a coarse sensor never enough', () => {
  const constant = new Array<number>(3000).fill(21.5);
  constant[2000] = 21.6;
  constant[2500] = 25;
  const got = scores(constant);
  expect(Math.max(...got.slice(0, 2000))).toBe(0);
  expect(got[2000]).toBeCloseTo(1 / 3, 9);
  expect(anomalies(got)).toEqual([2500]);
  const random = seededRandom(3);
  expect(Math.max(...scores(Array.from({ length: 8000 }, () => (random() < 0.003 ? 1 : 0))))).toBeLessThan(1);
  expect(Math.max(...scores(Array.from({ length: 8000 }, (_, i) => (i % 2 === 0 ? 10 : 900))))).toBeLessThan(1);
  expect(Math.max(...scores(Array.from({ length: 8000 }, (_, i) => Math.round(200 + i / 300) / 10)))).toBeLessThan(1);
});

test('shifting, scaling or mirroring a series leaves its scores as they are', () => {
  const values = noise(1500).map((value, i) => (i % 300 === 299 ? value + 5 : value));
  const original = scores(values);
  for (const [factor, offset] of [
    [1e6, 0],
    [0.37, 1234],
  ] as const) {
    const moved = scores(values.map((value) => value * factor + offset));
    for (const [i, score] of moved.entries()) expect(score).toBeCloseTo(original[i]!, 6);
  }
});

test('it is learning until its warm-up is over', () => {
  const detector = new MadDetector(madSettings({ warmUp: 50 }));
  const learning = noise(100).filter((value, i) => detector.judge(i === 30 ? 1e6 : value, i).learning);
  expect(learning.length).toBe(50);
});
