import { crc32 } from 'node:zlib';
import type { Offset } from '../core/log.ts';

/*
 * The bytes of a segment, as FORMAT.md describes them. All numbers are little endian.
 *
 *   segment = header (gap? record)* seal? zeros?
 *   gap     = zeros up to a multiple of the page size
 *   header  = magic[4] version:u16 headerBytes:u16 firstOffset:u64 created:f64 level:u32 crc:u32       crc over what is before it
 *             itemsBefore:f64 unwrittenBefore:f64 thinnedItems:f64 itemsAtThinning:f64 crc:u32         crc over what is before it
 *   record  = crc:u32 length:u32 items:u32 offset:u64 time:f64 ordinal:u64 payload[length]             crc over what is after it
 *   seal    = crc:u32 0xffffffff records:u32 endOffset:u64 items:f64 firstTime:f64 lastTime:f64 position:f64
 *             itemsBefore:f64 unwrittenBefore:f64 thinnedItems:f64 appendedItems:f64 level:u32 firstOffset:u64   crc over what is after it
 *
 * Version 1 has no second line in header and seal, no ordinal in a record, and 0 for the level.
 */

/** Version of the format that is written; a segment of a later version is not touched. */
export const VERSION = 2;
/** Largest payload: bounds what a damaged length can make a reader load. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

/** Memory and most disks are written in pages of this size. */
export const PAGE_BYTES = 4096;
/** So many zeros at the most may stand behind what a segment holds, where more was to come. */
export const AHEAD_BYTES = 16 * PAGE_BYTES;

/** How long the parts of a segment are in one version of the format. */
export interface Layout {
  readonly version: number;
  readonly headerBytes: number;
  readonly recordBytes: number;
  readonly sealBytes: number;
}

const LAYOUT_1: Layout = { version: 1, headerBytes: 32, recordBytes: 28, sealBytes: 52 };
const LAYOUT_2: Layout = { version: 2, headerBytes: 68, recordBytes: 36, sealBytes: 96 };
/** Every layout that is read, the newest first. */
export const LAYOUTS: readonly Layout[] = [LAYOUT_2, LAYOUT_1];
/** The layout that is written. */
export const LAYOUT: Layout = LAYOUT_2;
/** Length of a record in front of its payload, as it is written. */
export const RECORD_HEADER_BYTES = LAYOUT.recordBytes;

const MAGIC = Buffer.from('HGLG', 'latin1');
const SEAL_MARK = 0xffff_ffff;
const HIGH = 0x1_0000_0000;
/** This much of a header is the same in every version. */
const HEADER_START_BYTES = 32;

/** Where a segment stands in the count of all items of its log, and what was taken out of it. */
export interface SegmentPlace {
  /** Items appended to the log before the first of this segment. */
  readonly itemsBefore: number;
  /** Those of them that were dropped before they were written to any segment. */
  readonly unwrittenBefore: number;
  /** Items that thinning has taken out of this segment. */
  readonly thinnedItems: number;
  /** Items that had been appended to it when it was thinned; 0 where it was not. */
  readonly itemsAtThinning: number;
  /** How often it was thinned: 0 for a segment as it was written. */
  readonly level: number;
}

/** What is the same of all segments that were never thinned. */
export const UNTHINNED = { thinnedItems: 0, itemsAtThinning: 0, level: 0 };

/** What the header of a segment says. */
export interface SegmentHeader {
  readonly version: number;
  readonly firstOffset: Offset;
  /** Undefined where only the second checksum is wrong, and in version 1, which does not have it. */
  readonly place: SegmentPlace | undefined;
  /** Every checksum is right. */
  readonly isWhole: boolean;
}

/** What a scan of a segment finds out about its records, and its seal tells. */
export interface SegmentSummary {
  readonly records: number;
  readonly items: number;
  /** First offset that is not in the segment and never will be. */
  readonly endOffset: Offset;
  /** Wall time of the first and last record; NaN when there are none. */
  readonly firstTime: number;
  readonly lastTime: number;
}

