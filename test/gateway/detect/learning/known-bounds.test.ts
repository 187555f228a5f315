import { expect, test } from 'vitest';
import {
  BOUNDS_NUMBERS,
  highestBefore,
  learnBounds,
  lowestBefore,
  seenBy,
} from '../../../../gateway/detect/learning/known-bounds.ts';
import { seededRandom } from '../seeded-random.ts';

/** What bounds say of each value, learning one after the other. */
function novelties(values: readonly number[], follow: 0 | 1 = 0, numbers = new Float64Array(BOUNDS_NUMBERS)): number[] {
  return values.map((value) => learnBounds(numbers, 0, value, 0, follow));
}

/** Noise between -1 and 1. */
function noise(length: number): number[] {
  const random = seededRandom(5);
  return Array.from({ length }, () => 2 * random() - 1);
}

test('a value within what was seen is no news, and one beyond it the more the further it is', () => {
  const numbers = new Float64Array(BOUNDS_NUMBERS);
  novelties(noise(3000), 0, numbers);
  const of = (value: number) => learnBounds(numbers.slice(), 0, value, 0, 0);
  expect(of(0.5)).toBe(0);
  expect(of(1.5)).toBeGreaterThan(0.3);
  expect(of(3)).toBeGreaterThan(3 * of(1.5));
  expect(of(-3)).toBeCloseTo(of(3), 1);
});

test('a bound that is broken again and again says less each time, and less than one broken for the first time', () => {
  const values = noise(3000);
  for (let step = 0; step < 5; step++) values[2000 + 100 * step] = 2 + step;
  const news = [0, 1, 2, 3, 4].map((step) => novelties(values)[2000 + 100 * step]!);
  for (let step = 1; step < 5; step++) expect(news[step]).toBeLessThan(news[step - 1]!);
});

test('a record is forgotten slowly: what is below it later becomes news again', () => {
  const values = noise(8000);
  values[100] = 3;
  values[200] = 2.9;
  values[7000] = 2.9;
  const news = novelties(values);
  expect(news[200]).toBe(0);
  expect(news[7000]).toBeGreaterThan(0.3);
});

test('one wild value moves the bound by a few units only, and hardly counts in the unit', () => {
  const values = noise(6000);
  values[1000] = 1e9;
  values[2000] = 30;
  const news = novelties(values);
  expect(news[1000]).toBeGreaterThan(1e6);
  expect(news[2000]).toBeGreaterThan(3);
});

test('a feature whose centre is followed is judged the same wherever it lies', () => {
  const values = noise(3000);
  values[2500] = 2;
  const there = novelties(values, 1);
  const elsewhere = novelties(
    values.map((value) => value + 1024),
    1,
  );
  for (const [i, news] of there.entries()) expect(elsewhere[i]).toBeCloseTo(news, 6);
  expect(novelties([1024, 1024.5, 1024])[0]).toBeGreaterThan(0);
  expect(novelties([1024, 1024, 1024], 1)).toEqual([0, 0, 0]);
});

test('a step below the smallest that makes sense is worth less than one', () => {
  const constant = new Float64Array(BOUNDS_NUMBERS);
  novelties(new Array<number>(500).fill(0), 0, constant);
  expect(learnBounds(constant.slice(), 0, 0.1, 0, 0)).toBeGreaterThan(100);
  expect(learnBounds(constant.slice(), 0, 0.1, 0.1, 0)).toBe(1);
});

test('the bounds before the last value are told, as is how many there were', () => {
  const numbers = new Float64Array(BOUNDS_NUMBERS);
  novelties([0, 3, -2, 1], 0, numbers);
  learnBounds(numbers, 0, 50, 0, 0);
  expect(highestBefore(numbers, 0)).toBeCloseTo(3, 2);
  expect(lowestBefore(numbers, 0)).toBeCloseTo(-2, 2);
  expect(seenBy(numbers, 0)).toBe(5);
});
