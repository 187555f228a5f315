import { crc32 } from 'node:zlib';
import type { Offset } from '../core/log.ts';

/*
 * The bytes of a segment, as FORMAT.md describes them. All numbers are little endian.
 *
 *   segment = header record* seal?
 *   header  = magic[4] version:u16 headerBytes:u16 firstOffset:u64 created:f64 zero:u32 crc:u32        crc over what is before it
 *   record  = crc:u32 length:u32 items:u32 offset:u64 time:f64 payload[length]                         crc over what is after it
 *   seal    = crc:u32 0xffffffff records:u32 endOffset:u64 items:f64 firstTime:f64 lastTime:f64 position:f64
 */

/** Version of the format that is written; a segment of a later version is not touched. */
export const VERSION = 1;
export const HEADER_BYTES = 32;
export const RECORD_HEADER_BYTES = 28;
export const SEAL_BYTES = 52;
/** Largest payload: bounds what a damaged length can make a reader load. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

const MAGIC = Buffer.from('HGLG', 'latin1');
const SEAL_MARK = 0xffff_ffff;
const HIGH = 0x1_0000_0000;

/** What a sealed segment says about itself, and what a scan of an unsealed one finds out. */
export interface SegmentSummary {
  readonly records: number;
  readonly items: number;
  /** First offset that is not in the segment and never will be. */
  readonly endOffset: Offset;
  /** Wall time of the first and last record; NaN when there are none. */
  readonly firstTime: number;
  readonly lastTime: number;
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

/** The header of a segment file, `HEADER_BYTES` long. `created` is the wall time in epoch milliseconds. */
export function encodeHeader(firstOffset: Offset, created: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(HEADER_BYTES, 6);
  writeOffset(header, firstOffset, 8);
  header.writeDoubleLE(created, 16);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4);
  return header;
}

/** The first offset in a header; undefined when it is damaged or of a version this program does not know. */
export function decodeHeader(bytes: Buffer): { readonly firstOffset: Offset; readonly version: number } | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) return undefined;
  if (crc32(bytes.subarray(0, HEADER_BYTES - 4)) !== bytes.readUInt32LE(HEADER_BYTES - 4)) return undefined;
  return { firstOffset: readOffset(bytes, 8), version: bytes.readUInt16LE(4) };
}

/** Writes a record at `at`; the buffer must have room for it. Returns the position after it. Hot path. */
export function encodeRecord(
  target: Buffer,
  at: number,
  offset: Offset,
  items: number,
  time: number,
  payload: Uint8Array,
): number {
  const end = at + RECORD_HEADER_BYTES + payload.length;
  target.writeUInt32LE(payload.length, at + 4);
  target.writeUInt32LE(items, at + 8);
  writeOffset(target, offset, at + 12);
  target.writeDoubleLE(time, at + 20);
  target.set(payload, at + RECORD_HEADER_BYTES);
  target.writeUInt32LE(crc32(target.subarray(at + 4, end)), at);
  return end;
}

/** Payload length as the record at `at` claims it; may be anything where the bytes are damaged. */
export function claimedLength(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4);
}

/** True when the bytes from `at` are a record of this payload length and its checksum is right. */
export function isRecord(bytes: Buffer, at: number, length: number): boolean {
  return crc32(bytes.subarray(at + 4, at + RECORD_HEADER_BYTES + length)) === bytes.readUInt32LE(at);
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

/** The seal of a segment whose records end at `position`. */
export function encodeSeal(summary: SegmentSummary, position: number): Buffer {
  const seal = Buffer.alloc(SEAL_BYTES);
  seal.writeUInt32LE(SEAL_MARK, 4);
  seal.writeUInt32LE(summary.records, 8);
  writeOffset(seal, summary.endOffset, 12);
  seal.writeDoubleLE(summary.items, 20);
  seal.writeDoubleLE(summary.firstTime, 28);
  seal.writeDoubleLE(summary.lastTime, 36);
  seal.writeDoubleLE(position, 44);
  seal.writeUInt32LE(crc32(seal.subarray(4)), 0);
  return seal;
}

/** The seal at `at`, or undefined when there is none for this position of the file. */
export function decodeSeal(bytes: Buffer, at: number, position: number): SegmentSummary | undefined {
  if (bytes.length - at < SEAL_BYTES || bytes.readUInt32LE(at + 4) !== SEAL_MARK) return undefined;
  if (crc32(bytes.subarray(at + 4, at + SEAL_BYTES)) !== bytes.readUInt32LE(at)) return undefined;
  if (bytes.readDoubleLE(at + 44) !== position) return undefined;
  return {
    records: bytes.readUInt32LE(at + 8),
    endOffset: readOffset(bytes, at + 12),
    items: bytes.readDoubleLE(at + 20),
    firstTime: bytes.readDoubleLE(at + 28),
    lastTime: bytes.readDoubleLE(at + 36),
  };
}

function writeOffset(target: Buffer, offset: Offset, at: number): void {
  target.writeUInt32LE(offset % HIGH, at);
  target.writeUInt32LE(Math.floor(offset / HIGH), at + 4);
}

function readOffset(bytes: Buffer, at: number): Offset {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * HIGH;
}
