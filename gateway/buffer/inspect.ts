import { basename, join } from 'node:path';
import { systemDisk } from '../base/system-disk.ts';
import type { EpochMs } from '../core/clock.ts';
import { type Disk, type DiskFile, errorCode } from '../core/disk.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { LogRecord, Offset } from '../core/log.ts';
import { asCount, readChecked } from './checked-file.ts';
import { CURSOR_SUFFIX } from './cursors.ts';
import { decodeHeader, LAYOUT, LAYOUTS, parseSegmentName, type SegmentHeader, type SegmentPlace } from './format.ts';
import { lossesIn } from './log-state.ts';
import { type Damage, type ScanResult, type ScanStart, SegmentScanner, scanSegment } from './segment-scanner.ts';

/*
 * A look into logs on disk. Nothing is written and no lock is taken, so it works beside a running gateway as well: what is
 * being written may look torn, and segments may go while they are looked at.
 */

/** What there is of a log without reading its records. */
export interface LogSummary {
  /** Name of its folder. */
  readonly name: string;
  readonly path: string;
  readonly segments: number;
  readonly bytes: number;
  /** First offset of the oldest segment; undefined when there is none. */
  readonly firstOffset: Offset | undefined;
  readonly cursors: readonly { readonly name: string; readonly offset: Offset }[];
  /** Counts as last saved: a running log has gone on since. */
  readonly droppedItems: number;
  readonly damagedItems: number;
  /** Files in its quarantine. */
  readonly quarantined: number;
}

/** What a segment really holds: every record was read and its checksum compared. */
export interface SegmentReport {
  readonly name: string;
  readonly records: number;
  readonly items: number;
  readonly bytes: number;
  readonly firstOffset: Offset;
  /** Items of the log before its first record; undefined in format version 1, which does not tell, and where the header is damaged. */
  readonly firstOrdinal: number | undefined;
  /** How often it was thinned, and how many items that has taken out. */
  readonly level: number;
  readonly thinnedItems: number;
  /** Offset of the last record; undefined without any. */
  readonly lastOffset: Offset | undefined;
  /** Wall times of first and last record; undefined without any. */
  readonly firstTime: EpochMs | undefined;
  readonly lastTime: EpochMs | undefined;
  /** True when the segment was closed properly; false for the one that is being written. */
  readonly sealed: boolean;
  /** Stretches that hold no readable record although they should. */
  readonly damage: readonly Damage[];
  /** Bytes of a write at the end that is not finished, or never was. */
  readonly tornBytes: number;
  /** Why the file could not be read; its other fields say nothing then. */
  readonly unreadable: string | undefined;
}

/** What a verification found in one log, in order of the segments. */
export interface LogReport {
  /** Folder of the log. */
  readonly path: string;
  readonly segments: readonly SegmentReport[];
}

/** How far a verification has come. */
export interface VerifyProgress {
  readonly segment: string;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** The logs in a folder: the folder itself where it is one, and those of its subfolders that are. */
export async function listLogs(path: string, disk: Disk = systemDisk): Promise<readonly LogSummary[]> {
  const names = await entries(disk, path);
  if (names === undefined) throw new GatewayError(`cannot look into ${path}: there is no such folder`);
  const summaries: LogSummary[] = [];
  for (const folder of [path, ...names.map((name) => join(path, name)).sort()]) {
    const summary = await summarise(disk, folder);
    if (summary !== undefined) summaries.push(summary);
  }
  return summaries;
}

/** Reads every record of one log. @param onProgress called after each segment */
export async function verifyLog(
  path: string,
  onProgress?: (progress: VerifyProgress) => void,
  disk: Disk = systemDisk,
): Promise<LogReport> {
  const files = await segmentFiles(disk, path);
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const segments: SegmentReport[] = [];
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    const next = files[index + 1];
    const follower = next && {
      firstOffset: next.firstOffset,
      place: await withFile(disk, join(path, next.name), placeOf),
    };
    const report = await withFile(disk, join(path, file.name), (open) => verify(open, file, follower));
    if (report !== undefined) segments.push(report);
    bytes += file.bytes;
    onProgress?.({ segment: file.name, bytes, totalBytes });
  }
  return { path, segments };
}

/** All readable records of one log in order; damage is passed over. */
export async function* dumpLog(path: string, disk: Disk = systemDisk): AsyncGenerator<LogRecord> {
  const files = await segmentFiles(disk, path);
  for (const [index, { name, firstOffset }] of files.entries()) {
    const limit = files[index + 1]?.firstOffset ?? Number.MAX_SAFE_INTEGER;
    const file = await openIfThere(disk, join(path, name));
    if (file === undefined) continue;
    try {
      const scanner = new SegmentScanner(file, startOf(await readHeader(file), firstOffset));
      const size = await file.size();
      for (;;) {
        const { records, finished } = await scanner.next(size, limit, DUMP_BYTES);
        yield* records;
        if (finished) break;
      }
    } finally {
      await file.close();
    }
  }
}

const DUMP_BYTES = 1024 * 1024;

interface SegmentFile {
  readonly name: string;
  readonly firstOffset: Offset;
  readonly bytes: number;
}

/** The segment behind one that is looked at, and where it stands, if its header says that. */
interface Follower {
  readonly firstOffset: Offset;
  readonly place: SegmentPlace | undefined;
}

