import { expect, test } from 'vitest';
import {
  addMovement,
  finestStep,
  logSpread,
  logStep,
  MOVEMENT_NUMBERS,
  movementOf,
  usualSpread,
} from '../../../../gateway/detect/learning/movement.ts';
import { seededRandom } from '../seeded-random.ts';

/** The movement of values that come one after the other. */
function movementIn(values: readonly number[]): Float64Array {
  const numbers = new Float64Array(MOVEMENT_NUMBERS);
  values.forEach((value, i) => {
    addMovement(numbers, 0, value, i + 1);
  });
  return numbers;
}

/** A series that moves about a level, `widths` wide, one after the other for 500 values each. */
function moved(widths: readonly number[], factor = 1, offset = 0): Float64Array {
  const random = seededRandom(2);
  const values = widths.flatMap((width) => Array.from({ length: 500 }, () => (random() - 0.5) * width));
  return movementIn(values.map((value) => value * factor + offset));
}

/** Every movement that is told of a series. */
function told(numbers: Float64Array): number[] {
  return [logSpread(numbers, 0, 0), logSpread(numbers, 0, 1), logStep(numbers, 0)];
}

test('a series that moves as usual is told by about 0, one that moves more or less by the logarithm', () => {
  for (const log of told(moved([1, 1]))) expect(Math.abs(log)).toBeLessThan(0.5);
  for (const log of told(moved([1, 1, 4]))) expect(log).toBeGreaterThan(0.3);
  for (const log of told(moved([1, 1, 0.1]))) expect(log).toBeLessThan(-1);
});

test('unit and offset make no difference', () => {
  const other = told(moved([1, 3], -1024, 1e6));
  for (const [i, log] of told(moved([1, 3])).entries()) expect(other[i]).toBeCloseTo(log, 6);
});

test('a constant, and rounding upon it, is no movement', () => {
  const rounding = movementIn(Array.from({ length: 500 }, (_, i) => 1e6 + (i % 2) * 2e-10));
  expect(told(rounding)).toEqual([0, 0, 0]);
  expect(finestStep(rounding, 0)).toBe(0);
});

test('the smallest step there was is kept: that of the rounding of a sensor', () => {
  expect(finestStep(movementIn([5, 5, 7, 6.5, 9, 9]), 0)).toBe(0.5);
});

test('the first step of a constant is hardly more movement than there may have been unseen', () => {
  const values = new Array<number>(500).fill(3);
  for (const log of told(movementIn([...values, 3.1]))) expect(Math.abs(log)).toBeLessThan(0.2);
});

test('a logarithm is turned back into the movement it was taken of', () => {
  const numbers = moved([1, 2]);
  const back = movementOf(logSpread(numbers, 0, 0), usualSpread(numbers, 0, 0));
  expect(back).toBeGreaterThan(0.3);
  expect(back).toBeLessThan(0.7);
  expect(movementOf(-50, 3)).toBe(0);
});
