import { expect, test } from 'vitest';
import { MOVEMENT_NUMBERS, Movement, movementOf } from '../../../gateway/detect/movement.ts';
import { seededRandom } from './seeded-random.ts';

/** A series that moves about a level, `widths` wide, one after the other for 500 values each. */
function moved(widths: readonly number[], factor = 1, offset = 0): Movement {
  const movement = new Movement(new Float64Array(MOVEMENT_NUMBERS), 0);
  const random = seededRandom(2);
  let count = 0;
  for (const width of widths) {
    for (let i = 0; i < 500; i++) movement.add((random() - 0.5) * width * factor + offset, ++count);
  }
  return movement;
}

test('a series that moves as usual is told by about 0, one that moves more or less by the logarithm', () => {
  const usual = moved([1, 1]);
  const livelier = moved([1, 1, 4]);
  const calmer = moved([1, 1, 0.1]);
  for (const of of [(m: Movement) => m.logSpread(0), (m: Movement) => m.logSpread(1), (m: Movement) => m.logStep()]) {
    expect(Math.abs(of(usual))).toBeLessThan(0.5);
    expect(of(livelier)).toBeGreaterThan(0.3);
    expect(of(calmer)).toBeLessThan(-1);
  }
});

test('unit and offset make no difference', () => {
  const one = moved([1, 3]);
  const other = moved([1, 3], -1024, 1e6);
  expect(other.logSpread(0)).toBeCloseTo(one.logSpread(0), 6);
  expect(other.logSpread(1)).toBeCloseTo(one.logSpread(1), 6);
  expect(other.logStep()).toBeCloseTo(one.logStep(), 6);
});

test('a constant, and rounding upon it, is no movement', () => {
  const movement = new Movement(new Float64Array(MOVEMENT_NUMBERS), 0);
  for (let i = 1; i <= 500; i++) movement.add(1e6 + (i % 2) * 2e-10, i);
  expect([movement.logSpread(0), movement.logSpread(1), movement.logStep()]).toEqual([0, 0, 0]);
  expect(movement.smallestStep).toBe(0);
});

test('the smallest step there was is kept: that of the rounding of a sensor', () => {
  const movement = new Movement(new Float64Array(MOVEMENT_NUMBERS), 0);
  [5, 5, 7, 6.5, 9, 9].forEach((value, i) => {
    movement.add(value, i + 1);
  });
  expect(movement.smallestStep).toBe(0.5);
});

test('a logarithm is turned back into the movement it was taken of', () => {
  const movement = moved([1, 2]);
  const back = movementOf(movement.logSpread(0), movement.usualSpread(0));
  expect(back).toBeGreaterThan(0.3);
  expect(back).toBeLessThan(0.7);
  expect(movementOf(-50, 3)).toBe(0);
});