async function verify(
  file: DiskFile,
  { name, firstOffset, bytes }: SegmentFile,
  next: Follower | undefined,
): Promise<SegmentReport> {
  const nothing = { records: 0, items: 0, lastOffset: undefined, firstTime: undefined, lastTime: undefined };
  const empty = {
    name,
    bytes,
    firstOffset,
    firstOrdinal: undefined,
    level: 0,
    thinnedItems: 0,
    ...nothing,
    sealed: false,
    damage: [],
    tornBytes: 0,
    unreadable: undefined,
  };
  try {
    const size = await file.size();
    const header = await readHeader(file);
    const start = startOf(header, firstOffset);
    const { headerBytes, sealBytes } = start.layout;
    if (size < headerBytes) return { ...empty, tornBytes: size };
    let lastOffset: Offset | undefined;
    const scan = await scanSegment(file, start, next?.firstOffset ?? Number.MAX_SAFE_INTEGER, (records) => {
      lastOffset = records.at(-1)!.offset;
    });
    const damage = [...scan.damage];
    if (header?.firstOffset !== firstOffset || !header.isWhole) damage.unshift({ start: 0, end: headerBytes });
    const { surplus, tail } = scan.endsInZeros && !isCutShort(scan, header?.place, next) ? {} : scan;
    if (surplus !== undefined) damage.push(surplus);
    const tornBytes = tail === undefined ? 0 : size - tail.start;
    // Only a torn write at the very end of the log, or one that the next segment holds once more, or a torn seal, is what a crash leaves.
    const isWhole = next === undefined || scan.endOffset >= next.firstOffset;
    const isOrdinary = isWhole || (tornBytes <= sealBytes && !scan.endsInZeros);
    if (tail !== undefined && !isOrdinary) damage.push(tail);
    return {
      ...empty,
      ...(header?.place === undefined ? {} : { ...header.place, firstOrdinal: header.place.itemsBefore }),
      records: scan.records,
      items: scan.items,
      lastOffset,
      firstTime: scan.records > 0 ? scan.firstTime : undefined,
      lastTime: scan.records > 0 ? scan.lastTime : undefined,
      sealed: scan.seal !== undefined,
      damage,
      tornBytes: isOrdinary ? tornBytes : 0,
    };
  } catch (error) {
    return { ...empty, unreadable: messageOf(error) };
  }
}

/** Whether something is missing between what a segment holds and the next one, but for what was never written. */
function isCutShort(
  { endOffset, endOrdinal }: ScanResult,
  place: SegmentPlace | undefined,
  next: Follower | undefined,
): boolean {
  if (next === undefined || endOffset >= next.firstOffset) return false;
  if (place === undefined || next.place === undefined || place.level > 0) return true;
  const unwritten = next.place.unwrittenBefore - place.unwrittenBefore;
  return endOrdinal + unwritten < next.place.itemsBefore;
}

async function placeOf(file: DiskFile): Promise<SegmentPlace | undefined> {
  return (await readHeader(file))?.place;
}

async function readHeader(file: DiskFile): Promise<SegmentHeader | undefined> {
  const bytes = Buffer.alloc(LAYOUT.headerBytes);
  return decodeHeader(bytes.subarray(0, await file.read(bytes, 0)));
}

/** Where a header is damaged, the newest layout is tried. */
function startOf(header: SegmentHeader | undefined, firstOffset: Offset): ScanStart {
  const layout = LAYOUTS.find(({ version }) => version === header?.version) ?? LAYOUT;
  return { layout, firstOffset, itemsBefore: header?.place?.itemsBefore ?? 0 };
}

async function summarise(disk: Disk, path: string): Promise<LogSummary | undefined> {
  const names = await entries(disk, path);
  if (names === undefined) return undefined;
  const files = await segmentFiles(disk, path);
  if (files.length === 0 && !names.includes('state')) return undefined;
  const state = await readChecked(disk, join(path, 'state'));
  return {
    name: basename(path),
    path,
    segments: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    firstOffset: files[0]?.firstOffset,
    cursors: await cursorsOf(disk, join(path, 'cursors')),
    ...lossesIn(typeof state === 'string' ? {} : state),
    quarantined: (await entries(disk, join(path, 'quarantine')))?.length ?? 0,
  };
}

async function cursorsOf(disk: Disk, path: string): Promise<LogSummary['cursors']> {
  const cursors: { name: string; offset: Offset }[] = [];
  for (const file of (await entries(disk, path)) ?? []) {
    if (!file.endsWith(CURSOR_SUFFIX)) continue;
    const content = await readChecked(disk, join(path, file));
    if (typeof content === 'string') continue;
    const offset = asCount(content['offset']);
    if (typeof content['name'] === 'string' && offset !== undefined) cursors.push({ name: content['name'], offset });
  }
  return cursors.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function segmentFiles(disk: Disk, path: string): Promise<readonly SegmentFile[]> {
  const names = await entries(disk, path);
  if (names === undefined) throw new GatewayError(`cannot look into ${path}: there is no such folder`);
  const files: SegmentFile[] = [];
  for (const name of names) {
    const firstOffset = parseSegmentName(name);
    if (firstOffset === undefined) continue;
    const bytes = await withFile(disk, join(path, name), (file) => file.size());
    if (bytes !== undefined) files.push({ name, firstOffset, bytes });
  }
  return files.sort((a, b) => a.firstOffset - b.firstOffset);
}

async function withFile<T>(disk: Disk, path: string, use: (file: DiskFile) => Promise<T>): Promise<T | undefined> {
  const file = await openIfThere(disk, path);
  if (file === undefined) return undefined;
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Undefined when the file has gone meanwhile. */
async function openIfThere(disk: Disk, path: string): Promise<DiskFile | undefined> {
  try {
    return await disk.open(path, 'read');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Names in a folder; undefined when it is none. */
async function entries(disk: Disk, path: string): Promise<readonly string[] | undefined> {
  try {
    return await disk.list(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
