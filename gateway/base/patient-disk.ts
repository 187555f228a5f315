import type { Clock } from '../core/clock.ts';
import { type Disk, type DiskFile, errorCode } from '../core/disk.ts';

/** A path is asked for five times within three seconds. */
const WAITS_MS = [200, 400, 800, 1600];
/** So much is waited altogether at the most: a start comes to its end though a hundred files are broken. */
const MOST_WAIT_MS = 30_000;
/** What passes: a bus that is reset, a card that is found again, files that others will close. */
const PASSING: ReadonlySet<string> = new Set(['EIO', 'EMFILE', 'ENFILE', 'EAGAIN', 'ETIMEDOUT']);

/**
 * The same disk, which asks again for what was refused and may be there in a moment: opening what exists, reading, sizes, lists, and renames. Each path
 * is waited for at most three seconds altogether, all of them together at most thirty. Then, and for everything else, it refuses as the disk does.
 *
 * @param isPatient asked at each refusal whether to wait
 */
export function patientDisk(disk: Disk, clock: Clock, isPatient: () => boolean = () => true): Disk {
  const waits = new Map<string, number>();
  let waitedMs = 0;
  const ask = async <T>(path: string, call: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const times = waits.get(path) ?? 0;
        const waitMs = WAITS_MS[times];
        const isPassing = PASSING.has(errorCode(error) ?? '');
        if (waitMs === undefined || waitedMs >= MOST_WAIT_MS || !isPassing || !isPatient()) throw error;
        waits.set(path, times + 1);
        waitedMs += waitMs;
        await clock.sleep(waitMs);
      }
    }
  };
  const patientFile = (path: string, file: DiskFile): DiskFile => ({
    size: () => ask(path, () => file.size()),
    read: (target, position) => ask(path, () => file.read(target, position)),
    write: (source, position) => file.write(source, position),
    truncate: (bytes) => file.truncate(bytes),
    datasync: () => file.datasync(),
    close: () => file.close(),
  });
  return {
    open: async (path, mode) => {
      const open = () => disk.open(path, mode);
      return patientFile(path, await (mode === 'create' ? open() : ask(path, open)));
    },
    list: (path) => ask(path, () => disk.list(path)),
    makeDirectory: (path) => disk.makeDirectory(path),
    rename: (from, to) => ask(from, () => disk.rename(from, to)),
    remove: (path) => disk.remove(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    freeBytes: (path) => disk.freeBytes(path),
    lock: (path) => disk.lock(path),
  };
}
