import { expect, test } from 'vitest';
import { learnMoving, movingMean, movingSpread, shareOf } from '../../../../gateway/detect/learning/moving-spread.ts';
import { seededRandom } from '../seeded-random.ts';

/** Mean and standard deviation by their definition, all values kept, each with its weight. */
function weighted(values: readonly number[], memory: number): { mean: number; spread: number } {
  const weights: number[] = [];
  values.forEach((_, i) => {
    const share = 1 / Math.min(i + 1, memory);
    for (const [k, weight] of weights.entries()) weights[k] = weight * (1 - share);
    weights.push(share);
  });
  const mean = values.reduce((sum, value, i) => sum + weights[i]! * value, 0);
  const variance = values.reduce((sum, value, i) => sum + weights[i]! * (value - mean) ** 2, 0);
  return { mean, spread: Math.sqrt(variance) };
}

test('mean and spread are those of the weighted values, worked out from all of them', () => {
  for (const memory of [1000, 20]) {
    const random = seededRandom(5);
    const values = Array.from({ length: 300 }, (_, i) => 100 + 3 * random() + (i > 200 ? 40 : 0));
    const numbers = new Float64Array(4);
    for (const [i, value] of values.entries()) learnMoving(numbers, 1, value, 1 / Math.min(i + 1, memory));
    const { mean, spread } = weighted(values, memory);
    expect(movingMean(numbers, 1)).toBeCloseTo(mean, 9);
    expect(movingSpread(numbers, 1)).toBeCloseTo(spread, 9);
    expect([numbers[0], numbers[3]]).toEqual([0, 0]);
  }
});

test('huge, tiny and constant values give finite numbers', () => {
  const numbers = new Float64Array(2);
  [1e307, -1e307, 1e307, 5e-324, 0, 0].forEach((value, i) => {
    learnMoving(numbers, 0, value, 1 / (i + 1));
    expect(Number.isFinite(movingMean(numbers, 0))).toBe(true);
    expect(Number.isFinite(movingSpread(numbers, 0))).toBe(true);
  });
  numbers.fill(0);
  for (let i = 1; i < 50; i++) learnMoving(numbers, 0, 7, 1 / i);
  expect([...numbers]).toEqual([7, 0]);
  learnMoving(numbers, 0, 9, 0.5);
  expect([...numbers]).toEqual([8, 1]);
});

test('the first values are soon forgotten, and the old remember as many as they should', () => {
  expect([1, 4, 5, 8, 9, 4000, 4001, 1e9].map((count) => shareOf(count, 1000))).toEqual([
    1,
    1,
    0.5,
    0.5,
    1 / 3,
    0.001,
    0.001,
    0.001,
  ]);
  let weight = 1;
  for (let count = 5; count <= 150; count++) weight *= 1 - shareOf(count, 1000);
  expect(weight).toBeLessThan(1e-6);
});
