import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch } from '../services/gateway-process.ts';
import { Skipped } from './rig.ts';

/** The wall clock that a process is shown, which may be set while it runs. Its monotonic clock is the true one. */
export class FakeTime {
  readonly launch: Launch;
  readonly #file: string;

  /** @throws {Skipped} where faketime is not installed */
  constructor(folder: string) {
    this.#file = join(folder, 'faketime');
    this.launch = {
      environment: {
        LD_PRELOAD: library(),
        FAKETIME_TIMESTAMP_FILE: this.#file,
        // The file is looked at for each question, and the monotonic clock of a box cannot be set.
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    };
  }

  /** From now on the clock is this far from the truth. */
  set(offsetMs: number): void {
    // As a whole: half a number would be a time of its own.
    writeFileSync(`${this.#file}.new`, `${offsetMs < 0 ? '' : '+'}${offsetMs / 1_000}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/** Debian has it in a folder of the architecture. */
function library(): string {
  for (const folder of readdirSync('/usr/lib')) {
    const found = join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1');
    if (existsSync(found)) return found;
  }
  throw new Skipped('faketime is not installed');
}
