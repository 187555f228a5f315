import { expect } from 'vitest';
import { FaultyDisk } from '../model/faulty-disk.ts';
import type { SimStore } from './sim-store.ts';

const SEGMENT = /^\/box\/journal\/\d+\.log$/;

/** Everything that was ever in the journal of a world, as it lies on the disk: what is deleted is copied before. */
export class JournalArchive {
  readonly #disk: FaultyDisk;
  readonly #gone = new Map<string, Buffer>();

  constructor(disk: FaultyDisk) {
    this.#disk = disk;
    const { delay } = disk;
    disk.delay = (call, path) => {
      if (call === 'remove' && SEGMENT.test(path)) this.#keep(path);
      return delay(call, path);
    };
  }

  /** A disk with the whole journal on it, and nothing else. */
  toDisk(random: () => number): FaultyDisk {
    const disk = new FaultyDisk(random);
    for (const [path, content] of this.#gone) disk.damage(path, content);
    for (const path of this.#disk.paths()) if (SEGMENT.test(path)) disk.damage(path, this.#disk.content(path));
    return disk;
  }

  /** One that the disk did not let go of may have been kept before. */
  #keep(path: string): void {
    if (this.#disk.paths().includes(path)) this.#gone.set(path, this.#disk.content(path));
  }
}

/**
 * What a gateway makes of its readings is a function of its journal: one that has crashed, restored checkpoints and replayed what was behind
 * them has stored what one stores that reads the whole journal in one go.
 */
export function verifySameAsWitness(store: SimStore, witness: SimStore): void {
  expect(storedBy(store)).toEqual(storedBy(witness));
}

/** The last word on each window, and each step of each alarm; by key, so that two are easily compared. */
function storedBy({ newest, stored }: SimStore): Readonly<Record<string, object>> {
  const alarms = [...stored].filter(([, { kind }]) => kind === 'alarm');
  return Object.fromEntries([...newest, ...alarms]);
}
