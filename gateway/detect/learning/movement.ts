import { lastValue, learnStep, ROUNDING, SMALLEST_STEP_NUMBERS, smallestStep } from './smallest-step.ts';

/**
 * How much a series moves: the spread of its last readings, over two spans, and the mean step between them. Each is told as the
 * logarithm of its ratio to what is usual, so that unit and offset make no difference. All of it is in the series' block of memory,
 * from `at` on.
 */

/** Numbers that the movement of a series takes in its block of memory. */
export const MOVEMENT_NUMBERS = 10;

/** The readings that the two spreads are taken over. */
export const SPREAD_WINDOWS = [25, 100] as const;
/** The readings that the mean step is taken over. */
export const STEP_WINDOW = 25;

/** Readings that what is usual is taken over. */
const MEMORY = 4000;
/** Keeps the logarithm of a movement that has ceased finite. */
const STILL = 0.1;
/** Movement below this share of the smallest step is not seen by a sensor that rounds: it counts as being there all the time. */
const UNSEEN = 0.3;

// Places of the numbers, from where the movement's begin.
const STEPS = 0;
const STEP = STEPS + SMALLEST_STEP_NUMBERS;
const USUAL_STEP = 3;
const MEAN = 4;
const SPREAD = 5;
const USUAL_SPREAD = 6;

/** Takes the next value of a series in, its `count`-th from 1. */
export function addMovement(numbers: Float64Array, at: number, value: number, count: number): void {
  if (count === 1) {
    learnStep(numbers, at + STEPS, value, true);
    for (let span = 0; span < SPREAD_WINDOWS.length; span++) numbers[at + MEAN + 3 * span] = value;
    return;
  }
  const step = learnStep(numbers, at + STEPS, value, false);
  numbers[at + STEP]! += (step - numbers[at + STEP]!) / Math.min(count - 1, STEP_WINDOW);
  numbers[at + USUAL_STEP]! += (numbers[at + STEP]! - numbers[at + USUAL_STEP]!) / Math.min(count, MEMORY);
  addSpread(numbers, at + MEAN, value, count, SPREAD_WINDOWS[0]);
  addSpread(numbers, at + MEAN + 3, value, count, SPREAD_WINDOWS[1]);
}

/** The smallest step that the series ever made, 0 before the first: what is below says nothing of a sensor that rounds. */
export function finestStep(numbers: Float64Array, at: number): number {
  return smallestStep(numbers, at + STEPS);
}

/** The logarithm of the mean step over the usual one; 0 where nothing has moved yet. */
export function logStep(numbers: Float64Array, at: number): number {
  return logRatio(numbers, at, at + STEP);
}

/** The mean step that is usual. */
export function usualStep(numbers: Float64Array, at: number): number {
  return numbers[at + USUAL_STEP]!;
}

/** The logarithm of the spread over the usual one; `span` is the place of the window in `SPREAD_WINDOWS`. */
export function logSpread(numbers: Float64Array, at: number, span: number): number {
  return logRatio(numbers, at, at + SPREAD + 3 * span);
}

/** The spread that is usual; `span` is the place of the window in `SPREAD_WINDOWS`. */
export function usualSpread(numbers: Float64Array, at: number, span: number): number {
  return numbers[at + USUAL_SPREAD + 3 * span]!;
}

/** A movement whose logarithm over the usual one is `logRatio`. */
export function movementOf(logRatio: number, usual: number): number {
  return Math.max(0, Math.exp(logRatio) * (1 + STILL) - STILL) * usual;
}

function addSpread(numbers: Float64Array, mean: number, value: number, count: number, window: number): void {
  const offset = value - numbers[mean]!;
  const share = 1 / Math.min(count, window);
  numbers[mean]! += offset * share;
  numbers[mean + 1]! += (Math.abs(offset) - numbers[mean + 1]!) * share;
  numbers[mean + 2]! += (numbers[mean + 1]! - numbers[mean + 2]!) / Math.min(count, MEMORY);
}

function logRatio(numbers: Float64Array, at: number, now: number): number {
  const usual = numbers[now + 1]!;
  if (!(usual > Math.abs(lastValue(numbers, at + STEPS)) * ROUNDING)) return 0;
  const unseen = UNSEEN * smallestStep(numbers, at + STEPS);
  return Math.log(((numbers[now]! + unseen) / (usual + unseen) + STILL) / (1 + STILL));
}
