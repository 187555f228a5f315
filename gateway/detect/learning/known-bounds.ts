/** Numbers that the bounds of one feature take in a block of memory: a line of a cache. */
export const BOUNDS_NUMBERS = 8;

// Places of the numbers, from where the bounds begin.
const SEEN = 0;
const CENTRE = 1;
const LOWEST = 2;
const HIGHEST = 3;
const DEVIATION = 4;
const FALLS = 5;
const RISES = 6;
const MOVED = 7;

/** Readings the mean deviation is taken over, and after which a broken bound is half forgiven. */
const MEMORY = 4000;
/** The bounds close by this many mean deviations each reading, so that a record is forgotten. */
const FORGET = 0.0003;
/** No value moves a bound, or counts in the mean deviation, by more units than this: one wild reading must not blind for ever. */
const WILD = 4;
/** After this many readings they close ever more slowly: what happens now and then is no news to the old. */
const SETTLE_AFTER = 8000;

/**
 * Judges how new a value of a feature is, and learns it. The lowest and the highest value ever seen bound what is known; the answer is how
 * far the new one lies beyond them, at least 0, in units of the mean deviation *plus what this bound was moved lately*: a bound that is
 * broken again and again says little. The bounds close slowly towards the centre.
 *
 * @param at where the numbers of this feature begin
 * @param smallest unit that makes sense, above 0 or 0: steps below it are rounding
 * @param follow 0 where the centre of the feature is 0, 1 where it is the mean of its values
 */
export function learnBounds(numbers: Float64Array, at: number, value: number, smallest: number, follow: 0 | 1): number {
  const seen = numbers[at + SEEN]! + 1;
  if (seen === 1) begin(numbers, at, follow === 1 ? value : 0);
  numbers[at + SEEN] = seen;
  const share = 1 / Math.min(seen, MEMORY);
  const centre = numbers[at + CENTRE]!;
  const lowest = numbers[at + LOWEST]!;
  const highest = numbers[at + HIGHEST]!;
  const offset = value - centre;
  // The mean includes this value: so a first movement after a constant is worth at most `MEMORY`, not infinity.
  const before = numbers[at + DEVIATION]!;
  const most = before > 0 ? WILD * Math.max(before, smallest) : Number.POSITIVE_INFINITY;
  const deviation = before + (Math.min(Math.abs(offset), most) - before) * share;
  numbers[at + DEVIATION] = deviation;

  let novelty = 0;
  let moved = 0;
  const keep = seen > SETTLE_AFTER ? 1 - SETTLE_AFTER / MEMORY / seen : 1 - 1 / MEMORY;
  let falls = numbers[at + FALLS]! * keep;
  let rises = numbers[at + RISES]! * keep;
  if (value > highest) {
    const unit = Math.max(deviation + rises, smallest);
    novelty = unit > 0 ? (value - highest) / unit : 0;
    moved = Math.min(value - highest, WILD * unit);
    rises += moved;
  } else if (value < lowest) {
    const unit = Math.max(deviation + falls, smallest);
    novelty = unit > 0 ? (lowest - value) / unit : 0;
    moved = -Math.min(lowest - value, WILD * unit);
    falls -= moved;
  }
  numbers[at + FALLS] = falls;
  numbers[at + RISES] = rises;
  numbers[at + MOVED] = moved;

  const closing = (seen > SETTLE_AFTER ? (FORGET * SETTLE_AFTER) / seen : FORGET) * deviation;
  numbers[at + LOWEST] = Math.min(moved < 0 ? lowest + moved : Math.min(value, lowest + closing), centre);
  numbers[at + HIGHEST] = Math.max(moved > 0 ? highest + moved : Math.max(value, highest - closing), centre);
  if (follow === 1) numbers[at + CENTRE] = centre + offset * share;
  return novelty;
}

/** Values from `low` to `high` are known, too; where `low` is above `high` none are. */
export function widenBounds(numbers: Float64Array, at: number, low: number, high: number): void {
  if (low < numbers[at + LOWEST]!) numbers[at + LOWEST] = low;
  if (high > numbers[at + HIGHEST]!) numbers[at + HIGHEST] = high;
}

/** How many values of the feature were learnt. */
export function seenBy(numbers: Float64Array, at: number): number {
  return numbers[at + SEEN]!;
}

/** The lower bound as it was before the last value. */
export function lowestBefore(numbers: Float64Array, at: number): number {
  return numbers[at + LOWEST]! - Math.min(0, numbers[at + MOVED]!);
}

/** The upper bound as it was before the last value. */
export function highestBefore(numbers: Float64Array, at: number): number {
  return numbers[at + HIGHEST]! - Math.max(0, numbers[at + MOVED]!);
}

function begin(numbers: Float64Array, at: number, centre: number): void {
  numbers[at + CENTRE] = centre;
  numbers[at + LOWEST] = centre;
  numbers[at + HIGHEST] = centre;
}
