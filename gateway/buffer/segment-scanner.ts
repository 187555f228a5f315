import type { DiskFile } from '../core/disk.ts';
import type { LogRecord, Offset } from '../core/log.ts';
import {
  claimedLength,
  decodeSeal,
  HEADER_BYTES,
  isRecord,
  MAX_PAYLOAD_BYTES,
  RECORD_HEADER_BYTES,
  recordItems,
  recordOffset,
  recordTime,
  SEAL_BYTES,
  type SegmentSummary,
} from './format.ts';

/** Bytes of a segment that are no record although one was expected. */
export interface Damage {
  /** Position of the first damaged byte in the file, and of the first good one after it. */
  readonly start: number;
  readonly end: number;
}

/** What one step of a scan found. */
export interface Stretch {
  readonly records: readonly LogRecord[];
  readonly damage: readonly Damage[];
  /** The seal, where the scan has come to it. */
  readonly seal: SegmentSummary | undefined;
  /** Nothing more is to be had before the end that was given. */
  readonly finished: boolean;
}

/** How much is read at once; a larger record is read whole. */
const READ_AHEAD_BYTES = 256 * 1024;

type Parsed = LogRecord | SegmentSummary | { readonly need: number } | 'bad' | 'behind';

/**
 * Reads the records of one segment in order and checks every one of them. Behind damaged bytes it goes on at the next
 * position that has a record with a right checksum and a plausible offset.
 *
 * Payloads are views into memory that is never used again: they stay right for as long as they are held.
 */
export class SegmentScanner {
  readonly #file: DiskFile;
  #block: Buffer = Buffer.alloc(0);
  /** Position in the file of the block, and of the next byte to look at. */
  #blockStart = HEADER_BYTES;
  #position = HEADER_BYTES;
  #expected: Offset;

  /** @param firstOffset no record of this segment has a smaller offset */
  constructor(file: DiskFile, firstOffset: Offset) {
    this.#file = file;
    this.#expected = firstOffset;
  }

  /** Where the next record begins in the file. */
  get position(): number {
    return this.#position;
  }

