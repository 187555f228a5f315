import type { Verdict } from '../core/detector.ts';

/** The largest score a detector gives: keeps every score finite, whatever the sensor says. */
export const MAX_SCORE = 1e9;

/** A verdict that its detector writes again for each value, so that judging allocates nothing. */
export interface MutableVerdict extends Verdict {
  score: number;
  anomaly: boolean;
  learning: boolean;
}

/** A verdict to write into. The score starts as a fraction, so that the engine takes the field for a double from the start. */
export function newVerdict(): MutableVerdict {
  return { score: 0.5, anomaly: false, learning: true };
}

/** A score within 0 and `MAX_SCORE`; anything that is not a number above 0 becomes 0. */
export function boundedScore(score: number): number {
  return score > 0 ? Math.min(score, MAX_SCORE) : 0;
}
