import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { Disks } from './disks.ts';
import { bytesOfLog } from './log-bytes.ts';
import { acknowledgedIn } from './publisher.ts';
import type { Rig } from './rig.ts';
import { inScene } from './scene.ts';

const run = promisify(execFile);
/** Bytes of a payload, `{"value":…,"ts":…,"pad":"…"}`, about. */
const PAYLOAD_BYTES = 100;
const PADDING_BYTES = 57;
const LOADS = [
  { perSecond: 20, amplification: 2.2 },
  { perSecond: 2_000, amplification: 1.2 },
] as const;
const SYNCS = ['always', '1s'] as const;
const SECTOR_BYTES = 512;

/**
 * Counted at the block device, in sectors: the journal has a file system (ext4) of its own, so that the metadata that its syncs cost are
 * seen too. The amplification is what reaches that device for each byte of a payload. It is judged with `sync: 1s`: where each reading is
 * synced for itself, each costs whole pages, and that is stated.
 */
export const bytesWritten: Rig = {
  id: 'bytes',
  claim: 'a reading costs the card few bytes more than it has',
  goal: 'stated for 100 B at 20/s and 2 000/s; write amplification ≤ 2.2 and ≤ 1.2',
  isTimed: true,
  async run(round) {
    const found: string[] = [];
    let meetsFigures = true;
    for (const sync of SYNCS) {
      for (const { perSecond, amplification } of LOADS) {
        const { readings, journalBytes } = await measure(sync, perSecond, round.isFull ? 30_000 : 10_000);
        const each = (bytes: number) => (bytes / readings).toFixed(0);
        const amplified = journalBytes / (readings * PAYLOAD_BYTES);
        if (sync === '1s') meetsFigures &&= amplified <= amplification;
        found.push(
          `sync ${sync}, ${perSecond}/s: ${each(journalBytes)} B a reading at the journal's device (× ${amplified.toFixed(2)})`,
        );
        round.note(found.at(-1)!);
      }
    }
    for (const row of await measureLog()) {
      found.push(row);
      round.note(row);
    }
    return { measured: found.join('; '), holds: true, meetsFigures };
  },
};

interface Written {
  readonly readings: number;
  /** That reached the device of the journal. */
  readonly journalBytes: number;
}

async function measureLog(): Promise<readonly string[]> {
  const disks = await Disks.open();
  try {
    const disk = await disks.device('log', '256M');
    return await bytesOfLog(disk, () => run('sync', ['-f', disk.path]));
  } finally {
    await disks.close();
  }
}

async function measure(sync: string, perSecond: number, durationMs: number): Promise<Written> {
  const disks = await Disks.open();
  try {
    const disk = await disks.device('journal', '256M');
    const windows = [
      '{ name: minute, series: "*", window: { tumbling: 1m, allowedLateness: 10s }, aggregates: [count, mean, min, max] }',
    ];
    const options = { windows, storage: `sync: ${sync}`, checkpointEvery: '10s' };
    return await inScene(options, async (scene) => {
      await mkdir(scene.dataPath);
      await symlink(disk.path, join(scene.dataPath, 'journal'));
      await scene.gateway.start();
      // Readings a minute apart would make windows of one: as many a second in event time as in wall time.
      const stepMs = 4_000 / perSecond;
      const publisher = scene.publish({ perSecond, stepMs, padding: PADDING_BYTES });
      await publisher.acceptedAgain(0);
      await systemClock.sleep(2_000);
      const before = await counts();
      await systemClock.sleep(durationMs);
      const after = await counts();
      return Object.fromEntries(
        Object.entries(after).map(([name, count]) => [name, count - before[name as keyof Written]]),
      ) as unknown as Written;

      async function counts(): Promise<Written> {
        await run('sync', ['-f', disk.path]);
        const stat = await readFile(`/sys/block/${disk.device}/stat`, 'utf8');
        return {
          readings: acknowledgedIn(await publisher.report()),
          journalBytes: Number(stat.trim().split(/\s+/)[6]) * SECTOR_BYTES,
        };
      }
    });
  } finally {
    await disks.close();
  }
}
