/** Numbers that a mean and a spread take in the block of memory of a series. */
export const MOVING_NUMBERS = 2;

// Places of the numbers, from where they begin.
const MEAN = 0;
const SPREAD = 1;

/** The young forget so many times as fast as a plain mean of all values would. */
const YOUTH = 4;

/**
 * The weight of the `count`-th value where the old remember about `memory` of them. The young forget faster: what a sensor says while it boots, as 0
 * or its largest number, weighs a millionth of it after 150 readings.
 */
export function shareOf(count: number, memory: number): number {
  return 1 / Math.min(Math.ceil(count / YOUTH), memory);
}

/**
 * What of an offset joins a mean and a spread, where `unit` scores 1: half of that at the most. What is not strange yet, but on its way there, would
 * widen what it is measured by.
 */
export function learntOf(offset: number, unit: number): number {
  return Math.max(-unit / 2, Math.min(unit / 2, offset));
}

/** The exponentially weighted mean. */
export function movingMean(numbers: Float64Array, at: number): number {
  return numbers[at + MEAN]!;
}

/** The exponentially weighted standard deviation. */
export function movingSpread(numbers: Float64Array, at: number): number {
  return numbers[at + SPREAD]!;
}

/**
 * Lets a value join an exponentially weighted mean and standard deviation, incrementally (West 1979; T. Finch, "Incremental calculation of
 * weighted mean and variance", 2009, section 9). The spread is kept as its root, so that no square of a huge number overflows.
 *
 * @param at where the numbers begin, all 0 at first
 * @param share weight of the value, above 0 to 1; with 1 it replaces the mean, and has no distance from anything
 */
export function learnMoving(numbers: Float64Array, at: number, value: number, share: number): void {
  const offset = value - numbers[at + MEAN]!;
  const spread = numbers[at + SPREAD]!;
  numbers[at + MEAN]! += share * offset;
  if (share === 1) return;
  const ratio = Math.abs(offset) / spread;
  numbers[at + SPREAD] = Number.isFinite(ratio * ratio)
    ? spread * Math.sqrt((1 - share) * (1 + share * ratio * ratio))
    : Math.abs(offset) * Math.sqrt(share * (1 - share));
}
