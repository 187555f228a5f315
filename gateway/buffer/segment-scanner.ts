import type { DiskFile } from '../core/disk.ts';
import type { LogRecord, Offset } from '../core/log.ts';
import {
  AHEAD_BYTES,
  claimedLength,
  decodeSeal,
  isRecord,
  type Layout,
  MAX_PAYLOAD_BYTES,
  PAGE_BYTES,
  recordItems,
  recordOffset,
  recordOrdinal,
  recordTime,
  type Seal,
  type SegmentSummary,
} from './format.ts';
import type { Segment } from './segment.ts';

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
  readonly seal: Seal | undefined;
  /** Nothing more is to be had before the end that was given. */
  readonly finished: boolean;
}

const ZEROS = Buffer.alloc(PAGE_BYTES);

/** How much is read at once; a larger record is read whole. */
const READ_AHEAD_BYTES = 256 * 1024;

type Parsed = LogRecord | Seal | { readonly need: number } | 'bad' | 'behind';

/** What a scanner has to know of a segment beforehand. */
export interface ScanStart {
  readonly layout: Layout;
  /** No record of the segment has a smaller offset. */
  readonly firstOffset: Offset;
  /** Ordinal of its first record: from it those of version 1, which does not store them, are counted. */
  readonly itemsBefore: number;
}

/** Where to begin with a segment of a log. */
export function scanStart({ layout, firstOffset, place }: Segment): ScanStart {
  return { layout, firstOffset, itemsBefore: place.itemsBefore };
}

/**
 * Reads the records of one segment in order and checks every one of them. Behind damaged bytes it goes on at the next
 * position that has a record with a right checksum and a plausible offset.
 *
 * Payloads are views into memory that is never used again: they stay right for as long as they are held.
 */
export class SegmentScanner {
  readonly #file: DiskFile;
  readonly #layout: Layout;
  #block: Buffer = Buffer.alloc(0);
  /** Position in the file of the block, and of the next byte to look at. */
  #blockStart: number;
  #position: number;
  #expected: Offset;
  #ordinal: number;

