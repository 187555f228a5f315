import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { type Disk, type DiskFile, errorCode, isNoSpace, writeFully } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { Offset } from '../core/log.ts';
import type { Logger } from '../core/telemetry.ts';
import {
  AHEAD_BYTES,
  encodeHeader,
  encodeSeal,
  LAYOUT,
  PAGE_BYTES,
  type SegmentPlace,
  segmentName,
  UNTHINNED,
} from './format.ts';
import { keptItems, type Segment, type SegmentList } from './segment.ts';
import type { Chunk } from './write-buffer.ts';

/** What an appender works with. */
export interface SegmentAppenderOptions {
  readonly disk: Disk;
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly segments: SegmentList;
  /** A segment is closed before it would get larger than this. */
  readonly segmentBytes: number;
  /** `sync`: records count once they were synced. `write`: once they were handed to the operating system. */
  readonly countsAfter: 'sync' | 'write';
  /** Items that were dropped before they were written, since the log was created. */
  readonly unwrittenItems: number;
  /** A chunk is safe; its memory is free. */
  readonly release: (chunk: Chunk) => void;
}

const ZEROS = Buffer.alloc(AHEAD_BYTES);

/** Where a chunk goes. */
interface Extent {
  readonly start: number;
  readonly end: number;
  /** The length of the file then, with zeros behind the chunk. */
  readonly fileBytes: number;
}

/** Where the log ends. */
interface Tip {
  readonly segment: Pick<Segment, 'fileBytes'>;
  /** Where the next write goes. */
  position: number;
}

/** The segment that is being written. */
interface Open extends Tip {
  readonly segment: Segment;
  readonly file: DiskFile;
  /** What the segment was when it was synced last: the state to fall back to. */
  safe: Pick<Segment, 'endOffset' | 'dataEnd' | 'records' | 'appendedItems' | 'firstTime' | 'lastTime'>;
  /** Ordinal of the item that would follow without a gap. */
  endOrdinal: number;
  directorySynced: boolean;
  /** Why it must never be synced again: after a failed sync the operating system may have forgotten what it could not write. */
  syncFailure: unknown;
}

/**
 * Writes chunks to the end of the log. A chunk stays in its memory until it is safe, so that after any failure everything
 * that may be lost goes again, to a new segment.
 *
 * Not for concurrent calls: its owner calls one method at a time.
 */
export class SegmentAppender {
  readonly #options: SegmentAppenderOptions;
  /** Whether zeros follow a small write that makes a file longer. They are to spare the disk, and not worth anything that would have to go for them. */
  writesAhead = true;
  /** To be written, and written but not yet synced; in order, the written ones first. */
  #queue: Chunk[] = [];
  #written: Chunk[] = [];
  #open: Open | undefined;
  #unwrittenItems: number;
  /** What the last sync made durable, where syncs come now and then. */
  #syncedBytes = 0;

  constructor(options: SegmentAppenderOptions) {
    this.#options = options;
    this.#unwrittenItems = options.unwrittenItems;
  }

  /** Items that were dropped before they were written, since the log was created. */
  get unwrittenItems(): number {
    return this.#unwrittenItems;
  }

  /** The segment that is being written, if there is one. */
  get active(): Segment | undefined {
    return this.#open?.segment;
  }

  /** The chunk that is written next. */
  get head(): Chunk | undefined {
    return this.#queue[0];
  }

