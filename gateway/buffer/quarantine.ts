import { join } from 'node:path';
import { type Disk, type DiskFile, errorCode, writeFully } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/telemetry.ts';
import type { Damage } from './segment-scanner.ts';

/** The folder keeps at most this much; damage beyond is only counted. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 1000;

/** Keeps damaged bytes for a person to look at, in the folder `quarantine`, each stretch in a file `<segment>.<position>`. */
export class Quarantine {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #logger: Logger;
  readonly #known = new Set<string>();
  #bytes = 0;
  #count = 0;

  /** @param path folder of the log */
  constructor(disk: Disk, path: string, logger: Logger) {
    this.#disk = disk;
    this.#path = join(path, 'quarantine');
    this.#logger = logger;
  }

  /** Damaged stretches that were ever set aside. */
  get count(): number {
    return this.#count;
  }

  /** Finds out what is there, as far as the disk tells. @param count the number remembered from earlier runs */
  async start(count: number): Promise<void> {
    try {
      for (const name of await listIfThere(this.#disk, this.#path)) this.#known.add(name);
    } catch (error) {
      this.#logger.warn({ path: this.#path }, `cannot look what is in quarantine: ${messageOf(error)}`);
    }
    this.#count = Math.max(count, this.#known.size);
  }

  /** Copies damaged bytes of a segment. Never fails: damage must not stop anything. @returns false when it was known already */
  async setAside(segment: string, file: DiskFile, damage: Damage): Promise<boolean> {
    const name = `${segment}.${damage.start}`;
    const bytes = damage.end - damage.start;
    if (!this.#admit(name, bytes, { segment, position: damage.start, bytes })) return false;
    await this.#attempt(name, bytes, async (target) => {
      const copy = Buffer.alloc(bytes);
      const read = await file.read(copy, damage.start);
      const aside = await this.#disk.open(target, 'create');
      try {
        await writeFully(aside, copy.subarray(0, read), 0);
      } finally {
        await aside.close();
      }
    });
    return true;
  }

  /** Moves a whole file out of the way. Never fails. */
  async moveAside(path: string, name: string, bytes: number, reason: string): Promise<void> {
    if (!this.#admit(name, bytes, { file: name, bytes, reason })) return;
    await this.#attempt(name, 0, (target) => this.#disk.rename(path, target));
    this.#bytes += bytes;
  }

  #admit(name: string, bytes: number, details: object): boolean {
    if (this.#known.has(name)) return false;
    this.#known.add(name);
    this.#count++;
    this.#logger.error(details, `set ${bytes} damaged bytes aside as quarantine/${name}`);
    return true;
  }

  async #attempt(name: string, bytes: number, copy: (target: string) => Promise<void>): Promise<void> {
    if (this.#bytes + bytes > MAX_BYTES || this.#known.size > MAX_FILES) {
      this.#logger.warn({ name, bytes }, 'the quarantine is full: the damage is counted, but its bytes are not kept');
      return;
    }
    this.#bytes += bytes;
    try {
      await this.#disk.makeDirectory(this.#path);
      await copy(join(this.#path, name));
    } catch (error) {
      this.#logger.warn({ name, bytes }, `cannot copy damaged bytes: ${messageOf(error)}`);
    }
  }
}

/** Names in a folder; none when the folder is not there. */
export async function listIfThere(disk: Disk, path: string): Promise<readonly string[]> {
  try {
    return await disk.list(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
