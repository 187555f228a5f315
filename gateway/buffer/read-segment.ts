import type { Disk, DiskFile } from '../core/disk.ts';
import type { Segment } from './segment.ts';
import { withRefusedAsZeros } from './unreadable.ts';

/** Opens the file of a segment to read it; of one that is passed over, what the disk refuses reads as zeros. Rejects where the disk does. */
export async function openSegment(disk: Disk, { path, isPassedOver }: Segment): Promise<DiskFile> {
  const file = await disk.open(path, 'read');
  return isPassedOver ? withRefusedAsZeros(file) : file;
}

/** Does the same and closes the file again; that it cannot be closed does not matter to one who only read. */
export async function readSegment<T>(disk: Disk, segment: Segment, read: (file: DiskFile) => Promise<T>): Promise<T> {
  const file = await openSegment(disk, segment);
  try {
    return await read(file);
  } finally {
    await file.close().catch(() => undefined);
  }
}
