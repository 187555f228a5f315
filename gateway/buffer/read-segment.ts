import type { Disk, DiskFile } from '../core/disk.ts';

/** Opens a file to read it and closes it again; that it cannot be closed does not matter to one who only read. Rejects where the disk does. */
export async function readSegment<T>(disk: Disk, path: string, read: (file: DiskFile) => Promise<T>): Promise<T> {
  const file = await disk.open(path, 'read');
  try {
    return await read(file);
  } finally {
    await file.close().catch(() => undefined);
  }
}
