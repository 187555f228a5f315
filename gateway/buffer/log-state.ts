import { join } from 'node:path';
import type { Disk } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { Offset } from '../core/log.ts';
import { asCount, readChecked, writeChecked } from './checked-file.ts';
import type { Troubles } from './troubles.ts';

/** What a log remembers beside its segments, in the file `state`. It may be lost: then only counts are. */
export class LogState {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #troubles: Troubles;
  #saving: Promise<boolean> | undefined;
  #dirty = false;
  /** Items dropped since the log was created. */
  droppedItems = 0;
  /** Records before this are dropped and counted, whether or not their files have been removed yet. */
  droppedBefore: Offset = 0;
  /** No record at or behind this has been appended when this was saved. */
  nextOffset: Offset = 0;
  quarantined = 0;

  constructor(disk: Disk, path: string, troubles: Troubles) {
    this.#disk = disk;
    this.#path = join(path, 'state');
    this.#troubles = troubles;
  }

  async load(): Promise<void> {
    const state = await readChecked(this.#disk, this.#path);
    if (state === 'missing') return;
    if (state === 'damaged') {
      this.#troubles.begin('state', `cannot read ${this.#path}: the counts of dropped and damaged data begin anew`);
      this.#troubles.end('state');
      return;
    }
    this.droppedItems = asCount(state['droppedItems']) ?? 0;
    this.droppedBefore = asCount(state['droppedBefore']) ?? 0;
    this.nextOffset = asCount(state['nextOffset']) ?? 0;
    this.quarantined = asCount(state['quarantined']) ?? 0;
  }

  /** Makes the present values durable. Never fails: what a full disk refuses is saved with the next call. @returns false where it was */
  async save(): Promise<boolean> {
    this.#dirty = true;
    this.#saving ??= this.#saveAll().finally(() => {
      this.#saving = undefined;
    });
    return await this.#saving;
  }

  async #saveAll(): Promise<boolean> {
    let saved = true;
    while (this.#dirty) {
      this.#dirty = false;
      const { droppedItems, droppedBefore, nextOffset, quarantined } = this;
      try {
        await writeChecked(this.#disk, this.#path, { droppedItems, droppedBefore, nextOffset, quarantined });
        saved = true;
        this.#troubles.end('state');
      } catch (error) {
        this.#troubles.begin('state', `cannot write ${this.#path}: ${messageOf(error)}`);
        saved = false;
      }
    }
    return saved;
  }
}