  /**
   * @param end records end here in the file; grows from call to call while the segment is written
   * @param limit no record of this segment has this offset or a greater one: those belong to the next segment
   * @param maxBytes returns once the records take this many bytes
   */
  async next(end: number, limit: Offset, maxBytes: number): Promise<Stretch> {
    const records: LogRecord[] = [];
    const damage: Damage[] = [];
    let bytes = 0;
    while (this.#position < end && bytes < maxBytes) {
      const parsed = this.#parse(end, limit);
      if (parsed === 'behind') return { records, damage, seal: undefined, finished: true };
      if (parsed === 'bad') {
        damage.push(await this.#skipDamage(end, limit));
      } else if ('need' in parsed) {
        if (await this.#load(parsed.need, end)) continue;
        damage.push({ start: this.#position, end });
        this.#position = end;
      } else if ('payload' in parsed) {
        records.push(parsed);
        const size = RECORD_HEADER_BYTES + parsed.payload.length;
        bytes += size;
        this.#position += size;
        this.#expected = parsed.offset + 1;
      } else {
        return { records, damage, seal: parsed, finished: true };
      }
    }
    return { records, damage, seal: undefined, finished: this.#position >= end };
  }

  #parse(end: number, limit: Offset): Parsed {
    const block = this.#block;
    const at = this.#position - this.#blockStart;
    const have = block.length - at;
    const remaining = end - this.#position;
    if (remaining < RECORD_HEADER_BYTES) return 'bad';
    if (have < RECORD_HEADER_BYTES) return { need: RECORD_HEADER_BYTES };
    const length = claimedLength(block, at);
    const size = RECORD_HEADER_BYTES + length;
    if (length > MAX_PAYLOAD_BYTES || size > remaining) {
      if (remaining < SEAL_BYTES) return 'bad';
      if (have < SEAL_BYTES) return { need: SEAL_BYTES };
      return decodeSeal(block, at, this.#position) ?? 'bad';
    }
    if (have < size) return { need: size };
    if (!isRecord(block, at, length)) return 'bad';
    const offset = recordOffset(block, at);
    if (offset >= limit) return 'behind';
    if (offset < this.#expected) return 'bad';
    return {
      offset,
      items: recordItems(block, at),
      time: recordTime(block, at),
      payload: block.subarray(at + RECORD_HEADER_BYTES, at + size),
    };
  }

  /** Gets `need` bytes from the position on into the block, and some more ahead; false when the file ends before. */
  async #load(need: number, end: number): Promise<boolean> {
    const block = Buffer.allocUnsafeSlow(Math.min(end - this.#position, Math.max(need, READ_AHEAD_BYTES)));
    const kept = this.#block.copy(block, 0, this.#position - this.#blockStart);
    const read = await this.#file.read(block.subarray(kept), this.#position + kept);
    this.#block = block.subarray(0, kept + read);
    this.#blockStart = this.#position;
    return kept + read >= need;
  }

  /** Moves to the next good record or seal, else to the end. The rest of the segment, which is bounded, is read at once. */
  async #skipDamage(end: number, limit: Offset): Promise<Damage> {
    const start = this.#position;
    await this.#load(end - start, end);
    const block = this.#block;
    let at = 1;
    while (at + RECORD_HEADER_BYTES <= block.length && !this.#isGood(at, end, limit)) at++;
    this.#position = at + RECORD_HEADER_BYTES <= block.length ? start + at : end;
    return { start, end: this.#position };
  }

  #isGood(at: number, end: number, limit: Offset): boolean {
    const block = this.#block;
    const length = claimedLength(block, at);
    if (length > MAX_PAYLOAD_BYTES) return decodeSeal(block, at, this.#blockStart + at) !== undefined;
    // Checksums are dear here, at every byte: the offset says almost always that there is no record.
    const offset = recordOffset(block, at);
    if (!(offset >= this.#expected && offset < limit)) return false;
    return this.#blockStart + at + RECORD_HEADER_BYTES + length <= end && isRecord(block, at, length);
  }
}

/** What a scan of a whole segment found. */
export interface ScanResult extends SegmentSummary {
  /** Where its last good record ends. */
  readonly dataEnd: number;
  /** Damaged bytes that have good records or the seal behind them. */
  readonly damage: readonly Damage[];
  /** Damaged bytes at the end: the last write of a crashed process, or the rest of a file that was cut or overwritten. */
  readonly tail: Damage | undefined;
  /** Bytes behind the seal, which nobody of ours writes. */
  readonly surplus: Damage | undefined;
  readonly sealed: boolean;
}

/**
 * Reads a whole segment and checks every record.
 *
 * @param limit offset of the next segment, `Number.MAX_SAFE_INTEGER` where there is none
 * @param onRecords is given all records in order
 */
export async function scanSegment(
  file: DiskFile,
  firstOffset: Offset,
  limit: Offset,
  onRecords?: (records: readonly LogRecord[]) => void,
): Promise<ScanResult> {
  const size = await file.size();
  const scanner = new SegmentScanner(file, firstOffset);
  const damage: Damage[] = [];
  const found = { records: 0, items: 0, endOffset: firstOffset, firstTime: Number.NaN, lastTime: Number.NaN };
  let stretch: Stretch;
  do {
    stretch = await scanner.next(size, limit, READ_AHEAD_BYTES);
    damage.push(...stretch.damage);
    for (const record of stretch.records) {
      found.items += record.items;
      found.endOffset = record.offset + 1;
      if (found.records++ === 0) found.firstTime = record.time;
      found.lastTime = record.time;
    }
    if (stretch.records.length > 0) onRecords?.(stretch.records);
  } while (!stretch.finished);
  const { seal } = stretch;
  const tail = damage.at(-1)?.end === size && seal === undefined ? damage.pop() : undefined;
  const dataEnd = tail?.start ?? scanner.position;
  const sealEnd = dataEnd + SEAL_BYTES;
  if (seal !== undefined) found.endOffset = Math.min(seal.endOffset, limit);
  return {
    ...found,
    dataEnd,
    damage,
    tail,
    surplus: seal !== undefined && size > sealEnd ? { start: sealEnd, end: size } : undefined,
    sealed: seal !== undefined,
  };
}
