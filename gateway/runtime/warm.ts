import type { Reading } from '../core/reading.ts';
import type { Stage } from '../core/stage.ts';

/** So many readings are warmed at once: more would push each other out of the nearest cache again. */
export const WARMED_AT_ONCE = 8;

/** Written to, so that what is read for it is not left out. */
const read = new Float64Array(1);

/**
 * Has what some stages know of the series of the next readings fetched from memory. Where thousands of series take turns no cache holds them all, and a
 * reading waits for one thing after the other: for the window, for its numbers, for what a detector remembers. Asked for together with those of
 * the readings after it, they come together. It changes nothing but the time it takes.
 */
export function warm(stages: readonly Stage[], readings: readonly Reading[], from: number): void {
  const to = Math.min(from + WARMED_AT_ONCE, readings.length);
  let sum = 0;
  for (let i = from; i < to; i++) {
    const { series } = readings[i]!;
    for (let j = 0; j < stages.length; j++) sum += stages[j]!.warm?.(series) ?? 0;
  }
  read[0] = sum;
}