  /** Bytes in memory that are not safe yet. */
  get unsafeBytes(): number {
    let bytes = 0;
    for (const chunk of this.#queue) bytes += chunk.used;
    for (const chunk of this.#written) bytes += chunk.used;
    return bytes;
  }

  /** True when something written waits for a sync. */
  get unsynced(): boolean {
    return this.#written.length > 0;
  }

  enqueue(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) {
      chunk.unwrittenBefore = this.#unwrittenItems;
      this.#queue.push(chunk);
    }
  }

  /** Takes the head out of the queue: it will never be written. */
  dropHead(): void {
    const chunk = this.#queue.shift();
    if (chunk === undefined) return;
    this.#unwrittenItems += chunk.items;
    for (const later of this.#queue) later.unwrittenBefore += chunk.items;
    this.#options.release(chunk);
  }

  /** How many bytes the files of the log will grow when the head is written, and every segment is sealed. */
  growth(): number {
    const chunk = this.head;
    if (chunk === undefined) return 0;
    const { headerBytes, sealBytes } = LAYOUT;
    const open = this.#open;
    if (open !== undefined && this.#fits(open, chunk)) {
      return this.#extentOf(open, chunk).fileBytes - open.segment.fileBytes + sealBytes;
    }
    const { fileBytes } = this.#extentOf({ position: headerBytes, segment: { fileBytes: headerBytes } }, chunk);
    const most = this.unsynced ? this.#mostOf(chunk) : fileBytes;
    return (open === undefined ? 0 : sealBytes) + most + sealBytes;
  }

  /** The length of a new segment with a chunk at the most: how much is synced together is known only when the one before is closed. */
  #mostOf({ used }: Chunk): number {
    if (used > PAGE_BYTES) return LAYOUT.headerBytes + used;
    return this.writesAhead ? this.#aheadOf(PAGE_BYTES + used) : PAGE_BYTES + used;
  }

  /** Writes the head. It may be lost until the next `sync`. */
  async writeHead(): Promise<void> {
    const chunk = this.#queue[0];
    if (chunk === undefined) return;
    if (this.#open !== undefined && !this.#fits(this.#open, chunk)) await this.close(chunk.firstOffset);
    this.#open ??= await this.#create(chunk);
    const open = this.#open;
    const { start, end, fileBytes } = this.#extentOf(open, chunk);
    await writeFully(open.file, chunk.bytes.subarray(0, chunk.used), start);
    if (end > open.segment.fileBytes) await this.#writeAhead(open, end, fileBytes);
    chunk.end = end;
    open.position = end;
    open.endOrdinal = chunk.firstOrdinal + chunk.items;
    this.#queue.shift();
    this.#written.push(chunk);
    if (this.#options.countsAfter === 'write') count(open.segment, chunk);
  }

  /** Makes everything written durable. Rejects for ever after it did once, until `abandon`. */
  async sync(): Promise<void> {
    const open = this.#open;
    if (open === undefined || this.#written.length === 0) return;
    if (open.syncFailure !== undefined) throw open.syncFailure;
    try {
      await open.file.datasync();
      if (!open.directorySynced) await this.#options.disk.syncDirectory(this.#options.path);
      open.directorySynced = true;
      const { removed, path } = open.segment;
      if (removed && this.#options.countsAfter === 'sync') throw new Error(`${path} is missing`);
    } catch (error) {
      open.syncFailure = error;
      throw error;
    }
    if (this.#options.countsAfter === 'sync') for (const chunk of this.#written) count(open.segment, chunk);
    this.#settle(open);
  }

  /**
   * Syncs, seals and closes the segment.
   *
   * @param endOffset first offset of whatever comes next
   */
  async close(endOffset: Offset): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    await this.sync();
    this.#open = undefined;
    const { segment, file } = open;
    segment.endOffset = endOffset;
    try {
      // Not synced: if it is lost, the segment is scanned at the next start.
      if (segment.fileBytes > segment.dataEnd) await file.truncate(segment.dataEnd);
      const seal = encodeSeal({ ...segment, items: keptItems(segment) }, segment.place, segment.dataEnd);
      await writeFully(file, seal, segment.dataEnd);
      this.#options.segments.resize(segment, segment.dataEnd + seal.length);
    } catch (error) {
      this.#options.logger.debug({ segment: segment.path }, `cannot seal a segment: ${messageOf(error)}`);
    }
    await this.#closeFile(open);
  }

  /**
   * After a failure: gives the segment up, cut to what is surely in it, and queues everything else again. A file is never
   * written again after a failed sync, since the operating system may have forgotten what it could not write.
   */
  async abandon(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#queue = [...this.#written, ...this.#queue];
    this.#written = [];
    if (open === undefined) return;
    const { segment } = open;
    Object.assign(segment, open.safe);
    if (segment.records === 0) {
      await this.#closeFile(open);
      this.#options.segments.remove(segment);
      await this.#tidy(segment, () => this.#options.disk.remove(segment.path));
      return;
    }
    this.#options.segments.resize(segment, segment.dataEnd);
    await this.#tidy(segment, () => open.file.truncate(segment.dataEnd));
    await this.#closeFile(open);
  }

  /**
   * Where something was dropped before, a new segment begins: so there is no gap in the count of items within one. And where a reader has found that
   * the file is not there any more.
   */
  #fits(open: Open, chunk: Chunk): boolean {
    if (chunk.firstOrdinal !== open.endOrdinal || open.segment.removed) return false;
    const end = this.#startOf(open, chunk) + chunk.used + LAYOUT.sealBytes;
    return open.position === LAYOUT.headerBytes || end <= this.#options.segmentBytes;
  }

  #extentOf(open: Tip, chunk: Chunk): Extent {
    const start = this.#startOf(open, chunk);
    const end = start + chunk.used;
    const { fileBytes } = open.segment;
    if (end <= fileBytes) return { start, end, fileBytes };
    if (!this.writesAhead || this.#together(chunk) > PAGE_BYTES) return { start, end, fileBytes: end };
    // Small writes then find zeros in their place: what does not make a file longer costs the file system no note of its own.
    return { start, end, fileBytes: this.#aheadOf(end) };
  }

  /** Where zeros end that begin at `end`. */
  #aheadOf(end: number): number {
    const ahead = Math.min(end + AHEAD_BYTES, this.#options.segmentBytes);
    return Math.max(end, ahead - (ahead % PAGE_BYTES));
  }

  /** Where there is no room for zeros nothing is lost; those that there was room for stay. */
  async #writeAhead({ segment, file }: Open, from: number, to: number): Promise<void> {
    const { segments } = this.#options;
    segments.resize(segment, from);
    try {
      await writeFully(file, ZEROS.subarray(0, to - from), from);
      segments.resize(segment, to);
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      segments.resize(segment, await file.size());
    }
  }

  /** Bytes that are synced at once with a chunk. With syncs now and then it is what the last one took that tells. */
  #together({ used }: Chunk): number {
    return Math.max(used, this.#syncedBytes);
  }

  /**
   * Where a chunk begins: with the next page where what is synced together fits one page, but not the rest of this one. So it costs the disk one page and
   * not two.
   */
  #startOf({ position }: Tip, chunk: Chunk): number {
    if (this.unsynced) return position;
    const together = this.#together(chunk);
    const room = PAGE_BYTES - (position % PAGE_BYTES);
    return together > room && together <= PAGE_BYTES ? position + room : position;
  }

  async #create({ firstOffset, firstOrdinal, unwrittenBefore }: Chunk): Promise<Open> {
    const { disk, clock, segments } = this.#options;
    const place: SegmentPlace = { ...UNTHINNED, itemsBefore: firstOrdinal, unwrittenBefore };
    const path = join(this.#options.path, segmentName(firstOffset));
    const file = await this.#createFile(path);
    try {
      await writeFully(file, encodeHeader(firstOffset, clock.now(), place), 0);
    } catch (error) {
      await file.close();
      await disk.remove(path);
      throw error;
    }
    const empty = {
      endOffset: firstOffset,
      dataEnd: LAYOUT.headerBytes,
      records: 0,
      appendedItems: 0,
      firstTime: Number.NaN,
      lastTime: Number.NaN,
    };
    const segment: Segment = {
      path,
      layout: LAYOUT,
      firstOffset,
      place,
      triedLevel: 0,
      fileBytes: LAYOUT.headerBytes,
      damagedItems: 0,
      missingBehind: 0,
      isPassedOver: false,
      moving: undefined,
      retired: false,
      removed: false,
      ...empty,
    };
    segments.add(segment);
    return {
      segment,
      file,
      position: LAYOUT.headerBytes,
      safe: empty,
      endOrdinal: firstOrdinal,
      directorySynced: false,
      syncFailure: undefined,
    };
  }

  async #createFile(path: string): Promise<DiskFile> {
    const { disk } = this.#options;
    try {
      return await disk.open(path, 'create');
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      // Left behind by an attempt that failed: nothing in it was ever promised.
      await disk.remove(path);
      return await disk.open(path, 'create');
    }
  }

  /** Everything written so far is as safe as it will get. */
  #settle(open: Open): void {
    const { endOffset, dataEnd, records, appendedItems, firstTime, lastTime } = open.segment;
    open.safe = { endOffset, dataEnd, records, appendedItems, firstTime, lastTime };
    let bytes = 0;
    for (const chunk of this.#written) {
      bytes += chunk.used;
      this.#options.release(chunk);
    }
    this.#written = [];
    if (this.#options.countsAfter === 'write') this.#syncedBytes = bytes;
  }

  async #closeFile(open: Open): Promise<void> {
    await this.#tidy(open.segment, () => open.file.close());
  }

  /** For what may fail without harm: recovery puts it right. */
  async #tidy(segment: Segment, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#options.logger.debug({ segment: segment.path }, `cannot tidy a segment: ${messageOf(error)}`);
    }
  }
}

function count(segment: Segment, chunk: Chunk): void {
  if (segment.records === 0) segment.firstTime = chunk.firstTime;
  segment.endOffset = chunk.endOffset;
  segment.dataEnd = chunk.end;
  segment.records += chunk.records;
  segment.appendedItems += chunk.items;
  segment.lastTime = chunk.lastTime;
}
