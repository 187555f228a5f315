import type { Offset } from '../core/log.ts';
import type { Layout, SegmentPlace } from './format.ts';

/** What the log knows about one segment file. */
export interface Segment {
  readonly path: string;
  readonly layout: Layout;
  readonly firstOffset: Offset;
  /** Where it stands in the count of all items; version 1 gets one when all segments are known. */
  place: SegmentPlace;
  /** First offset behind it. Grows while the segment is written; only what is durable counts. */
  endOffset: Offset;
  /** Where its records end in the file; only what is durable counts. */
  dataEnd: number;
  /** Bytes the file takes on disk. */
  fileBytes: number;
  records: number;
  /** Items that were appended to it; only what is durable counts. */
  appendedItems: number;
  /** Level of thinning that was tried last, whether or not it took something out: the next one is tried next. */
  triedLevel: number;
  /** Items in it that damage has cost. */
  damagedItems: number;
  /** Items that ought to be between this segment and the next one, and are in none. */
  missingBehind: number;
  /** Wall time of first and last record, NaN without any. */
  firstTime: number;
  lastTime: number;
  /** What the disk refuses of the file is passed over as damage. */
  isPassedOver: boolean;
  /** While another file is taking its name: then nobody can tell which one an open gets. */
  moving: Promise<void> | undefined;
  /** True once its items are counted as trimmed, dropped or damaged, whether or not the file could be deleted. */
  retired: boolean;
  /** True once the file was deleted or replaced: readers look again for the segment that has what is next. */
  removed: boolean;
}

/** Items that a reader of the segment gets. */
export function keptItems({ appendedItems, place, damagedItems }: Segment): number {
  return Math.max(0, appendedItems - place.thinnedItems - damagedItems);
}

/** Items written to any segment before this one, which leaves out those that were dropped before they were written. */
export function writtenBefore({ place }: Segment): number {
  return place.itemsBefore - place.unwrittenBefore;
}

function damage({ retired, damagedItems, missingBehind }: Segment): number {
  return retired ? 0 : damagedItems + missingBehind;
}

/** The segments of a log, oldest first. */
export class SegmentList {
  readonly #segments: Segment[] = [];
  #bytes = 0;
  /** Items that ought to be in segments before the first one, and are in none. */
  missingInFront = 0;

  get length(): number {
    return this.#segments.length;
  }

  get first(): Segment | undefined {
    return this.#segments[0];
  }

  /** The oldest one whose items are kept. */
  get firstKept(): Segment | undefined {
    return this.#segments.find(({ retired }) => !retired);
  }

  get last(): Segment | undefined {
    return this.#segments.at(-1);
  }

  /** Bytes that all files take on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Another one, with the same offsets, takes the place of a segment. */
  replace(old: Segment, segment: Segment): void {
    const index = this.#segments.indexOf(old);
    if (index === -1) return;
    this.#segments[index] = segment;
    this.#bytes += segment.fileBytes - old.fileBytes;
    old.removed = true;
  }

  /** Items that readers get. */
  get keptItems(): number {
    return this.#segments.reduce((items, segment) => items + (segment.retired ? 0 : keptItems(segment)), 0);
  }

  /** Items that damage has cost: in these segments, between them and in front of them. */
  get damagedItems(): number {
    return this.#segments.reduce((items, segment) => items + damage(segment), this.missingInFront);
  }

  [Symbol.iterator](): Iterator<Segment> {
    return this.#segments[Symbol.iterator]();
  }

  /** Adds a segment behind all others. */
  add(segment: Segment): void {
    this.#segments.push(segment);
    this.#bytes += segment.fileBytes;
  }

  /** The file of a segment has another size now. */
  resize(segment: Segment, fileBytes: number): void {
    if (!segment.removed) this.#bytes += fileBytes - segment.fileBytes;
    segment.fileBytes = fileBytes;
  }

  remove(segment: Segment): void {
    const index = this.#segments.indexOf(segment);
    if (index === -1) return;
    this.#segments.splice(index, 1);
    this.#bytes -= segment.fileBytes;
    segment.removed = true;
  }

  /** The file of a segment is not there any more, against all expectation: what it held is missing now. */
  lose(segment: Segment): void {
    const index = this.#segments.indexOf(segment);
    if (index === -1) return;
    const lost = damage(segment) + (segment.retired ? 0 : keptItems(segment));
    const before = this.#segments[index - 1];
    if (before === undefined || before.retired) this.missingInFront += lost;
    else before.missingBehind += lost;
    this.remove(segment);
  }

  /** The segment that holds an offset, else the first one behind it; none whose items are gone. */
  find(offset: Offset): Segment | undefined {
    let index = this.#search(offset);
    while (this.#segments[index]?.retired === true) index++;
    return this.#segments[index];
  }

  /** The segment after this one. */
  after(segment: Segment): Segment | undefined {
    return this.#segments[this.#segments.indexOf(segment) + 1];
  }

  /** Index of the first segment whose end is behind `offset`. */
  #search(offset: Offset): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle]!.endOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
