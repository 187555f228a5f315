import { join } from 'node:path';
import type { Disk, DiskFile } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { Offset } from '../core/log.ts';
import type { Logger } from '../core/telemetry.ts';
import {
  decodeHeader,
  decodeSeal,
  LAYOUT,
  LAYOUTS,
  type Layout,
  parseSegmentName,
  type Seal,
  type SegmentPlace,
  segmentName,
  VERSION,
} from './format.ts';
import type { Quarantine } from './quarantine.ts';
import { THINNED_SUFFIX } from './thinning.ts';

/** Where to recover a log, and where to put what is damaged. */
export interface RecoveryOptions {
  readonly disk: Disk;
  /** Folder of the log, which the caller has locked. */
  readonly path: string;
  readonly logger: Logger;
  readonly quarantine: Quarantine;
  /** Items that were thinned out of the segment with this first offset, as far as that was noted. */
  readonly thinnedOf: (firstOffset: Offset) => number;
}

/** A segment file as it was found. */
export interface FoundSegment {
  readonly name: string;
  /** The first offset as its name says. */
  readonly nameOffset: Offset;
  readonly firstOffset: Offset;
  readonly size: number;
  readonly headerIsGood: boolean;
  /** Undefined where neither header nor seal tells. */
  readonly layout: Layout | undefined;
  /** Undefined where neither header nor seal tells, and in version 1. */
  readonly place: SegmentPlace | undefined;
  readonly seal: Seal | undefined;
}

const MISNAMED = '.misnamed';
const READ_ATTEMPTS = 3;

/**
 * All segment files in order of their first offset, under their right names.
 *
 * @returns `unreadable`: the offsets in the names of files that are left alone
 * @throws the disk's error where the folder cannot be listed
 */
export async function findSegments(
  options: RecoveryOptions,
): Promise<{ found: readonly FoundSegment[]; unreadable: Offset[] }> {
  const found: FoundSegment[] = [];
  const unreadable: Offset[] = [];
  for (const name of await options.disk.list(options.path)) {
    if (name.endsWith(THINNED_SUFFIX)) await removeLeftover(options, name);
    const nameOffset = parseSegmentName(name.replaceAll(MISNAMED, ''));
    if (nameOffset === undefined) continue;
    const file = await look(options, name, nameOffset);
    if (file === undefined) unreadable.push(nameOffset);
    else found.push(file);
  }
  const { named, refused } = await rename(options, found);
  for (const file of refused) unreadable.push(file.firstOffset, file.nameOffset);
  return { found: named.sort((a, b) => a.firstOffset - b.firstOffset), unreadable };
}

/** A rewrite that was not finished: the segment itself is still there. */
async function removeLeftover({ disk, path, logger }: RecoveryOptions, name: string): Promise<void> {
  try {
    await disk.remove(join(path, name));
  } catch (error) {
    logger.warn({ name }, `cannot remove the unfinished file ${name}: ${messageOf(error)}`);
  }
}

/** Reads header and seal. A file that cannot be read is left alone and told. */
async function look(options: RecoveryOptions, name: string, nameOffset: Offset): Promise<FoundSegment | undefined> {
  const path = join(options.path, name);
  let file: DiskFile | undefined;
  try {
    file = await options.disk.open(path, 'read');
    const size = await file.size();
    const header = Buffer.alloc(Math.min(LAYOUT.headerBytes, size));
    await readIfGiven(file, header, 0);
    const decoded = decodeHeader(header);
    if (decoded !== undefined && decoded.version > VERSION) {
      options.logger.error(
        { segment: name },
        `segment ${name} has format ${decoded.version}, this program knows ${VERSION}: it is left alone`,
      );
      return undefined;
    }
    const layout = LAYOUTS.find(({ version }) => version === decoded?.version);
    const sealed = await readSeal(file, size, layout === undefined ? LAYOUTS : [layout]);
    return {
      name,
      nameOffset,
      size,
      firstOffset: decoded?.firstOffset ?? sealed?.seal.firstOffset ?? nameOffset,
      headerIsGood: decoded?.isWhole === true,
      layout: layout ?? sealed?.layout,
      place: decoded?.place ?? sealed?.seal.place,
      seal: sealed?.seal,
    };
  } catch (error) {
    options.logger.error({ segment: name }, `cannot read segment ${name}: ${messageOf(error)}`);
    return undefined;
  } finally {
    // It was only read.
    await file?.close().catch(() => undefined);
  }
}

/** The seal at the end of a file, in one of some layouts. */
async function readSeal(
  file: DiskFile,
  size: number,
  layouts: readonly Layout[],
): Promise<{ layout: Layout; seal: Seal } | undefined> {
  for (const layout of layouts) {
    const sealAt = size - layout.sealBytes;
    if (sealAt < layout.headerBytes) continue;
    const bytes = Buffer.alloc(layout.sealBytes);
    await readIfGiven(file, bytes, sealAt);
    const seal = decodeSeal(bytes, 0, sealAt, layout);
    if (seal !== undefined) return { layout, seal };
  }
  return undefined;
}

/** Where the disk refuses, `target` stays zeros: a header or a seal that is damaged, which the scan of the whole segment makes up for. */
async function readIfGiven(file: DiskFile, target: Buffer, position: number): Promise<void> {
  for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt++) {
    try {
      await file.read(target, position);
      return;
    } catch {
      target.fill(0);
    }
  }
}

/** A header knows better than a name: files that were swapped or renamed get their names back, but those that the disk refuses to rename. */
async function rename(
  options: RecoveryOptions,
  found: readonly FoundSegment[],
): Promise<{ named: FoundSegment[]; refused: readonly FoundSegment[] }> {
  const named = found.filter((file) => file.name === segmentName(file.firstOffset));
  const wrong = found.filter((file) => file.name !== segmentName(file.firstOffset));
  if (wrong.length === 0) return { named, refused: [] };
  const taken = new Set(named.map((file) => file.name));
  const refused: FoundSegment[] = [];
  const moved: FoundSegment[] = [];
  for (const file of wrong) {
    if (await tryRename(options, file, `${file.name}${MISNAMED}`)) moved.push(file);
    else refused.push(file);
  }
  const names = new Set(refused.map((file) => file.name));
  for (const file of moved) {
    const name = segmentName(file.firstOffset);
    const misnamed = { ...file, name: `${file.name}${MISNAMED}` };
    if (taken.has(name)) {
      const reason = `it says that it is ${name}, and so does another`;
      await options.quarantine.moveAside(join(options.path, misnamed.name), file.name, file.size, reason);
    } else if (names.has(name) || !(await tryRename(options, misnamed, name))) {
      // A file that could not be moved out of the way must not be replaced.
      refused.push(misnamed);
    } else {
      taken.add(name);
      options.logger.warn({ segment: file.name }, `segment ${file.name} says that it is ${name}: renamed`);
      named.push({ ...file, name });
    }
  }
  await options.disk.syncDirectory(options.path);
  return { named, refused };
}

async function tryRename(
  { disk, path, logger }: RecoveryOptions,
  { name }: FoundSegment,
  to: string,
): Promise<boolean> {
  try {
    await disk.rename(join(path, name), join(path, to));
    return true;
  } catch (error) {
    logger.error({ segment: name }, `cannot rename segment ${name} to ${to}, it is left alone: ${messageOf(error)}`);
    return false;
  }
}