/** What a sealed segment says about itself. */
export interface Seal extends SegmentSummary {
  /** Items that were appended to the segment, thinned and damaged ones too. In version 1 those that were there when it was sealed. */
  readonly appendedItems: number;
  /** First offset of the segment, and its place; undefined in version 1. */
  readonly firstOffset: Offset | undefined;
  readonly place: SegmentPlace | undefined;
}

/** `0000000000001234.log`: first offset, so that names sort as the segments do. */
export function segmentName(firstOffset: Offset): string {
  return `${String(firstOffset).padStart(16, '0')}.log`;
}

/** First offset of a segment by its name; undefined for the name of anything else. */
export function parseSegmentName(name: string): Offset | undefined {
  const offset = Number(/^(\d{16})\.log$/.exec(name)?.[1]);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

/** The header of a segment file in a layout, by default the one that is written. `created` is the wall time in epoch milliseconds. */
export function encodeHeader(firstOffset: Offset, created: number, place: SegmentPlace, layout = LAYOUT): Buffer {
  const header = Buffer.alloc(layout.headerBytes);
  MAGIC.copy(header);
  header.writeUInt16LE(layout.version, 4);
  header.writeUInt16LE(layout.headerBytes, 6);
  writeOffset(header, firstOffset, 8);
  header.writeDoubleLE(created, 16);
  if (layout.version > 1) header.writeUInt32LE(place.level, 24);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  if (layout.version === 1) return header;
  header.writeDoubleLE(place.itemsBefore, 32);
  header.writeDoubleLE(place.unwrittenBefore, 40);
  header.writeDoubleLE(place.thinnedItems, 48);
  header.writeDoubleLE(place.itemsAtThinning, 56);
  header.writeUInt32LE(crc32(header.subarray(0, 64)), 64);
  return header;
}

/** What a header says; undefined when it is damaged. Of a version that this program does not know only version and offset are told. */
export function decodeHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < HEADER_START_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) return undefined;
  if (crc32(bytes.subarray(0, 28)) !== bytes.readUInt32LE(28)) return undefined;
  const version = bytes.readUInt16LE(4);
  const header = { version, firstOffset: readOffset(bytes, 8), place: undefined };
  if (version !== 2) return { ...header, isWhole: true };
  if (bytes.length < LAYOUT_2.headerBytes || crc32(bytes.subarray(0, 64)) !== bytes.readUInt32LE(64)) {
    return { ...header, isWhole: false };
  }
  const place: SegmentPlace = {
    itemsBefore: bytes.readDoubleLE(32),
    unwrittenBefore: bytes.readDoubleLE(40),
    thinnedItems: bytes.readDoubleLE(48),
    itemsAtThinning: bytes.readDoubleLE(56),
    level: bytes.readUInt32LE(24),
  };
  return { ...header, place, isWhole: true };
}

/** Writes a record at `at`; the buffer must have room for it. Returns the position after it. Hot path. */
export function encodeRecord(
  target: Buffer,
  at: number,
  offset: Offset,
  items: number,
  ordinal: number,
  time: number,
  payload: Uint8Array,
): number {
  const end = at + RECORD_HEADER_BYTES + payload.length;
  target.writeUInt32LE(payload.length, at + 4);
  target.writeUInt32LE(items, at + 8);
  writeOffset(target, offset, at + 12);
  target.writeDoubleLE(time, at + 20);
  writeOffset(target, ordinal, at + 28);
  target.set(payload, at + RECORD_HEADER_BYTES);
  target.writeUInt32LE(crc32(target.subarray(at + 4, end)), at);
  return end;
}

/** Payload length as the record at `at` claims it; may be anything where the bytes are damaged. */
export function claimedLength(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4);
}

/** True when the `size` bytes from `at` are a record and its checksum is right. */
export function isRecord(bytes: Buffer, at: number, size: number): boolean {
  return crc32(bytes.subarray(at + 4, at + size)) === bytes.readUInt32LE(at);
}

