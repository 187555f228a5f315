import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { systemDisk } from '../../gateway/base/system-disk.ts';
import { SegmentLog } from '../../gateway/buffer/segment-log.ts';
import { recordingLogger } from '../recording-logger.ts';

const SECTOR_BYTES = 512;
const READING_BYTES = 100;
const COMMITS = 120;
const never = new AbortController().signal;

/** How readings come to a log. */
interface Group {
  /** Readings that share a commit, and so a sync. */
  readonly inCommit: number;
  /** Readings that share a record. */
  readonly inRecord: number;
}

const GROUPS: readonly Group[] = [
  { inCommit: 1, inRecord: 1 },
  { inCommit: 20, inRecord: 20 },
  { inCommit: 20, inRecord: 1 },
  { inCommit: 400, inRecord: 400 },
  { inCommit: 2_000, inRecord: 2_000 },
];

/** A disk on a block device of its own. */
export interface MeasuredDisk {
  readonly path: string;
  /** Its name below `/sys/block`. */
  readonly device: string;
}

/** What a log, with nothing around it, costs the device for each byte of a reading, by how many share a commit; each commit is synced. */
export async function bytesOfLog(disk: MeasuredDisk, flush: () => Promise<unknown>): Promise<readonly string[]> {
  const found: string[] = [];
  for (const group of GROUPS) {
    const bytes = await measure(disk, group, flush);
    const each = (bytes / (COMMITS * group.inCommit * READING_BYTES)).toFixed(2);
    found.push(`the log alone, ${group.inCommit} readings a commit, ${group.inRecord} a record: × ${each}`);
  }
  return found;
}

async function measure(
  disk: MeasuredDisk,
  { inCommit, inRecord }: Group,
  flush: () => Promise<unknown>,
): Promise<number> {
  const log = new SegmentLog({
    path: join(disk.path, `log-${inCommit}-${inRecord}`),
    disk: systemDisk,
    clock: systemClock,
    logger: recordingLogger(),
    maxBytes: 128 * 1024 * 1024,
  });
  await log.start(never);
  const record = new Uint8Array(inRecord * READING_BYTES).fill(0x55);
  const commit = async () => {
    for (let readings = 0; readings < inCommit; readings += inRecord) log.append(record, inRecord);
    await log.commit();
  };
  // The first one makes the segment.
  await commit();
  await flush();
  const before = await writtenTo(disk);
  for (let commits = 0; commits < COMMITS; commits++) await commit();
  await flush();
  const after = await writtenTo(disk);
  await log.stop(never);
  return after - before;
}

/** Bytes that have reached a device, with all that its file system notes. */
async function writtenTo({ device }: MeasuredDisk): Promise<number> {
  const stat = await readFile(`/sys/block/${device}/stat`, 'utf8');
  return Number(stat.trim().split(/\s+/)[6]) * SECTOR_BYTES;
}
