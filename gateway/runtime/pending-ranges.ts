import type { Offset } from '../core/log.ts';

/** A stretch `[from, to)` of a log that is still to be delivered. */
export interface PendingRange {
  readonly from: Offset;
  /** Infinity in the newest range: it takes in whatever is appended. */
  readonly to: Offset;
  /** Items of the log before `from`; see `LogRecord.ordinal`. */
  readonly ordinal: number;
  /** Items of the log before `to`; Infinity in the newest range. */
  readonly endOrdinal: number;
}

/** A range as it is written down: from, to, ordinal, endOrdinal; null is Infinity. */
export type RangeNote = readonly [number, number | null, number, number | null];

interface MutableRange extends PendingRange {
  from: Offset;
  to: Offset;
  ordinal: number;
  endOrdinal: number;
}

/**
 * What of a log is still to be delivered: ascending ranges, the last one open-ended. What lies between two of them was delivered
 * before its turn. There is always at least the open one.
 */
export class PendingRanges {
  #ranges: MutableRange[];

  /** Everything from an offset on; `ordinal` items are before it. */
  constructor(from: Offset, ordinal: number) {
    this.#ranges = [{ from, to: Number.POSITIVE_INFINITY, ordinal, endOrdinal: Number.POSITIVE_INFINITY }];
  }

  /** Ranges from a note; undefined where it does not hold ascending ranges. */
  static restore(note: unknown): PendingRanges | undefined {
    if (!Array.isArray(note) || note.length === 0) return undefined;
    const ranges = note.map(rangeOf);
    let end = 0;
    for (const [index, range] of ranges.entries()) {
      if (range === undefined || !(range.from >= end) || !(range.to >= range.from)) return undefined;
      if ((range.to === Number.POSITIVE_INFINITY) !== (index === ranges.length - 1)) return undefined;
      end = range.to;
    }
    const restored = new PendingRanges(0, 0);
    restored.#ranges = ranges as MutableRange[];
    return restored;
  }

  get oldest(): PendingRange {
    return this.#ranges[0]!;
  }

  get newest(): PendingRange {
    return this.#ranges.at(-1)!;
  }

  /** How many ranges there are, at least one. */
  get count(): number {
    return this.#ranges.length;
  }

  /** The newest one first. */
  newestFirst(): readonly PendingRange[] {
    return this.#ranges.toReversed();
  }

  /** The oldest one first. */
  oldestFirst(): readonly PendingRange[] {
    return [...this.#ranges];
  }

  /** What was delivered before its turn: the stretches between the ranges, the oldest one first. */
  outOfOrder(): readonly { readonly from: Offset; readonly to: Offset }[] {
    return this.#ranges.slice(1).map((range, index) => ({ from: this.#ranges[index]!.to, to: range.from }));
  }

  /** Ends the newest range at an offset of it, with `ordinal` items before; a new one begins there. */
  split(at: Offset, ordinal: number): void {
    const open = this.#ranges.at(-1)!;
    open.to = at;
    open.endOrdinal = ordinal;
    this.#ranges.push(new PendingRanges(at, ordinal).#ranges[0]!);
  }

  /** Everything of a range before an offset is delivered, and `ordinal` items of the log are before that offset. */
  advance(range: PendingRange, from: Offset, ordinal: number): void {
    const found = this.#ranges.find((one) => one === range)!;
    found.from = from;
    found.ordinal = ordinal;
  }

  /** Nothing is left of a range that has an end. */
  finish(range: PendingRange): void {
    this.#ranges = this.#ranges.filter((one) => one !== range || one.to === Number.POSITIVE_INFINITY);
  }

  /**
   * The log ends at an offset, with `ordinal` items: what the ranges say of later records was lost with them.
   *
   * @returns whether they said something of later records
   */
  endAt(offset: Offset, ordinal: number): boolean {
    const last = this.#ranges.find(({ to }) => to > offset)!;
    if (last.to === Number.POSITIVE_INFINITY && last.from <= offset) return false;
    this.#ranges = this.#ranges.slice(0, this.#ranges.indexOf(last) + 1);
    last.to = Number.POSITIVE_INFINITY;
    last.endOrdinal = Number.POSITIVE_INFINITY;
    if (last.from > offset) {
      last.from = offset;
      last.ordinal = ordinal;
    }
    return true;
  }

  /** Plain JSON for `restore`. */
  note(): readonly RangeNote[] {
    const finite = (value: number) => (value === Number.POSITIVE_INFINITY ? null : value);
    return this.#ranges.map(({ from, to, ordinal, endOrdinal }) => [from, finite(to), ordinal, finite(endOrdinal)]);
  }
}

function rangeOf(note: unknown): MutableRange | undefined {
  if (!Array.isArray(note) || note.length !== 4) return undefined;
  const [from, to, ordinal, endOrdinal] = note.map((value) => (value === null ? Number.POSITIVE_INFINITY : value));
  const numbers = [from, to, ordinal, endOrdinal].every((value) => typeof value === 'number' && value >= 0);
  return numbers && Number.isSafeInteger(from) && Number.isSafeInteger(ordinal)
    ? { from, to, ordinal, endOrdinal }
    : undefined;
}
