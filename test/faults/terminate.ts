import { systemClock } from '../../gateway/base/system-clock.ts';
import { balance, describeBalance, isExact } from './oracle.ts';
import type { Rig } from './rig.ts';
import { inScene } from './scene.ts';

const WITHIN_MS = 5_000;

export const terminate: Rig = {
  id: 'F33',
  claim: 'SIGTERM under load ends the process with code 0, and nothing is lost',
  goal: 'exit 0 within 5 s, 0 lost',
  run: (round) =>
    inScene({ checkpointEvery: '10s' }, async (scene) => {
      const { gateway } = scene;
      const publisher = scene.publish();
      const times = round.times(5, 50);
      const tookMs: number[] = [];
      const codes = new Set<number | null>();
      for (let i = 0; i < times; i++) {
        const seen = publisher.accepted;
        await gateway.start();
        await publisher.acceptedAgain(seen);
        await systemClock.sleep(round.random.between(0, 700));
        const asked = performance.now();
        codes.add(await gateway.stop());
        tookMs.push(performance.now() - asked);
      }
      await gateway.start();
      const found = await balance(gateway, await publisher.end());
      const slowestMs = Math.max(...tookMs);
      return {
        measured: `${times} times: exit ${[...codes].join(', ')} within ${slowestMs.toFixed(0)} ms; ${describeBalance(found)}`,
        holds: isExact(found) && codes.size === 1 && codes.has(0),
        meetsFigures: slowestMs <= WITHIN_MS,
      };
    }),
};
