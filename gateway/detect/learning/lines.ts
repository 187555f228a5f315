/** Values that come from memory together: a line of a cache. */
const VALUES_A_LINE = 8;

/**
 * Reads one value of each line of a block, so that all of it comes from memory at once: a search in it would wait for one line after the other.
 *
 * @returns their sum; see `Stage.warm`
 */
export function sumOfLines(block: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < block.length; i += VALUES_A_LINE) sum += block[i]!;
  return sum;
}
