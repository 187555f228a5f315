import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { Disks } from './disks.ts';
import { type Balance, balance, describeBalance, isExact, sumOf } from './oracle.ts';
import type { PublisherReport, SentByDevice } from './publisher.ts';
import type { Rig } from './rig.ts';
import { inScene, Scene } from './scene.ts';

const run = promisify(execFile);
/** Cuts of one data folder; then a new one is begun, so that what is read back stays small. */
const CUTS_OF_A_FOLDER = 25;
const READINGS_PER_SECOND = 4_000;

interface AfterCut {
  readonly balance: Balance;
  /** Records that were missing between others, and damaged stretches, in journal and outbox. */
  readonly unreadable: number;
}

export const powerCut: Rig = {
  id: 'F3',
  claim: 'a power cut at any moment loses nothing that was acknowledged',
  goal: '0 lost, 0 unreadable in 200',
  async run(round) {
    const cuts = round.times(5, 200);
    const found: AfterCut[] = [];
    const disks = await Disks.open();
    try {
      const images = await disks.withReflinks('images', '4G');
      while (found.length < cuts) {
        const image = join(images, 'box.ext4');
        await disks.makeExt4(image, '512M');
        const box = await disks.mountImage('box', image);
        await inScene({ dataPath: join(box, 'data') }, async (scene) => {
          await scene.gateway.start();
          const publisher = scene.publish({ perSecond: READINGS_PER_SECOND });
          await publisher.acceptedAgain(0);
          for (let cut = 0; cut < CUTS_OF_A_FOLDER && found.length < cuts; cut++) {
            await systemClock.sleep(round.random.between(0, 600));
            const before = await publisher.report();
            const copy = join(images, 'copy.ext4');
            await run('cp', ['--reflink=always', image, copy]);
            const after = await publisher.report();
            found.push(await goOnFrom(disks, copy, asIfCut(before, after)));
            await rm(copy);
          }
        });
        await disks.unmount(box);
        round.note(`${found.length} cuts: ${describeBalance(sumOf(found.map((cut) => cut.balance)))}`);
      }
    } finally {
      await disks.close();
    }
    const total = sumOf(found.map((cut) => cut.balance));
    const unreadable = found.reduce((sum, cut) => sum + cut.unreadable, 0);
    return {
      measured: `${cuts} cuts: ${describeBalance(total)}; ${unreadable} unreadable`,
      holds: isExact(total) && unreadable === 0,
    };
  },
};

/** What a publisher knows that lost its gateway during the copy: what was acknowledged before it, and the rest is to be sent again. */
function asIfCut(before: PublisherReport, after: PublisherReport): readonly SentByDevice[] {
  return before.devices.map((device, i) => {
    const { sent } = after.devices[i]!;
    const since = Array.from({ length: sent - device.sent }, (_, k) => device.sent + k);
    return { ...device, sent, unacknowledged: [...device.unacknowledged, ...since] };
  });
}

/** Starts a gateway on the copy of the disk; the publishers send again what was not acknowledged. */
async function goOnFrom(disks: Disks, image: string, resume: readonly SentByDevice[]): Promise<AfterCut> {
  const disk = await disks.mountImage('copy', image);
  try {
    const dataPath = join(disk, 'data');
    // They name the gateway on the other disk: that the power has gone, and it with it, is true of this copy only.
    for (const entry of await readdir(dataPath, { withFileTypes: true })) {
      if (entry.isDirectory()) await rm(join(dataPath, entry.name, 'lock'), { force: true });
    }
    const scene = await Scene.open({ dataPath, idleTimeout: '300ms' });
    try {
      await scene.gateway.start();
      const report = await scene.publish({ resume, count: 0 }).finished();
      const { journal, outbox } = await scene.gateway.status();
      const unreadable = [journal, outbox].reduce((sum, log) => sum + log.damagedItems + log.quarantined, 0);
      return { balance: await balance(scene.gateway, report), unreadable };
    } finally {
      await scene.close();
    }
  } finally {
    await disks.unmount(disk);
  }
}
