import { expect, test } from 'vitest';
import type { Detector } from '../../../../gateway/core/detector.ts';
import { seededRandom } from '../seeded-random.ts';

const MINUTE = 60_000;

/** Scores of values that come every minute. */
export function scoresOf(detector: Detector, values: readonly number[]): number[] {
  return values.map((value, i) => detector.judge(value, i * MINUTE).score);
}

/** Uniform noise of width 1 around 50: its standard deviation is the root of a twelfth, its MAD a quarter. */
export function noise(count: number, seed = 7): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => 49.5 + random());
}

/** The places of anomalies among scores. */
export const anomaliesIn = (scores: readonly number[]) => scores.flatMap((score, i) => (score >= 1 ? [i] : []));

/**
 * What a detector promises that measures how far a value is off in what is usual for its series, or in the smallest steps that the series ever
 * made: as tests.
 *
 * @param make makes one with its defaults, but for the warm-up where that is given, in readings
 */
export function deviationContract(make: (warmUp?: number) => Detector): void {
  const scores = (values: readonly number[]) => scoresOf(make(), values);

  test('a wild value among the first does not blind it', () => {
    for (const at of [0, 1, 2, 5, 20]) {
      const values = noise(1500);
      values[at] = 1e6;
      const detector = make();
      scoresOf(detector, values);
      expect(detector.judge(60, 1500 * MINUTE).score).toBeGreaterThan(1);
    }
  });

  test('a constant scores 0, its first step too little, and a switch or a coarse sensor never enough', () => {
    const constant = new Array<number>(3000).fill(21.5);
    constant[2000] = 21.6;
    constant[2500] = 25;
    const got = scores(constant);
    expect(Math.max(...got.slice(0, 2000))).toBe(0);
    expect(got[2000]).toBeCloseTo(1 / 3, 9);
    expect(anomaliesIn(got)).toEqual([2500]);
    const random = seededRandom(3);
    const tellsSwitch = scores(Array.from({ length: 8000 }, () => (random() < 0.003 ? 1 : 0)));
    const tellsTurns = scores(Array.from({ length: 8000 }, (_, i) => (i % 2 === 0 ? 10 : 900)));
    const tellsRounded = scores(Array.from({ length: 8000 }, (_, i) => Math.round(200 + i / 300) / 10));
    for (const told of [tellsSwitch, tellsTurns, tellsRounded]) expect(Math.max(...told)).toBeLessThan(1);
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

  test('it is learning until its warm-up is over', () => {
    const detector = make(50);
    const learning = noise(100).filter((value, i) => detector.judge(i === 30 ? 1e6 : value, i).learning);
    expect(learning.length).toBe(50);
  });
}
