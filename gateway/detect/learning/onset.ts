/** Numbers that the onset of a series takes in its block of memory. */
export const ONSET_NUMBERS = 2;

const PEAK = 0;
const QUIET_LEFT = 1;

/** Whether an onset is not over yet: it is `quiet` readings after its highest score. */
export function isOnset(numbers: Float64Array, at: number): boolean {
  return numbers[at + QUIET_LEFT]! > 0;
}

/**
 * The score if it tops everything since the last onset, or 0; the onset is over `quiet` readings after its highest score.
 *
 * @param at where the numbers of the onset begin
 */
export function onsetScore(numbers: Float64Array, at: number, score: number, quiet: number): number {
  const left = numbers[at + QUIET_LEFT]!;
  if (score > 0 && (left <= 0 || score > numbers[at + PEAK]!)) {
    numbers[at + PEAK] = score;
    numbers[at + QUIET_LEFT] = quiet;
    return score;
  }
  if (left > 0) numbers[at + QUIET_LEFT] = left - 1;
  return 0;
}
