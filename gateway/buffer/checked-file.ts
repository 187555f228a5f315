import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Disk, errorCode, writeFully } from '../core/disk.ts';

/** Nothing we keep in such a file is larger. */
const MAX_BYTES = 64 * 1024;

/**
 * Replaces a small file of JSON with a checksum, so that after a power cut either the old or the new content is there, whole.
 * Not for concurrent calls with one path.
 */
export async function writeChecked(disk: Disk, path: string, value: object): Promise<void> {
  const json = JSON.stringify(value);
  const temporary = `${path}.new`;
  await removeIfThere(disk, temporary);
  const file = await disk.open(temporary, 'create');
  try {
    await writeFully(file, Buffer.from(`${checksum(json)} ${json}\n`), 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(dirname(path));
}

/** The content; `missing` when there is no file, `damaged` when the checksum is wrong or it cannot be read. */
export async function readChecked(disk: Disk, path: string): Promise<Record<string, unknown> | 'missing' | 'damaged'> {
  let text: string;
  try {
    text = await readSmall(disk, path);
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? 'missing' : 'damaged';
  }
  const [, sum, json] = /^([0-9a-f]{8}) (.*)\n$/s.exec(text) ?? [];
  if (json === undefined || sum !== checksum(json)) return 'damaged';
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : 'damaged';
  } catch {
    return 'damaged';
  }
}

/** Removes a file that may not be there. */
export async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** A whole number from 0 to 2^53 − 1 out of a file; undefined for anything else. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

async function readSmall(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, 'read');
  try {
    const bytes = Buffer.alloc(Math.min(await file.size(), MAX_BYTES));
    return bytes.toString('utf8', 0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