/** How many items the record at position `at` holds: an unsigned 32-bit number. Only of a record that `isRecord`. */
export function recordItems(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 8);
}

/** The offset of a record; not an integer below 2^53 where the bytes are damaged. */
export function recordOffset(bytes: Buffer, at: number): Offset {
  return readOffset(bytes, at + 12);
}

/** Wall time at which the record at position `at` was appended, in epoch milliseconds; any double where the bytes are damaged. */
export function recordTime(bytes: Buffer, at: number): number {
  return bytes.readDoubleLE(at + 20);
}

/** How many items came before the record at position `at`. Only of a record that `isRecord`, of version 2. */
export function recordOrdinal(bytes: Buffer, at: number): number {
  return readOffset(bytes, at + 28);
}

/** The seal of a segment whose records end at `position`, in a layout, by default the one that is written. */
export function encodeSeal(
  summary: Omit<Seal, 'place'> & { readonly firstOffset: Offset },
  place: SegmentPlace,
  position: number,
  layout = LAYOUT,
): Buffer {
  const seal = Buffer.alloc(layout.sealBytes);
  seal.writeUInt32LE(SEAL_MARK, 4);
  seal.writeUInt32LE(summary.records, 8);
  writeOffset(seal, summary.endOffset, 12);
  seal.writeDoubleLE(summary.items, 20);
  seal.writeDoubleLE(summary.firstTime, 28);
  seal.writeDoubleLE(summary.lastTime, 36);
  seal.writeDoubleLE(position, 44);
  if (layout.version > 1) {
    seal.writeDoubleLE(place.itemsBefore, 52);
    seal.writeDoubleLE(place.unwrittenBefore, 60);
    seal.writeDoubleLE(place.thinnedItems, 68);
    seal.writeDoubleLE(summary.appendedItems, 76);
    seal.writeUInt32LE(place.level, 84);
    writeOffset(seal, summary.firstOffset, 88);
  }
  seal.writeUInt32LE(crc32(seal.subarray(4)), 0);
  return seal;
}

/** The seal at `at`, or undefined when there is none for this position of the file. */
export function decodeSeal(bytes: Buffer, at: number, position: number, layout = LAYOUT): Seal | undefined {
  if (bytes.length - at < layout.sealBytes || bytes.readUInt32LE(at + 4) !== SEAL_MARK) return undefined;
  if (crc32(bytes.subarray(at + 4, at + layout.sealBytes)) !== bytes.readUInt32LE(at)) return undefined;
  if (bytes.readDoubleLE(at + 44) !== position) return undefined;
  const items = bytes.readDoubleLE(at + 20);
  const summary: SegmentSummary = {
    records: bytes.readUInt32LE(at + 8),
    endOffset: readOffset(bytes, at + 12),
    items,
    firstTime: bytes.readDoubleLE(at + 28),
    lastTime: bytes.readDoubleLE(at + 36),
  };
  if (layout.version === 1) return { ...summary, appendedItems: items, firstOffset: undefined, place: undefined };
  const appendedItems = bytes.readDoubleLE(at + 76);
  const level = bytes.readUInt32LE(at + 84);
  const place: SegmentPlace = {
    itemsBefore: bytes.readDoubleLE(at + 52),
    unwrittenBefore: bytes.readDoubleLE(at + 60),
    thinnedItems: bytes.readDoubleLE(at + 68),
    itemsAtThinning: level === 0 ? 0 : appendedItems,
    level,
  };
  return { ...summary, appendedItems, firstOffset: readOffset(bytes, at + 88), place };
}

function writeOffset(target: Buffer, offset: Offset, at: number): void {
  target.writeUInt32LE(offset % HIGH, at);
  target.writeUInt32LE(Math.floor(offset / HIGH), at + 4);
}

function readOffset(bytes: Buffer, at: number): Offset {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * HIGH;
}
