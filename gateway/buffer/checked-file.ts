import { crc32 } from 'node:zlib';
import { writeFileAtomically } from '../base/atomic-file.ts';
import { type Disk, type DiskFile, errorCode, writeFully } from '../core/disk.ts';
import { GatewayError } from '../core/errors.ts';

/** Nothing we keep in such a file is larger. */
const MAX_BYTES = 256 * 1024;

/** A slot that has become too small gets so many times what is needed: content that has grown goes on growing. */
const SPARE = 4;

/** What a file says, and where. */
interface Newest {
  readonly content: Record<string, unknown>;
  readonly sequence: number;
  readonly slot: number;
  /** Undefined where the file is of the old form, which has no slots. */
  readonly slotBytes: number | undefined;
}

/**
 * A small file of JSON with a checksum, of which after a power cut either the old or the new content is there, whole.
 *
 * It has two slots of one size, and a write overwrites the one with the older content: that needs no room where a disk is full to the
 * last block, and no entry in a folder. Only the first write, and one that does not fit a slot, makes a new file.
 */
export class CheckedFile {
  readonly path: string;
  readonly #disk: Disk;
  readonly #leastSlotBytes: number;
  /** Undefined until a file with slots is known to be there. */
  #slotBytes: number | undefined;
  /** What was written last and synced is in this slot, which is not touched by the next write. */
  #newestSlot = 0;
  #sequence = 0;

  /** @param leastSlotBytes the file takes twice as much at least, from its first write on */
  constructor(disk: Disk, path: string, leastSlotBytes: number) {
    this.#disk = disk;
    this.path = path;
    this.#leastSlotBytes = leastSlotBytes;
  }

  /** The content; `missing` when there is no file, `damaged` when no slot has a right checksum or can be read. */
  async read(): Promise<Record<string, unknown> | 'missing' | 'damaged'> {
    const newest = await readNewest(this.#disk, this.path);
    if (typeof newest === 'string') return newest;
    this.#slotBytes = newest.slotBytes;
    this.#newestSlot = newest.slot;
    this.#sequence = newest.sequence;
    return newest.content;
  }

  /**
   * Replaces the content. Rejects where the disk does; the old content is then still there. Not for concurrent calls.
   *
   * @throws GatewayError when the content is larger than 256 KiB
   */
  async write(content: object): Promise<void> {
    const line = lineOf(this.#sequence + 1, content);
    if (line.length > MAX_BYTES) {
      throw new GatewayError(`${this.path} would have ${line.length} bytes`, {
        hint: `at most ${MAX_BYTES} are allowed`,
      });
    }
    const slot = 1 - this.#newestSlot;
    const isOverwritten = await this.#overwrite(slot, line);
    if (!isOverwritten) await this.#replace(line);
    this.#newestSlot = isOverwritten ? slot : 0;
    this.#sequence++;
  }

  /** False where there is no such slot, or none that the line fits. */
  async #overwrite(slot: number, line: Buffer): Promise<boolean> {
    if (this.#slotBytes === undefined || line.length > this.#slotBytes) return false;
    let file: DiskFile;
    try {
      file = await this.#disk.open(this.path, 'write');
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      this.#slotBytes = undefined;
      return false;
    }
    try {
      // A larger one may be in its place, whose folder could not be synced: there the slots lie elsewhere, and one alone is good.
      if ((await file.size()) !== 2 * this.#slotBytes) return false;
      await writeFully(file, line, slot * this.#slotBytes);
      await file.datasync();
    } finally {
      await file.close();
    }
    return true;
  }

  async #replace(line: Buffer): Promise<void> {
    let slotBytes = this.#leastSlotBytes;
    if (slotBytes < line.length) slotBytes = Math.min(MAX_BYTES, 2 ** Math.ceil(Math.log2(line.length * SPARE)));
    // Blanks, not a hole: both slots get their blocks now.
    const bytes = Buffer.alloc(2 * slotBytes, ' ');
    bytes.set(line);
    await writeFileAtomically(this.#disk, this.path, bytes);
    this.#slotBytes = slotBytes;
  }
}

/** The content of such a file, to look at; `missing` when there is none, `damaged` when no slot has a right checksum or can be read. */
export async function readChecked(disk: Disk, path: string): Promise<Record<string, unknown> | 'missing' | 'damaged'> {
  const newest = await readNewest(disk, path);
  return typeof newest === 'string' ? newest : newest.content;
}

/** A whole number from 0 to 2^53 − 1 out of a file; undefined for anything else. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

async function readNewest(disk: Disk, path: string): Promise<Newest | 'missing' | 'damaged'> {
  let file: DiskFile;
  try {
    file = await disk.open(path, 'read');
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? 'missing' : 'damaged';
  }
  try {
    const size = await file.size();
    const slotBytes = Math.floor(size / 2);
    const [first, second] = [await readSlot(file, 0, slotBytes), await readSlot(file, slotBytes, slotBytes)];
    const newest = (second?.sequence ?? -1) > (first?.sequence ?? -1) ? second : first;
    if (newest !== undefined) return { ...newest, slot: newest === first ? 0 : 1, slotBytes };
    const old = await readSlot(file, 0, size);
    return old === undefined ? 'damaged' : { ...old, slot: 0, slotBytes: undefined };
  } catch {
    // It does not tell its size: as good as damaged.
    return 'damaged';
  } finally {
    // It was only read.
    await file.close().catch(() => undefined);
  }
}

/** The line at the beginning of a slot; undefined where its checksum is wrong, or the disk refuses it: the other slot may be fine. */
async function readSlot(
  file: DiskFile,
  position: number,
  maxBytes: number,
): Promise<Pick<Newest, 'content' | 'sequence'> | undefined> {
  const bytes = Buffer.alloc(Math.min(maxBytes, MAX_BYTES));
  let text: string;
  try {
    text = bytes.toString('utf8', 0, await file.read(bytes, position));
  } catch {
    return undefined;
  }
  const [, sum, checked, sequence, json] = /^([0-9a-f]{8}) ((?:(\d+) )?(\{[^\n]*\}))\n/.exec(text) ?? [];
  if (checked === undefined || json === undefined || sum !== checksum(checked)) return undefined;
  try {
    return { content: { ...(JSON.parse(json) as object) }, sequence: Number(sequence ?? 0) };
  } catch {
    return undefined;
  }
}

/** Those of earlier releases have no sequence. */
function lineOf(sequence: number, content: object): Buffer {
  const checked = `${sequence} ${JSON.stringify(content)}`;
  return Buffer.from(`${checksum(checked)} ${checked}\n`);
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
