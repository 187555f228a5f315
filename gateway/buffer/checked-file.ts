import { crc32 } from 'node:zlib';
import { readWholeFile, writeFileAtomically } from '../base/atomic-file.ts';
import { type Disk, errorCode } from '../core/disk.ts';
import { GatewayError } from '../core/errors.ts';

/** Nothing we keep in such a file is larger. */
const MAX_BYTES = 256 * 1024;

/**
 * Replaces a small file of JSON with a checksum, so that after a power cut either the old or the new content is there, whole.
 * Not for concurrent calls with one path.
 *
 * @throws GatewayError when the content is larger than 256 KiB
 */
export async function writeChecked(disk: Disk, path: string, value: object): Promise<void> {
  const json = JSON.stringify(value);
  const bytes = Buffer.from(`${checksum(json)} ${json}\n`);
  if (bytes.length > MAX_BYTES) {
    throw new GatewayError(`${path} would have ${bytes.length} bytes`, { hint: `at most ${MAX_BYTES} are allowed` });
  }
  await writeFileAtomically(disk, path, bytes);
}

/** The content; `missing` when there is no file, `damaged` when the checksum is wrong or it cannot be read. */
export async function readChecked(disk: Disk, path: string): Promise<Record<string, unknown> | 'missing' | 'damaged'> {
  let text: string;
  try {
    text = (await readWholeFile(disk, path, MAX_BYTES)).toString();
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

/** A whole number from 0 to 2^53 − 1 out of a file; undefined for anything else. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