  constructor(file: DiskFile, { layout, firstOffset, itemsBefore }: ScanStart) {
    this.#file = file;
    this.#layout = layout;
    this.#blockStart = layout.headerBytes;
    this.#position = layout.headerBytes;
    this.#expected = firstOffset;
    this.#ordinal = itemsBefore;
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
        if (await this.#skipGap(end, limit)) continue;
        damage.push(await this.#skipDamage(end, limit));
      } else if ('need' in parsed) {
        if (await this.#load(parsed.need, end)) continue;
        damage.push({ start: this.#position, end });
        this.#position = end;
      } else if ('payload' in parsed) {
        records.push(parsed);
        const size = this.#layout.recordBytes + parsed.payload.length;
        bytes += size;
        this.#position += size;
        this.#expected = parsed.offset + 1;
        this.#ordinal = parsed.ordinal + parsed.items;
      } else {
        return { records, damage, seal: parsed, finished: true };
      }
    }
    return { records, damage, seal: undefined, finished: this.#position >= end };
  }

  #parse(end: number, limit: Offset): Parsed {
    const { recordBytes, sealBytes, version } = this.#layout;
    const block = this.#block;
    const at = this.#position - this.#blockStart;
    const have = block.length - at;
    const remaining = end - this.#position;
    if (remaining < recordBytes) return 'bad';
    if (have < recordBytes) return { need: recordBytes };
    const length = claimedLength(block, at);
    const size = recordBytes + length;
    if (length > MAX_PAYLOAD_BYTES || size > remaining) {
      if (remaining < sealBytes) return 'bad';
      if (have < sealBytes) return { need: sealBytes };
      return decodeSeal(block, at, this.#position, this.#layout) ?? 'bad';
    }
    if (have < size) return { need: size };
    if (!isRecord(block, at, size)) return 'bad';
    const offset = recordOffset(block, at);
    if (offset >= limit) return 'behind';
    if (offset < this.#expected) return 'bad';
    return {
      offset,
      items: recordItems(block, at),
      ordinal: version === 1 ? this.#ordinal : recordOrdinal(block, at),
      time: recordTime(block, at),
      payload: block.subarray(at + recordBytes, at + size),
    };
  }

  /** Moves over zeros to a record that begins with a page, where no item is missing between: they were left out on purpose. */
  async #skipGap(end: number, limit: Offset): Promise<boolean> {
    if (this.#layout.version === 1) return false;
    const { recordBytes } = this.#layout;
    const bytes = PAGE_BYTES - (this.#position % PAGE_BYTES);
    if (bytes === PAGE_BYTES || !(await this.#has(bytes + recordBytes, end))) return false;
    const at = this.#position - this.#blockStart;
    if (!this.#block.subarray(at, at + bytes).equals(ZEROS.subarray(0, bytes))) return false;
    const size = recordBytes + claimedLength(this.#block, at + bytes);
    if (bytes + size > end - this.#position || !(await this.#has(bytes + size, end))) return false;
    const next = this.#position - this.#blockStart + bytes;
    if (!this.#isGood(next, end, limit) || recordOrdinal(this.#block, next) !== this.#ordinal) return false;
    this.#position += bytes;
    return true;
  }

  /** Whether so many bytes from the position on are in the block, or can be read into it. */
  async #has(need: number, end: number): Promise<boolean> {
    return this.#block.length - (this.#position - this.#blockStart) >= need || (await this.#load(need, end));
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
    const last = this.#block.length - this.#layout.recordBytes;
    let at = 1;
    while (at <= last && !this.#isGood(at, end, limit)) at++;
    this.#position = at <= last ? start + at : end;
    return { start, end: this.#position };
  }

  #isGood(at: number, end: number, limit: Offset): boolean {
    const block = this.#block;
    const length = claimedLength(block, at);
    if (length > MAX_PAYLOAD_BYTES) return decodeSeal(block, at, this.#blockStart + at, this.#layout) !== undefined;
    // Checksums are dear here, at every byte: the offset says almost always that there is no record.
    const offset = recordOffset(block, at);
    if (!(offset >= this.#expected && offset < limit)) return false;
    const size = this.#layout.recordBytes + length;
    return this.#blockStart + at + size <= end && isRecord(block, at, size);
  }
}

/** What a scan of a whole segment found. */
export interface ScanResult extends SegmentSummary {
  /** Ordinal of the first record, and of what follows the last; `itemsBefore` of the segment when there is none. */
  readonly firstOrdinal: number;
  readonly endOrdinal: number;
  /** Where its last good record ends. */
  readonly dataEnd: number;
  /** Damaged bytes that have good records or the seal behind them. */
  readonly damage: readonly Damage[];
  /** Damaged bytes at the end: the last write of a crashed process, or the rest of a file that was cut or overwritten. */
  readonly tail: Damage | undefined;
  /** Bytes behind the seal. */
  readonly surplus: Damage | undefined;
  /** The tail or surplus is but the zeros that are written ahead. */
  readonly endsInZeros: boolean;
  readonly seal: Seal | undefined;
}

/**
 * Reads a whole segment and checks every record.
 *
 * @param limit offset of the next segment, `Number.MAX_SAFE_INTEGER` where there is none
 * @param onRecords is given all records in order
 */
export async function scanSegment(
  file: DiskFile,
  start: ScanStart,
  limit: Offset,
  onRecords?: (records: readonly LogRecord[]) => void,
): Promise<ScanResult> {
  const size = await file.size();
  const scanner = new SegmentScanner(file, start);
  const damage: Damage[] = [];
  const found = {
    records: 0,
    items: 0,
    endOffset: start.firstOffset,
    firstTime: Number.NaN,
    lastTime: Number.NaN,
    firstOrdinal: start.itemsBefore,
    endOrdinal: start.itemsBefore,
  };
  let stretch: Stretch;
  do {
    stretch = await scanner.next(size, limit, READ_AHEAD_BYTES);
    damage.push(...stretch.damage);
    for (const record of stretch.records) {
      found.items += record.items;
      found.endOffset = record.offset + 1;
      if (found.records++ === 0) {
        found.firstTime = record.time;
        found.firstOrdinal = record.ordinal;
      }
      found.lastTime = record.time;
      found.endOrdinal = record.ordinal + record.items;
    }
    if (stretch.records.length > 0) onRecords?.(stretch.records);
  } while (!stretch.finished);
  const { seal } = stretch;
  const tail = damage.at(-1)?.end === size && seal === undefined ? damage.pop() : undefined;
  const dataEnd = tail?.start ?? scanner.position;
  const sealEnd = dataEnd + start.layout.sealBytes;
  const surplus = seal !== undefined && size > sealEnd ? { start: sealEnd, end: size } : undefined;
  if (seal !== undefined) found.endOffset = Math.min(seal.endOffset, limit);
  return {
    ...found,
    dataEnd,
    damage,
    tail,
    surplus,
    endsInZeros: await isZeros(file, tail ?? surplus),
    seal,
  };
}

async function isZeros(file: DiskFile, rest: Damage | undefined): Promise<boolean> {
  if (rest === undefined || rest.end - rest.start > AHEAD_BYTES) return false;
  const bytes = Buffer.alloc(rest.end - rest.start);
  await file.read(bytes, rest.start);
  return bytes.equals(Buffer.alloc(bytes.length));
}
