import { systemClock } from '../../gateway/base/system-clock.ts';
import { balance, describeBalance, isExact } from './oracle.ts';
import type { Rig } from './rig.ts';
import { inScene } from './scene.ts';

/** Below the keep-alive of the publisher, which is a minute, and the half again that a broker grants. */
const FROZEN_MS = { short: 10_000, full: 60_000 } as const;
const ANSWERS_WITHIN_MS = 1_000;

export const freeze: Rig = {
  id: 'F4',
  claim: 'a process that is stopped for a while and goes on keeps its sessions and has the right windows',
  goal: '60 s: right windows, sessions kept, no storm of timers',
  run: (round) =>
    inScene({ idleTimeout: '2s' }, async (scene) => {
      const { gateway } = scene;
      await gateway.start();
      const publisher = scene.publish({ perSecond: 1_000 });
      await publisher.acceptedAgain(0);
      await systemClock.sleep(round.random.between(500, 1_500));
      gateway.signal('SIGSTOP');
      const frozenMs = round.isFull ? FROZEN_MS.full : FROZEN_MS.short;
      await systemClock.sleep(frozenMs);
      const linesBefore = lines(gateway.output);
      gateway.signal('SIGCONT');
      const thawed = performance.now();
      await fetch(`${gateway.apiUrl}/healthz`);
      const answeredMs = performance.now() - thawed;
      await systemClock.sleep(2_000);
      const said = lines(gateway.output) - linesBefore;
      const report = await publisher.end();
      const found = await balance(gateway, report);
      const sessions = report.devices.every(({ connections }) => connections === 1) ? 'kept' : 'lost';
      return {
        measured: `${frozenMs / 1000} s: ${describeBalance(found)}; sessions ${sessions}; answers after ${answeredMs.toFixed(0)} ms; ${said} log lines in the 2 s after it`,
        // Each timer that had missed its moments would tell of each of them.
        holds: isExact(found) && sessions === 'kept' && said <= 5,
        meetsFigures: answeredMs <= ANSWERS_WITHIN_MS,
      };
    }),
};

function lines(text: string): number {
  return text.split('\n').length;
}
