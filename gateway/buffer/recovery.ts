import { join } from 'node:path';
import { type DiskFile, writeFully } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { Offset } from '../core/log.ts';
import {
  encodeHeader,
  encodeSeal,
  LAYOUT,
  LAYOUTS,
  type Layout,
  type Seal,
  type SegmentPlace,
  UNTHINNED,
} from './format.ts';
import { type Segment, SegmentList } from './segment.ts';
import { type FoundSegment, findSegments, type RecoveryOptions } from './segment-files.ts';
import { type Damage, type ScanResult, scanSegment } from './segment-scanner.ts';
import { findUnreadable, withZeros } from './unreadable.ts';

/** No place in the count of items is known, or needed, for a segment of version 1 before all segments are. */
const NOWHERE: SegmentPlace = { ...UNTHINNED, itemsBefore: 0, unwrittenBefore: 0 };

/** The segments around one that is recovered: the one before it is recovered already. */
interface Neighbours {
  readonly previous: Segment | undefined;
  readonly next: FoundSegment | undefined;
}

/** No record of a segment has this offset: it belongs to the next one. */
function limitOf({ next }: Neighbours): Offset {
  return next?.firstOffset ?? Number.MAX_SAFE_INTEGER;
}

/** What lies in the folder of a log after its recovery. */
export interface Recovered {
  /** Readable ones, in order of their offsets, without overlap. */
  readonly segments: SegmentList;
  /** First offset behind everything that is there. */
  readonly endOffset: Offset;
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
  for (const [index, file] of found.entries()) {
    const neighbours = { previous: segments.last, next: found[index + 1] };
    let segment: Segment | undefined;
    try {
      segment = await recoverSegment(options, file, neighbours);
    } catch (error) {
      options.logger.error({ segment: file.name }, `cannot recover segment ${file.name}: ${messageOf(error)}`);
      unreadable.push(file.firstOffset);
    }
    if (segment === undefined) continue;
    if (segments.length > 0 && segment.firstOffset > endOffset) {
      const missing = segment.firstOffset - endOffset;
      options.logger.error(
        { firstOffset: endOffset, endOffset: segment.firstOffset },
        `${missing} records are missing before segment ${file.name}`,
      );
    }
    segments.add(segment);
    endOffset = segment.endOffset;
  }
  for (const offset of unreadable) endOffset = Math.max(endOffset, offset + MOST_RECORDS);
  return { segments, endOffset };
}

