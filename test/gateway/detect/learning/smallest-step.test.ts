import { expect, test } from 'vitest';
import {
  lastValue,
  learnStep,
  SMALLEST_STEP_NUMBERS,
  smallestStep,
} from '../../../../gateway/detect/learning/smallest-step.ts';

test('the smallest step ever made is kept, and what the arithmetic rounds is none', () => {
  const numbers = new Float64Array(SMALLEST_STEP_NUMBERS);
  const steps = [1000, 1000, 1004, 1002, 1002 + 1e-10, 1010].map((value, i) => learnStep(numbers, 0, value, i === 0));
  expect(steps.slice(0, 4)).toEqual([0, 0, 4, 2]);
  expect(smallestStep(numbers, 0)).toBe(2);
  expect(lastValue(numbers, 0)).toBe(1010);
});

test('a first value is no step from 0', () => {
  const numbers = new Float64Array(SMALLEST_STEP_NUMBERS);
  expect(learnStep(numbers, 0, 3, true)).toBe(0);
  expect(smallestStep(numbers, 0)).toBe(0);
});
