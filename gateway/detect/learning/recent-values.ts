import { growOrder, medianOf, slideOrder } from './rolling-median.ts';

/** The readings that the two medians are taken over; the longer window is also that of the lowest and the highest value. */
export const RECENT_WINDOWS = [10, 100] as const;

const SHORT = RECENT_WINDOWS[0];
const LONG = RECENT_WINDOWS[1];

/** Numbers that the recent values of a series take in its block of memory, in front: orders tell places in it by bytes. */
export const RECENT_NUMBERS = LONG + 2;
/** Bytes that the two orders take. */
export const RECENT_BYTES = SHORT + LONG;

const SEEN = LONG;
const SLOT = LONG + 1;

/**
 * The last values of a series, in one ring that both windows share. Ring and orders are in the series' block of memory, in front of its
 * numbers and bytes; here is only what was found of the series looked at last. So one object serves all series.
 */
export class RecentValues {
  /** The medians of the values before the one that joined last, over the short and the long window. A first value is its own median. */
  shortMedian = 0.5;
  longMedian = 0.5;
  /** The lowest and the highest of the long window, the value that joined last among them. */
  lowest = 0.5;
  highest = 0.5;

  /** Takes the next value of a series in. */
  add(numbers: Float64Array, orders: Uint8Array, value: number): void {
    const seen = numbers[SEEN]!;
    const slot = numbers[SLOT]! | 0;
    this.shortMedian = slide(numbers, orders, 0, SHORT, seen, slot, value);
    this.longMedian = slide(numbers, orders, SHORT, LONG, seen, slot, value);
    numbers[slot] = value;
    numbers[SLOT] = slot + 1 === LONG ? 0 : slot + 1;
    if (seen < LONG) numbers[SEEN] = seen + 1;
    this.lowest = numbers[orders[SHORT]!]!;
    this.highest = numbers[orders[SHORT + Math.min(seen, LONG - 1)]!]!;
  }
}

/** The median of a window before the value, which then joins its order. */
function slide(
  ring: Float64Array,
  orders: Uint8Array,
  at: number,
  window: number,
  seen: number,
  slot: number,
  value: number,
): number {
  if (seen < window) {
    const median = seen === 0 ? value : medianOf(ring, orders, at, seen);
    growOrder(ring, orders, at, seen, slot, value);
    return median;
  }
  const median = medianOf(ring, orders, at, window);
  const oldest = slot >= window ? slot - window : slot - window + LONG;
  slideOrder(ring, orders, at, window, oldest, slot, value);
  return median;
}