async function recoverSegment(
  options: RecoveryOptions,
  found: FoundSegment,
  neighbours: Neighbours,
): Promise<Segment | undefined> {
  const limit = limitOf(neighbours);
  const path = join(options.path, found.name);
  if (found.size <= (found.layout ?? LAYOUT).headerBytes) {
    options.logger.info({ segment: found.name }, `segment ${found.name} holds no records: removed`);
    await options.disk.remove(path);
    return undefined;
  }
  const { seal, layout, headerIsGood } = found;
  if (seal !== undefined && layout !== undefined && headerIsGood) {
    const dataEnd = found.size - layout.sealBytes;
    const place = found.place ?? NOWHERE;
    return asSegment(path, { ...found, layout, place, isPassedOver: false }, { ...seal, dataEnd }, limit);
  }
  const file = await options.disk.open(path, 'write');
  try {
    const { scanned, unreadable } = await scanAround(options, file, found, neighbours);
    if (scanned !== undefined) {
      await mend(options, withZeros(file, unreadable), scanned, limit);
      const size = scanned.dataEnd + scanned.layout.sealBytes;
      return asSegment(path, { ...scanned, size, isPassedOver: unreadable.length > 0 }, scanned, limit);
    }
    // Nobody knows what it holds: it may be all there at the next start.
    if (unreadable.length > 0) throw new Error('the disk refuses it, so it is left alone');
  } finally {
    // What was written is synced.
    await file.close().catch(() => undefined);
  }
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

/** A segment that was read whole. */
interface Scanned extends ScanResult, Pick<Seal, 'appendedItems'> {
  readonly name: string;
  readonly firstOffset: Offset;
  readonly headerIsGood: boolean;
  readonly layout: Layout;
  readonly place: SegmentPlace;
}

/** Scans a segment; what the disk refuses of it is damage, and the rest is read. */
async function scanAround(
  options: RecoveryOptions,
  file: DiskFile,
  found: FoundSegment,
  neighbours: Neighbours,
): Promise<{ scanned: Scanned | undefined; unreadable: readonly Damage[] }> {
  try {
    return { scanned: await scan(options, file, found, neighbours), unreadable: [] };
  } catch (error) {
    const unreadable = await findUnreadable(file);
    options.logger.error(
      { segment: found.name, unreadable },
      `the disk refuses parts of segment ${found.name}: passed over as damage: ${messageOf(error)}`,
    );
    const scanned = await scan(options, withZeros(file, unreadable), found, neighbours);
    return { scanned: scanned && skipRefusedEnd(scanned, unreadable), unreadable };
  }
}

/** An end that the disk refuses may be more than a torn write, and nobody knows how many records it held: their offsets are not given again. */
function skipRefusedEnd(scanned: Scanned, unreadable: readonly Damage[]): Scanned {
  const { tail, damage, endOffset, layout } = scanned;
  if (tail === undefined || !unreadable.some(({ end }) => end > tail.start)) return scanned;
  const mostRecords = Math.ceil((tail.end - tail.start) / layout.recordBytes);
  return { ...scanned, damage: [...damage, tail], tail: undefined, endOffset: endOffset + mostRecords };
}

/** Reads a segment whole. Where a damaged header does not tell the layout, the one that finds records is right. */
async function scan(
  options: RecoveryOptions,
  file: DiskFile,
  found: FoundSegment,
  neighbours: Neighbours,
): Promise<Scanned | undefined> {
  const { name, firstOffset, headerIsGood } = found;
  const limit = limitOf(neighbours);
  for (const layout of found.layout === undefined ? LAYOUTS : [found.layout]) {
    const itemsBefore = found.place?.itemsBefore ?? 0;
    const result = await scanSegment(file, { layout, firstOffset, itemsBefore }, limit);
    if (result.records === 0) continue;
    const place = found.place ?? guessPlace(options, result, firstOffset, neighbours);
    const known = place.level > 0 ? place.itemsAtThinning : result.endOrdinal - place.itemsBefore;
    const appendedItems = result.seal?.appendedItems ?? known;
    return { ...result, name, firstOffset, headerIsGood, layout, place, appendedItems };
  }
  return undefined;
}

/**
 * The place of a segment that has lost header and seal: it begins where the one before it ends or, where that is missing too, with its first
 * record; what was thinned out of it is remembered, and the next one tells how many items it had.
 */
function guessPlace(
  { thinnedOf }: RecoveryOptions,
  { firstOrdinal }: ScanResult,
  firstOffset: Offset,
  { previous, next }: Neighbours,
): SegmentPlace {
  const follows = previous?.endOffset === firstOffset && previous.layout.version > 1;
  const itemsBefore = follows ? previous.place.itemsBefore + previous.appendedItems : firstOrdinal;
  const start = { ...NOWHERE, itemsBefore, unwrittenBefore: previous?.place.unwrittenBefore ?? 0 };
  const thinnedItems = thinnedOf(firstOffset);
  if (thinnedItems === 0 || next?.place === undefined) return start;
  return { ...start, thinnedItems, itemsAtThinning: next.place.itemsBefore - itemsBefore, level: 1 };
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
async function mend(options: RecoveryOptions, file: DiskFile, scan: Scanned, limit: Offset): Promise<void> {
  const { logger, quarantine } = options;
  const { name, layout, place, headerIsGood } = scan;
  const { surplus, tail } = scan.endsInZeros ? {} : scan;
  const damage = [...scan.damage];
  if (!headerIsGood) damage.unshift({ start: 0, end: layout.headerBytes });
  if (surplus !== undefined) damage.push(surplus);
  if (tail !== undefined) {
    const bytes = tail.end - tail.start;
    // The last segment ends in a torn write after every crash, and one that was given up in what the next one holds. Else it is damage, unless it
    // is but a torn seal.
    const isWhole = limit === Number.MAX_SAFE_INTEGER || scan.endOffset >= limit;
    const isOrdinary = isWhole || bytes <= layout.sealBytes;
    if (isOrdinary) logger.info({ segment: name, bytes }, `cut ${bytes} bytes of a torn write from segment ${name}`);
    else damage.push(tail);
  }
  for (const stretch of damage) await quarantine.setAside(name, file, stretch);
  try {
    if (!headerIsGood) await writeFully(file, encodeHeader(scan.firstOffset, scan.firstTime, place, layout), 0);
    await rewrite(file, scan.dataEnd);
    await file.truncate(scan.dataEnd);
    // A start that finds a seal takes all before it as safe. So it comes last: where this process dies, and the power goes later on, it must
    // not stand for what only the memory of the operating system had.
    await file.datasync();
    await options.disk.syncDirectory(options.path);
    // Version 1 has one count of items in a seal: what was appended, so that a later start knows it too.
    const items = layout.version === 1 ? scan.appendedItems : scan.items;
    const summary = { ...scan, items, endOffset: Math.min(scan.endOffset, limit) };
    await writeFully(file, encodeSeal(summary, place, scan.dataEnd, layout), scan.dataEnd);
  } catch (error) {
    // Its records are known all the same; the next start tries again.
    logger.warn({ segment: name }, `cannot seal segment ${name}: ${messageOf(error)}`);
  }
}

function asSegment(
  path: string,
  {
    firstOffset,
    layout,
    place,
    size,
    isPassedOver,
  }: Pick<Scanned, 'firstOffset' | 'layout' | 'place'> & Pick<Segment, 'isPassedOver'> & { readonly size: number },
  summary: Omit<Seal, 'place' | 'firstOffset'> & { readonly dataEnd: number },
  limit: Offset,
): Segment {
  return {
    path,
    layout,
    firstOffset,
    place,
    triedLevel: place.level,
    endOffset: Math.min(summary.endOffset, limit),
    dataEnd: summary.dataEnd,
    fileBytes: size,
    records: summary.records,
    appendedItems: summary.appendedItems,
    damagedItems: Math.max(0, summary.appendedItems - place.thinnedItems - summary.items),
    missingBehind: 0,
    isPassedOver,
    moving: undefined,
    firstTime: summary.firstTime,
    lastTime: summary.lastTime,
    retired: false,
    removed: false,
  };
}
