import type { Disk, DiskFile } from '../core/disk.ts';
import type { Segment } from './segment.ts';
import type { Damage } from './segment-scanner.ts';

/** A disk gives or refuses a page as a whole. */
const PAGE_BYTES = 4096;
const BLOCK_BYTES = 256 * 1024;
/** A page is asked for so often before it counts as one that the disk refuses. */
const ATTEMPTS = 3;

/** What the disk refuses of a file. */
export interface Unreadable {
  readonly stretches: readonly Damage[];
  /** It gives nothing of it. */
  readonly isWhole: boolean;
  /** It does not even open it. */
  readonly isClosed: boolean;
}

/** Looks what the disk refuses of the file at a path. Rejects where it does not tell the size of the file. */
export async function unreadableIn(
  disk: Disk,
  { path, fileBytes }: Pick<Segment, 'path' | 'fileBytes'>,
): Promise<Unreadable> {
  let file: DiskFile;
  try {
    file = await disk.open(path, 'read');
  } catch {
    return { stretches: [{ start: 0, end: fileBytes }], isWhole: true, isClosed: true };
  }
  try {
    const stretches = await findUnreadable(file);
    const isWhole = stretches[0] !== undefined && stretches[0].start === 0 && stretches[0].end >= fileBytes;
    return { stretches, isWhole, isClosed: false };
  } finally {
    await file.close().catch(() => undefined);
  }
}

/** Whether the disk gives the beginning of a file, where a segment has its header. */
export async function givesFirstPage(disk: Disk, { path }: Pick<Segment, 'path'>): Promise<boolean> {
  let file: DiskFile;
  try {
    file = await disk.open(path, 'read');
  } catch {
    return false;
  }
  const isThere = await isGiven(file, Buffer.allocUnsafe(PAGE_BYTES), 0);
  await file.close().catch(() => undefined);
  return isThere;
}

/** Looks for the pages of a file that the disk refuses to read, and gives those next to each other as one stretch. Reads the whole file. */
export async function findUnreadable(file: DiskFile): Promise<readonly Damage[]> {
  const size = await file.size();
  const stretches: { start: number; end: number }[] = [];
  for (let block = 0; block < size; block += BLOCK_BYTES) {
    const blockEnd = Math.min(block + BLOCK_BYTES, size);
    if (await isGiven(file, Buffer.allocUnsafe(blockEnd - block), block)) continue;
    for (let start = block; start < blockEnd; start += PAGE_BYTES) {
      const end = Math.min(start + PAGE_BYTES, blockEnd);
      if (await isGiven(file, Buffer.allocUnsafe(end - start), start)) continue;
      const last = stretches.at(-1);
      if (last?.end === start) last.end = end;
      else stretches.push({ start, end });
    }
  }
  return stretches;
}

/** The same file, in which stretches read as zeros, without asking the disk for them: zeros are no record. */
export function withZeros(file: DiskFile, stretches: readonly Damage[]): DiskFile {
  if (stretches.length === 0) return file;
  return withRead(file, async (target, position) => {
    const end = Math.min(position + target.length, await file.size());
    let at = position;
    for (const stretch of stretches) {
      const start = Math.max(at, stretch.start);
      const behind = Math.min(end, stretch.end);
      if (start >= behind) continue;
      if (at < start) await file.read(target.subarray(at - position, start - position), at);
      target.fill(0, start - position, behind - position);
      at = behind;
    }
    if (at < end) await file.read(target.subarray(at - position, end - position), at);
    return Math.max(0, end - position);
  });
}

/**
 * The same file, in which a page that the disk refuses three times reads as zeros. Nothing is remembered: what it gives again the next time is read.
 */
export function withRefusedAsZeros(file: DiskFile): DiskFile {
  return withRead(file, async (target, position) => {
    const size = await file.size();
    const wanted = target.subarray(0, Math.max(0, size - position));
    if (!(await isGiven(file, wanted, position))) await readPages(file, wanted, position);
    return wanted.length;
  });
}

/** The same file, read in another way. */
function withRead(file: DiskFile, read: DiskFile['read']): DiskFile {
  return {
    read,
    size: () => file.size(),
    write: (source, position) => file.write(source, position),
    truncate: (bytes) => file.truncate(bytes),
    datasync: () => file.datasync(),
    close: () => file.close(),
  };
}

async function readPages(file: DiskFile, target: Uint8Array, position: number): Promise<void> {
  const end = position + target.length;
  for (let at = position; at < end; ) {
    const pageEnd = Math.min(end, at - (at % PAGE_BYTES) + PAGE_BYTES);
    const page = target.subarray(at - position, pageEnd - position);
    if (!(await isGiven(file, page, at))) page.fill(0);
    at = pageEnd;
  }
}

async function isGiven(file: DiskFile, target: Uint8Array, position: number): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      await file.read(target, position);
      return true;
    } catch {
      // That is the question that is asked here.
    }
  }
  return false;
}
