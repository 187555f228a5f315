/** Most values a rolling median can look back on: the order is kept in bytes. */
export const MAX_MEDIAN_WINDOW = 255;

/**
 * Replaces the oldest value of a full ring and keeps its order sorted; both live in arrays of the caller, so that the state of a
 * series is one block of memory.
 *
 * `order` holds the slots of `ring` by ascending value, and equal values by age. So the oldest value is always the first of its
 * equals, and a binary search finds its place without looking for the slot.
 *
 * @param slot of the oldest value, which `value` replaces
 */
export function replaceOldest(ring: Float64Array, order: Uint8Array, size: number, slot: number, value: number): void {
  fetch(ring, size);
  const from = firstNotBelow(ring, order, size, ring[slot]!);
  let to = firstAbove(ring, order, size, value);
  if (to > from) {
    to--;
    for (let i = from; i < to; i++) order[i] = order[i + 1]!;
  } else {
    for (let i = from; i > to; i--) order[i] = order[i - 1]!;
  }
  order[to] = slot;
  ring[slot] = value;
}

/** Adds a value to a ring that is not full; its slot is `size`. */
export function addValue(ring: Float64Array, order: Uint8Array, size: number, value: number): void {
  const to = firstAbove(ring, order, size, value);
  order.copyWithin(to + 1, to, size);
  order[to] = size;
  ring[size] = value;
}

/** The median of a ring that is not empty: the mean of the two middle values where their number is even, so that mirroring mirrors it. */
export function medianOf(ring: Float64Array, order: Uint8Array, size: number): number {
  const upper = ring[order[size >> 1]!]!;
  return size % 2 === 1 ? upper : upper / 2 + ring[order[(size >> 1) - 1]!]! / 2;
}

/** Values that come from memory together. */
const VALUES_A_LINE = 8;
/** Written to, so that what is read for it is not left out. */
const fetched = new Float64Array(1);

/**
 * Reads a value of each line of the ring. Where so many series take turns that no cache holds them all, the searches would wait for one line
 * after the other; asked for at once they come together.
 */
function fetch(ring: Float64Array, size: number): void {
  let sum = 0;
  for (let i = 0; i < size; i += VALUES_A_LINE) sum += ring[i]!;
  fetched[0] = sum;
}

function firstNotBelow(ring: Float64Array, order: Uint8Array, size: number, value: number): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ring[order[middle]!]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstAbove(ring: Float64Array, order: Uint8Array, size: number, value: number): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ring[order[middle]!]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
