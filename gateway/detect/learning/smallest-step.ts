/** Numbers that the smallest step of a series takes in its block of memory. */
export const SMALLEST_STEP_NUMBERS = 2;

// Places of the numbers, from where they begin.
const LAST = 0;
const SMALLEST = 1;

/** What is within so many of the smallest steps that a series ever made is no anomaly: that may be a sensor's rounding. */
export const SMALLEST_STEPS = 3;
/** Steps below this share of the value are rounding of the arithmetic, not movement. */
export const ROUNDING = 1e-12;

/**
 * Takes the next value in, `isFirst` where there was none before; answers the step from the value before, at least 0. The smallest step that a
 * series ever made is how finely its sensor tells: what is within a few of them may be its rounding.
 */
export function learnStep(numbers: Float64Array, at: number, value: number, isFirst: boolean): number {
  const step = isFirst ? 0 : Math.abs(value - numbers[at + LAST]!);
  numbers[at + LAST] = value;
  const smallest = numbers[at + SMALLEST]!;
  if (step > Math.abs(value) * ROUNDING && (smallest === 0 || step < smallest)) numbers[at + SMALLEST] = step;
  return step;
}

/** The value that was taken in last. */
export function lastValue(numbers: Float64Array, at: number): number {
  return numbers[at + LAST]!;
}

/** The smallest step that the series ever made, 0 before the first. */
export function smallestStep(numbers: Float64Array, at: number): number {
  return numbers[at + SMALLEST]!;
}
