import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../gateway/base/system-clock.ts';
import { systemDisk } from '../../../../gateway/base/system-disk.ts';
import type { Disk, DiskFile } from '../../../../gateway/core/disk.ts';
import { HistorySink, type HistorySinkOptions } from '../../../../gateway/sinks/history/history.ts';
import { recordingLogger } from '../../../recording-logger.ts';
import { aggregate, T0 } from '../results.ts';

const MINUTE = 60_000;
const signal = new AbortController().signal;

let folder: string;
let path: string;
const sinks: HistorySink[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-history-'));
  path = join(folder, 'new', 'history.db');
});

afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.stop(signal);
  rmSync(folder, { recursive: true, force: true });
});

async function started(disk: Disk, options: Partial<HistorySinkOptions> = {}): Promise<HistorySink> {
  const sink = new HistorySink({ path, ...options }, { clock: systemClock, logger: recordingLogger(), disk });
  sinks.push(sink);
  await sink.start(signal);
  return sink;
}

const minutes = (count: number) => Array.from({ length: count }, (_, i) => aggregate({ start: T0 + i * MINUTE }));

describe('a power cut', () => {
  /** A disk whose `datasync` tells of each file, and fails while it is asked to. */
  function watchedDisk(failing: () => boolean): { readonly disk: Disk; readonly synced: string[] } {
    const synced: string[] = [];
    const watch = (file: string, opened: DiskFile): DiskFile => ({
      size: () => opened.size(),
      read: (target, position) => opened.read(target, position),
      write: (source, position) => opened.write(source, position),
      truncate: (bytes) => opened.truncate(bytes),
      close: () => opened.close(),
      datasync: async () => {
        if (failing()) throw new Error('EIO: i/o error, fdatasync');
        await opened.datasync();
        synced.push(file);
      },
    });
    const disk: Disk = {
      ...systemDisk,
      open: async (file, mode) => watch(file, await systemDisk.open(file, mode)),
      syncDirectory: async (folderOfIt) => {
        await systemDisk.syncDirectory(folderOfIt);
        synced.push(folderOfIt);
      },
    };
    return { disk, synced };
  }

  it('takes nothing that counts as stored: the log of SQLite and its entry are synced before', async () => {
    const { disk, synced } = watchedDisk(() => false);
    const sink = await started(disk);
    await sink.write([aggregate()], signal);
    expect(synced).toEqual([`${path}-wal`, join(folder, 'new')]);
    await sink.write(minutes(2), signal);
    expect(synced.slice(2)).toEqual([`${path}-wal`]);
  });

  it('is not survived by a batch whose sync failed: it is to be sent again, and is stored then', async () => {
    let fails = true;
    const { disk } = watchedDisk(() => fails);
    const sink = await started(disk);
    await expect(sink.write(minutes(2), signal)).rejects.toThrow(/Cannot sync the history .*EIO/);
    fails = false;
    await sink.write(minutes(2), signal);
    const rows = sink.aggregates({ series: aggregate().series.key, limit: 9 });
    expect(rows.map(({ start }) => start)).toEqual([T0, T0 + MINUTE]);
  });

  it('is taken into account where nothing is to be synced', async () => {
    const { disk, synced } = watchedDisk(() => false);
    const sink = await started(disk, { sync: false });
    await sink.write([aggregate()], signal);
    expect(synced).toEqual([]);
  });
});
