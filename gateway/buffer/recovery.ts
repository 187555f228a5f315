import { join } from 'node:path';
import { type DiskFile, writeFully } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { Offset } from '../core/log.ts';
import { encodeHeader, encodeSeal, HEADER_BYTES, SEAL_BYTES, type SegmentSummary } from './format.ts';
import { type Segment, SegmentList } from './segment.ts';
import { type FoundSegment, findSegments, type RecoveryOptions } from './segment-files.ts';
import { type ScanResult, scanSegment } from './segment-scanner.ts';

/** What lies in the folder of a log after its recovery. */
export interface Recovered {
  /** Readable ones, in order of their offsets, without overlap. */
  readonly segments: SegmentList;
  /** First offset behind everything that is there. */
  readonly endOffset: Offset;
  /** Records that ought to be between two segments and are not. */
  readonly missingRecords: number;
}

/** No segment has more records: skipped behind one that cannot be read, so that no offset is given twice. */
const MOST_RECORDS = 10_000_000;
const REWRITE_BYTES = 1024 * 1024;

/**
 * Finds out what a log holds, and puts right what the end of the last process, or damage, has left: misnamed segments get
 * their names back, torn ends are cut, damaged stretches are set aside, whatever has no seal gets one. Only segments without a
 * seal are read whole. Afterwards every segment is closed: the next record goes to a new one.
 */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { found, unreadable } = await findSegments(options);
  const segments = new SegmentList();
  let endOffset: Offset = 0;
  let missingRecords = 0;
  for (const [index, file] of found.entries()) {
    const limit = found[index + 1]?.firstOffset ?? Number.MAX_SAFE_INTEGER;
    let segment: Segment | undefined;
    try {
      segment = await recoverSegment(options, file, limit);
    } catch (error) {
      options.logger.error({ segment: file.name }, `cannot recover segment ${file.name}: ${messageOf(error)}`);
      unreadable.push(file.firstOffset);
    }
    if (segment === undefined) continue;
    if (segments.length > 0 && segment.firstOffset > endOffset) {
      const missing = segment.firstOffset - endOffset;
      missingRecords += missing;
      options.logger.error(
        { firstOffset: endOffset, endOffset: segment.firstOffset },
        `${missing} records are missing before segment ${file.name}`,
      );
    }
    segments.add(segment);
    endOffset = segment.endOffset;
  }
  for (const offset of unreadable) endOffset = Math.max(endOffset, offset + MOST_RECORDS);
  return { segments, endOffset, missingRecords };
}

async function recoverSegment(
  options: RecoveryOptions,
  found: FoundSegment,
  limit: Offset,
): Promise<Segment | undefined> {
  const path = join(options.path, found.name);
  if (found.size <= HEADER_BYTES) {
    options.logger.info({ segment: found.name }, `segment ${found.name} holds no records: removed`);
    await options.disk.remove(path);
    return undefined;
  }
  if (found.seal !== undefined && found.headerIsGood) {
    return asSegment(path, found, { ...found.seal, dataEnd: found.size - SEAL_BYTES }, limit);
  }
  let scan: ScanResult;
  const file = await options.disk.open(path, 'write');
  try {
    scan = await scanSegment(file, found.firstOffset, limit);
    if (scan.records > 0) await mend(options, file, found, scan, limit);
  } finally {
    await file.close();
  }
  if (scan.records > 0) return asSegment(path, { ...found, size: scan.dataEnd + SEAL_BYTES }, scan, limit);
  if (limit === Number.MAX_SAFE_INTEGER && found.headerIsGood) {
    options.logger.info(
      { segment: found.name, bytes: found.size },
      `segment ${found.name} holds only a torn write: removed`,
    );
    await options.disk.remove(path);
  } else {
    await options.quarantine.moveAside(path, found.name, found.size, 'it holds no record that could be read');
  }
  return undefined;
}

/**
 * Writes the content of a file over itself. What a crashed process wrote may be readable from the memory of the operating system
 * alone, and after a sync that failed it may have forgotten that this still has to be written: a sync would promise too much.
 */
async function rewrite(file: DiskFile, end: number): Promise<void> {
  const block = Buffer.allocUnsafe(Math.min(end, REWRITE_BYTES));
  for (let position = 0; position < end; position += block.length) {
    const part = block.subarray(0, Math.min(block.length, end - position));
    await file.read(part, position);
    await writeFully(file, part, position);
  }
}

/** Sets damage aside, cuts what is behind the last good record, and seals the segment. */
async function mend(
  options: RecoveryOptions,
  file: DiskFile,
  found: FoundSegment,
  scan: ScanResult,
  limit: Offset,
): Promise<void> {
  const { logger, quarantine } = options;
  const damage = [...scan.damage];
  if (!found.headerIsGood) damage.unshift({ start: 0, end: HEADER_BYTES });
  if (scan.surplus !== undefined) damage.push(scan.surplus);
  if (scan.tail !== undefined) {
    const bytes = scan.tail.end - scan.tail.start;
    // The last segment ends in a torn write after every crash. In another one it is damage, unless it is but a torn seal.
    const isOrdinary = limit === Number.MAX_SAFE_INTEGER || bytes <= SEAL_BYTES;
    if (isOrdinary)
      logger.info({ segment: found.name, bytes }, `cut ${bytes} bytes of a torn write from segment ${found.name}`);
    else damage.push(scan.tail);
  }
  for (const stretch of damage) await quarantine.setAside(found.name, file, stretch);
  try {
    if (!found.headerIsGood) await writeFully(file, encodeHeader(found.firstOffset, scan.firstTime), 0);
    await rewrite(file, scan.dataEnd);
    await file.truncate(scan.dataEnd);
    await writeFully(
      file,
      encodeSeal({ ...scan, endOffset: Math.min(scan.endOffset, limit) }, scan.dataEnd),
      scan.dataEnd,
    );
    await file.datasync();
    await options.disk.syncDirectory(options.path);
  } catch (error) {
    // Its records are known all the same; the next start tries again.
    logger.warn({ segment: found.name }, `cannot seal segment ${found.name}: ${messageOf(error)}`);
  }
}

function asSegment(
  path: string,
  found: FoundSegment,
  summary: SegmentSummary & { readonly dataEnd: number },
  limit: Offset,
): Segment {
  return {
    path,
    firstOffset: found.firstOffset,
    endOffset: Math.min(summary.endOffset, limit),
    dataEnd: summary.dataEnd,
    fileBytes: found.size,
    records: summary.records,
    items: summary.items,
    firstTime: summary.firstTime,
    lastTime: summary.lastTime,
    removed: false,
  };
}
