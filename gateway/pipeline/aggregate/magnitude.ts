/**
 * Beyond this magnitude sums, and above all squares, may leave the range of a double. An accumulator that meets such a value
 * goes on with everything multiplied by `DOWNSCALE`: exact, being a power of two, but for what is then negligible beside it.
 */
export const LARGE = 1e140;

/** 2^-600: brings the largest double to about 4e127, so that a sum of 10^50 squares is still finite. */
export const DOWNSCALE = 2 ** -600;

/** The number, or undefined where a double cannot hold it: such a field is left out of a result. */
export function representable(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
