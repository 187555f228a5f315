import type { Offset } from '../core/log.ts';
import { encodeRecord, RECORD_HEADER_BYTES } from './format.ts';

/** Encoded records that go to disk with one write, all into one segment. */
export interface Chunk {
  bytes: Buffer;
  used: number;
  records: number;
  items: number;
  firstOffset: Offset;
  endOffset: Offset;
  /** Ordinal of its first item; the others follow without a gap. */
  firstOrdinal: number;
  /** Items before it that were dropped before they were written. */
  unwrittenBefore: number;
  firstTime: number;
  lastTime: number;
  /** Where it ends in the file of its segment; 0 before it is written. */
  end: number;
}

const SMALLEST = 64 * 1024;
/** Buffers up to this size are kept for later, this many: what is kept for ever is bounded, a rare burst is given back. */
const LARGEST_SPARE = 4 * 1024 * 1024;
const SPARES = 4;

/** Encodes records one behind the other into reused memory, in chunks of at most a segment's size. */
export class WriteBuffer {
  readonly #chunkBytes: number;
  #spares: Buffer[] = [];
  #chunks: Chunk[] = [];
  #last: Chunk | undefined;
  #bytes = 0;

  /** @param chunkBytes no chunk gets larger, but one that is a single record */
  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  /** Bytes of all records that have not been taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a record behind the last one. @param ordinal items of the log before the first of this record */
  append(offset: Offset, items: number, ordinal: number, time: number, payload: Uint8Array): void {
    const size = RECORD_HEADER_BYTES + payload.length;
    let chunk = this.#last;
    if (chunk === undefined || (chunk.used > 0 && chunk.used + size > this.#chunkBytes)) {
      chunk = this.#open(offset, ordinal, time, size);
    }
    if (chunk.used + size > chunk.bytes.length) grow(chunk, size);
    chunk.used = encodeRecord(chunk.bytes, chunk.used, offset, items, ordinal, time, payload);
    chunk.records++;
    chunk.items += items;
    chunk.endOffset = offset + 1;
    chunk.lastTime = time;
    this.#bytes += size;
  }

  /** Hands over everything appended so far; give it back with `release`. */
  take(): Chunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#last = undefined;
    this.#bytes = 0;
    return chunks;
  }

  /** The memory of a chunk may be used again. */
  release(chunk: Chunk): void {
    if (this.#spares.length < SPARES && chunk.bytes.length <= LARGEST_SPARE) this.#spares.push(chunk.bytes);
  }

  #open(offset: Offset, ordinal: number, time: number, size: number): Chunk {
    const bytes = this.#spares.pop() ?? Buffer.allocUnsafeSlow(Math.max(SMALLEST, size));
    const chunk: Chunk = {
      bytes,
      used: 0,
      records: 0,
      items: 0,
      firstOffset: offset,
      endOffset: offset,
      firstOrdinal: ordinal,
      unwrittenBefore: 0,
      firstTime: time,
      lastTime: time,
      end: 0,
    };
    this.#chunks.push(chunk);
    this.#last = chunk;
    return chunk;
  }
}

function grow(chunk: Chunk, size: number): void {
  const larger = Buffer.allocUnsafeSlow(Math.max(chunk.bytes.length * 2, chunk.used + size));
  chunk.bytes.copy(larger, 0, 0, chunk.used);
  chunk.bytes = larger;
}
