import type { Offset } from '../core/log.ts';

/** What the log knows about one segment file. */
export interface Segment {
  readonly path: string;
  readonly firstOffset: Offset;
  /** First offset behind it. Grows while the segment is written; only what is durable counts. */
  endOffset: Offset;
  /** Where its records end in the file; only what is durable counts. */
  dataEnd: number;
  /** Bytes the file takes on disk. */
  fileBytes: number;
  records: number;
  items: number;
  /** Wall time of first and last record, NaN without any. */
  firstTime: number;
  lastTime: number;
  /** True once the file was deleted: readers go on at the first kept segment. */
  removed: boolean;
}

/** The segments of a log, oldest first. */
export class SegmentList {
  readonly #segments: Segment[] = [];
  #bytes = 0;

  get length(): number {
    return this.#segments.length;
  }

  get first(): Segment | undefined {
    return this.#segments[0];
  }

  get last(): Segment | undefined {
    return this.#segments.at(-1);
  }

  /** Bytes that all files take on disk. */
  get bytes(): number {
    return this.#bytes;
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

  /** The segment that holds an offset, else the first one behind it. */
  find(offset: Offset): Segment | undefined {
    return this.#segments[this.#search(offset)];
  }

  /** The segment after this one, also when this one has been removed. */
  after(segment: Segment): Segment | undefined {
    const index = this.#segments.indexOf(segment);
    return index === -1 ? this.find(segment.endOffset) : this.#segments[index + 1];
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
