import { fetchRing, growOrder, medianOf, slideOrder } from './rolling-median.ts';

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

/** The last values of a series, in one ring that both windows share, in memory of the caller. */
export class RecentValues {
  readonly #numbers: Float64Array;
  readonly #orders: Uint8Array;
  /** The medians of the values before the one that joined last, over the short and the long window. A first value is its own median. */
  shortMedian = 0.5;
  longMedian = 0.5;
  /** The lowest and the highest of the long window, the value that joined last among them. */
  lowest = 0.5;
  highest = 0.5;

  /** The ring stands in front of `numbers`, the orders in front of `orders`. */
  constructor(numbers: Float64Array, orders: Uint8Array) {
    this.#numbers = numbers;
    this.#orders = orders;
  }

  /** Takes the next value in. */
  add(value: number): void {
    const numbers = this.#numbers;
    const orders = this.#orders;
    const seen = numbers[SEEN]!;
    const slot = numbers[SLOT]! | 0;
    fetchRing(numbers, LONG);
    this.shortMedian = this.#slide(0, SHORT, seen, slot, value);
    this.longMedian = this.#slide(SHORT, LONG, seen, slot, value);
    numbers[slot] = value;
    numbers[SLOT] = slot + 1 === LONG ? 0 : slot + 1;
    if (seen < LONG) numbers[SEEN] = seen + 1;
    this.lowest = numbers[orders[SHORT]!]!;
    this.highest = numbers[orders[SHORT + Math.min(seen, LONG - 1)]!]!;
  }

  /** The median of a window before the value, which then joins its order. */
  #slide(at: number, window: number, seen: number, slot: number, value: number): number {
    const ring = this.#numbers;
    const orders = this.#orders;
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
}
