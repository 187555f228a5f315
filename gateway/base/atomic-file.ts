import { dirname } from 'node:path';
import { type Disk, errorCode, writeFully } from '../core/disk.ts';

/**
 * Replaces a file so that after a power cut either the old or the new content is there, whole: writes beside it, syncs,
 * renames, and syncs the folder. Rejects where the disk does; the old content is then still there. Not for concurrent calls with one path.
 */
export async function writeFileAtomically(disk: Disk, path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  await removeIfThere(disk, temporary);
  try {
    await writeNew(disk, temporary, content);
    await disk.rename(temporary, path);
  } catch (error) {
    // On a full disk what was begun would keep the last blocks from those who need them. The error that counts is the first.
    await removeIfThere(disk, temporary).catch(() => undefined);
    throw error;
  }
  await disk.syncDirectory(dirname(path));
}

async function writeNew(disk: Disk, path: string, content: Uint8Array): Promise<void> {
  const file = await disk.open(path, 'create');
  try {
    await writeFully(file, content, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The content of a file, of at most `maxBytes`; a longer one is cut there. Rejects with `ENOENT` where there is none. */
export async function readWholeFile(disk: Disk, path: string, maxBytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const file = await disk.open(path, 'read');
  try {
    const bytes = Buffer.alloc(Math.min(await file.size(), maxBytes));
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    // It was only read.
    await file.close().catch(() => undefined);
  }
}

/** Removes a file that may not be there. Rejects where the disk does. */
export async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
