import { appendFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { periodically } from '../../gateway/base/periodically.ts';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { errorCode } from '../../gateway/core/disk.ts';
import { eventually } from '../services/eventually.ts';
import { Disks } from './disks.ts';
import { balance, describeBalance, isExact } from './oracle.ts';
import { acknowledgedIn, type Publisher } from './publisher.ts';
import type { Rig } from './rig.ts';
import { inScene, type Scene } from './scene.ts';

const DISK_BYTES = 64 * 1024 * 1024;
/** By default results give way to readings, the oldest first, counted. */
const KEEPS_RESULTS = 'outbox: { whenFull: block }';
const FULL_MS = 2_000;
const WITHIN_MS = 1_000;

export const fullDisk: Rig = {
  id: 'F5',
  claim: 'on a full disk nothing is acknowledged, a killed gateway starts, and space is used as soon as it is there',
  goal: '0 acknowledged while full, no crash, accepting within 1 s of space',
  async run(round) {
    const disks = await Disks.open();
    try {
      const disk = await disks.small('disk', DISK_BYTES);
      return await inScene({ dataPath: join(disk, 'data'), storage: KEEPS_RESULTS }, async (scene) => {
        await scene.gateway.start();
        const publisher = scene.publish();
        await publisher.acceptedAgain(0);
        const filler = join(disk, 'filler');
        const times = round.times(4, 20);
        const acceptingMs: number[] = [];
        let whileFull = 0;
        for (let i = 0; i < times; i++) {
          await systemClock.sleep(round.random.between(0, 300));
          const empty = fillUp(disk, filler);
          await untilNothingFits(scene, publisher);
          const isKilled = i % 2 === 1;
          if (isKilled) await killWhileFull(scene);
          const before = acknowledgedIn(await publisher.report());
          await systemClock.sleep(FULL_MS);
          const after = acknowledgedIn(await publisher.report());
          whileFull += after - before;
          await empty();
          const freed = performance.now();
          await eventually('it accepts again', async () => acknowledgedIn(await publisher.report()) > after);
          acceptingMs.push(performance.now() - freed);
        }
        const found = await balance(scene.gateway, await publisher.end());
        const slowestMs = Math.max(...acceptingMs);
        return {
          measured: `${times} times full, every other one with a kill: ${whileFull} acknowledged while full; ${describeBalance(found)}; accepting ${slowestMs.toFixed(0)} ms after space (slowest)`,
          holds: isExact(found) && whileFull === 0,
          meetsFigures: slowestMs <= WITHIN_MS,
        };
      });
    } finally {
      await disks.close();
    }
  },
};

/** Takes every byte there is, and what the gateway gives back, until it is stopped. */
function fillUp(disk: string, filler: string): () => Promise<void> {
  const controller = new AbortController();
  const filling = periodically(
    systemClock,
    20,
    controller.signal,
    async () => {
      const { bavail, bsize } = await statfs(disk);
      if (bavail > 0) await appendFile(filler, Buffer.alloc(bavail * bsize));
    },
    (error) => {
      if (errorCode(error) !== 'ENOSPC') throw error;
    },
  );
  return async () => {
    controller.abort();
    await filling;
    await rm(filler);
  };
}

/** What fits into blocks that are taken already is still accepted; waits until that is used up, and the gateway says so. */
async function untilNothingFits({ gateway }: Scene, publisher: Publisher): Promise<void> {
  let last = -1;
  await eventually('nothing is acknowledged any more', async () => {
    const now = acknowledgedIn(await publisher.report());
    const isStill = now === last;
    last = now;
    await systemClock.sleep(300);
    return isStill && (await fetch(`${gateway.apiUrl}/readyz`)).status === 503;
  });
}

async function killWhileFull({ gateway }: Scene): Promise<void> {
  await gateway.kill();
  gateway.launch();
  await eventually('it is alive', async () => (await fetch(`${gateway.apiUrl}/healthz`)).ok);
}
