import { expect, test } from 'vitest';
import {
  acceptStrange,
  GATED_NUMBERS,
  gatedCount,
  gatedMean,
  gatedSpread,
  learnGated,
} from '../../../../gateway/detect/learning/gated-baseline.ts';

const MINUTE = 60_000;
const settings = { memory: 100, relearnAfterMs: 30 * MINUTE };

/** A baseline at place 2 of its numbers, and what the next value, a minute later, does to it: beyond 10 it is an anomaly. */
function baseline() {
  const numbers = new Float64Array(GATED_NUMBERS + 3);
  let time = 0;
  const learn = (value: number) => {
    time += MINUTE;
    const anomaly = Math.abs(value) > 10;
    learnGated(numbers, 2, value, 10, { anomaly, score: 0, learning: false }, time, settings);
    return gatedCount(numbers, 2);
  };
  return { numbers, learn };
}

test('the first value is its own mean, and those that follow move mean and spread', () => {
  const { numbers, learn } = baseline();
  expect(gatedMean(numbers, 2, 3)).toBe(3);
  for (let i = 0; i < 200; i++) learn(i % 2 === 0 ? 2 : 4);
  expect(gatedMean(numbers, 2, 77)).toBeCloseTo(3, 1);
  expect(gatedSpread(numbers, 2)).toBeCloseTo(1, 1);
  expect([numbers[0], numbers[1], numbers.at(-1)]).toEqual([0, 0, 0]);
});

test('an anomaly does not join, and no value as more than half way to one', () => {
  const [strange, nearly, half] = [baseline(), baseline(), baseline()];
  for (const { learn } of [strange, nearly, half]) for (let i = 0; i < 50; i++) learn(0);
  expect(strange.learn(1e9)).toBe(50);
  expect(gatedMean(strange.numbers, 2, 0)).toBe(0);
  expect([nearly.learn(9.9), half.learn(5)]).toEqual([51, 51]);
  expect(gatedMean(nearly.numbers, 2, 0)).toBeGreaterThan(0);
  expect(nearly.numbers).toEqual(half.numbers);
});

test('what is strange for the time is learnt anew from there', () => {
  const { learn } = baseline();
  for (let i = 0; i < 50; i++) learn(0);
  const counts = Array.from({ length: 30 }, () => learn(50));
  expect(counts).toEqual([...Array(29).fill(50), 0]);
  expect(learn(1)).toBe(1);
});

test('a person makes what is strange just now the new normal, where anything is', () => {
  const { numbers, learn } = baseline();
  for (let i = 0; i < 50; i++) learn(0);
  expect([acceptStrange(numbers, 2), gatedCount(numbers, 2)]).toEqual([false, 50]);
  learn(50);
  expect([acceptStrange(numbers, 2), gatedCount(numbers, 2)]).toEqual([true, 0]);
  expect(gatedMean(numbers, 2, 50)).toBe(50);
  expect(acceptStrange(numbers, 2)).toBe(false);
});
