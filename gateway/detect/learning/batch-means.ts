/** Batches that a mean and a spread are learnt from. */
export const BATCHES = 40;
/** Numbers that batch means take in the block of memory of a series. */
export const BATCH_NUMBERS = BATCHES + 4;

// Places of the numbers, from where they begin; the means of the batches come after them.
const SIZE = 0;
const IN_BATCH = 1;
const MEAN = 2;
const FILLED = 3;
const MEANS = 4;

/** Readings of the smallest batch. */
const SMALLEST_BATCH = 8;
/** Batches whose means follow each other more closely than this are too short; the estimate of none has a deviation of 0.16. */
const MOST_CORRELATED = 0.2;

/** Takes the next value of a series in; answers whether it completes a batch, whose mean is `batchMean`. All numbers are 0 at first. */
export function addToBatch(numbers: Float64Array, at: number, value: number): boolean {
  if (numbers[at + SIZE] === 0) numbers[at + SIZE] = SMALLEST_BATCH;
  if (numbers[at + IN_BATCH]! >= numbers[at + SIZE]!) {
    numbers[at + IN_BATCH] = 0;
    numbers[at + MEAN] = 0;
  }
  const count = numbers[at + IN_BATCH]! + 1;
  numbers[at + IN_BATCH] = count;
  numbers[at + MEAN]! += (value - numbers[at + MEAN]!) / count;
  return count === numbers[at + SIZE]!;
}

/** The mean of the batch that is being filled, or was completed by the last value. */
export function batchMean(numbers: Float64Array, at: number): number {
  return numbers[at + MEAN]!;
}

/** Readings of a batch. */
export function batchSize(numbers: Float64Array, at: number): number {
  return numbers[at + SIZE]!;
}

/**
 * Keeps the mean of a batch that was completed; answers whether there are enough that hardly depend on each other, to learn from with `learnBatches`.
 * Where they do depend on each other, each two become one, and batches are twice as long from then on: so a batch becomes as long as the slowest thing
 * that is usual, be it a season or a wander (unweighted batch means: Runger and Willemain, "Batch-means control charts for autocorrelated
 * data", IIE Transactions 28, 1996).
 *
 * @param isLong whether the series was watched for long enough; where not, batches become longer, too
 */
export function keepBatch(numbers: Float64Array, at: number, isLong: boolean): boolean {
  numbers[at + MEANS + numbers[at + FILLED]!] = numbers[at + MEAN]!;
  numbers[at + FILLED]!++;
  if (numbers[at + FILLED]! < BATCHES) return false;
  if (isLong && !(correlation(numbers, at) > MOST_CORRELATED)) return true;
  for (let i = 0; i < BATCHES / 2; i++) {
    numbers[at + MEANS + i] = numbers[at + MEANS + 2 * i]! / 2 + numbers[at + MEANS + 2 * i + 1]! / 2;
  }
  numbers[at + FILLED] = BATCHES / 2;
  numbers[at + SIZE]! *= 2;
  return false;
}

/** Calls `learn` with each of the batch means that were kept, in turn, and forgets them; the size of a batch stays. */
export function learnBatches(numbers: Float64Array, at: number, learn: (mean: number, count: number) => void): void {
  for (let i = 0; i < numbers[at + FILLED]!; i++) learn(numbers[at + MEANS + i]!, i + 1);
  numbers[at + FILLED] = 0;
}

/** Of each mean with the next, −1 to 1; 0 where they are all the same. */
function correlation(numbers: Float64Array, at: number): number {
  const first = at + MEANS;
  let mean = 0;
  for (let i = 0; i < BATCHES; i++) mean += (numbers[first + i]! - mean) / (i + 1);
  // In units of the largest offset: the square of a huge number would overflow.
  let largest = 0;
  for (let i = 0; i < BATCHES; i++) largest = Math.max(largest, Math.abs(numbers[first + i]! - mean));
  if (largest === 0) return 0;
  let variance = 0;
  let covariance = 0;
  let before = 0;
  for (let i = 0; i < BATCHES; i++) {
    const offset = (numbers[first + i]! - mean) / largest;
    variance += offset * offset;
    covariance += before * offset;
    before = offset;
  }
  return covariance / variance;
}
