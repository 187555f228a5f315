import { systemClock } from '../../gateway/base/system-clock.ts';
import { requireProgram } from '../services/require-program.ts';
import { balance, describeBalance, isExact } from './oracle.ts';
import { acknowledgedIn } from './publisher.ts';
import { type Rig, type Round, Skipped } from './rig.ts';
import { inScene, type Scene } from './scene.ts';
import { Tracer } from './tracer.ts';

/** Some calls of a kind fail while others go well. */
const NOW_AND_THEN = [
  'fdatasync:error=EIO:when=2+7',
  'pwrite64:error=EIO:when=3+11',
  'openat:error=EIO:when=2+4',
  'rename:error=EIO:when=1+3',
  'unlink:error=EIO:when=1+2',
];
/** The same for reads, but not those of SQLite, which takes its file for damaged where it fails again and again. */
const LOG_READS = 'pread64:error=EIO:when=2+5';
const SOME_MS = 1_500;

export const failingCalls: Rig = {
  id: 'F6',
  claim:
    'syncs, writes, reads, opens, renames and unlinks that fail lose nothing, and a failed sync acknowledges nothing',
  goal: '0 acknowledged after a failed sync; 0 lost',
  async run(round) {
    const fiu = requireProgram('fiu-run');
    if (fiu === undefined) throw new Skipped('fiu-run is not installed');
    // `block`: on a disk that seems full, results by default give way to readings.
    return inScene({ storage: 'outbox: { whenFull: block }' }, async (scene) => {
      const { gateway } = scene;
      // A fifth of all syncs fails, from the first one on.
      const failing = 'enable_random name=posix/io/sync/fdatasync,probability=0.2';
      await gateway.start({ through: [fiu, '-x', '-c', failing] });
      const publisher = scene.publish();
      await publisher.acceptedAgain(0);
      await systemClock.sleep(2 * SOME_MS);
      const seen = publisher.accepted;
      await gateway.kill();
      await gateway.start();
      await publisher.acceptedAgain(seen);
      let afterFailure = 0;
      const times = round.times(1, 10);
      for (let i = 0; i < times; i++) {
        for (const injection of NOW_AND_THEN) await failFor(scene, round, 'all', injection);
        await failFor(scene, round, 'others', LOG_READS);
        const tracer = await Tracer.attach(gateway.pid, 'all', 'fdatasync:error=EIO');
        // What was synced before the tracer came may still be on its way to the publisher.
        await systemClock.sleep(300);
        const before = acknowledgedIn(await publisher.report());
        await systemClock.sleep(SOME_MS);
        afterFailure += acknowledgedIn(await publisher.report()) - before;
        await tracer.detach();
      }
      const found = await balance(gateway, await publisher.end());
      return {
        measured: `${times} × ${NOW_AND_THEN.length + 1} kinds of failure, random and lasting sync errors: ${afterFailure} acknowledged while no sync worked; ${describeBalance(found)}`,
        holds: isExact(found) && afterFailure === 0,
      };
    });
  },
};

async function failFor(
  { gateway }: Scene,
  { random }: Round,
  threads: 'all' | 'others',
  injection: string,
): Promise<void> {
  const tracer = await Tracer.attach(gateway.pid, threads, injection);
  await systemClock.sleep(random.between(SOME_MS / 2, SOME_MS));
  await tracer.detach();
}
