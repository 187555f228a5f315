/** Most values a rolling median can look back on: the order is kept in bytes. */
export const MAX_MEDIAN_WINDOW = 255;

/**
 * The order of the last `size` values of a ring, kept sorted while they change. Ring and order live in arrays of the caller, so that
 * the state of a series is one block of memory, and windows of several lengths can share one ring.
 *
 * From `at` on, `order` holds the slots of `ring` by ascending value, and equal values by age. So the oldest value is always the
 * first of its equals, and a binary search finds its place without looking for the slot.
 *
 * `value` takes the place of what is in the slot `oldest`; it is for the caller to write it to `ring[slot]` afterwards.
 */
export function slideOrder(
  ring: Float64Array,
  order: Uint8Array,
  at: number,
  size: number,
  oldest: number,
  slot: number,
  value: number,
): void {
  const from = firstNotBelow(ring, order, at, size, ring[oldest]!);
  let to = firstAbove(ring, order, at, size, value);
  if (to > from) {
    to--;
    for (let i = from; i < to; i++) order[i] = order[i + 1]!;
  } else {
    for (let i = from; i > to; i--) order[i] = order[i - 1]!;
  }
  order[to] = slot;
}

/** Adds a value to an order of `size` values, for which there is room; the caller writes it to `ring[slot]` afterwards. */
export function growOrder(
  ring: Float64Array,
  order: Uint8Array,
  at: number,
  size: number,
  slot: number,
  value: number,
): void {
  const to = firstAbove(ring, order, at, size, value);
  for (let i = at + size; i > to; i--) order[i] = order[i - 1]!;
  order[to] = slot;
}

/** The block of memory of a series that looks back on a window of its own: its numbers, the ring of the last values, and the order of that. */
export interface MedianBlock {
  readonly numbers: Float64Array;
  readonly ring: Float64Array;
  readonly order: Uint8Array;
}

/** A block with so many numbers of the caller's in front; all 0. */
export function newMedianBlock(numbers: number, window: number): MedianBlock {
  const block = new ArrayBuffer((numbers + window) * 8 + window);
  return {
    numbers: new Float64Array(block, 0, numbers),
    ring: new Float64Array(block, numbers * 8, window),
    order: new Uint8Array(block, (numbers + window) * 8, window),
  };
}

/**
 * Lets a value join a window before which `seen` have come; where it is full the oldest leaves it.
 *
 * @param oldest slot of the oldest value, 0 until the window is full
 * @returns the slot of the oldest value now
 */
export function joinWindow(
  { ring, order }: MedianBlock,
  window: number,
  seen: number,
  oldest: number,
  value: number,
): number {
  if (seen < window) {
    growOrder(ring, order, 0, seen, seen, value);
    ring[seen] = value;
    return 0;
  }
  slideOrder(ring, order, 0, window, oldest, oldest, value);
  ring[oldest] = value;
  return oldest + 1 === window ? 0 : oldest + 1;
}

/** The median of an order that is not empty: the mean of the two middle values where their number is even, so that mirroring mirrors it. */
export function medianOf(ring: Float64Array, order: Uint8Array, at: number, size: number): number {
  const middle = at + (size >> 1);
  const upper = ring[order[middle]!]!;
  return size % 2 === 1 ? upper : upper / 2 + ring[order[middle - 1]!]! / 2;
}

/**
 * The median distance from `centre` (MAD where that is the median) of an order that is not empty: of an even number the upper of the two middle
 * ones. Those that are closest lie side by side in the order, so their place is found by halving.
 */
export function medianDistanceOf(
  ring: Float64Array,
  order: Uint8Array,
  at: number,
  size: number,
  centre: number,
): number {
  const half = (size >> 1) + 1;
  let from = at;
  let to = at + size - half;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (centre - ring[order[middle]!]! > ring[order[middle + half]!]! - centre) from = middle + 1;
    else to = middle;
  }
  return Math.max(centre - ring[order[from]!]!, ring[order[from + half - 1]!]! - centre);
}

/** The first place in the order whose value is not below `value`. */
function firstNotBelow(ring: Float64Array, order: Uint8Array, at: number, size: number, value: number): number {
  let low = at;
  let high = at + size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ring[order[middle]!]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first place in the order whose value is above `value`. */
function firstAbove(ring: Float64Array, order: Uint8Array, at: number, size: number, value: number): number {
  let low = at;
  let high = at + size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ring[order[middle]!]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
