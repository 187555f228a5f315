import { systemClock } from '../../gateway/base/system-clock.ts';
import { balance, describeBalance, isExact } from './oracle.ts';
import { acknowledgedIn } from './publisher.ts';
import type { Rig } from './rig.ts';
import { inScene } from './scene.ts';
import { Tracer } from './tracer.ts';

const STALL_MS = { short: 3_000, full: 10_000 } as const;
const PING_EVERY_MS = 20;
const DELAY_P99_MS = 50;
/** What a stalled disk may add to the memory of the process: what is in flight, many times over. */
const MORE_BYTES = 96 * 1024 * 1024;

export const stall: Rig = {
  id: 'F7',
  claim: 'a card that stalls holds up acknowledgements, and neither the event loop nor the memory',
  goal: '10 s: event-loop delay p99 < 50 ms, memory bound holds',
  run: (round) =>
    inScene({}, async (scene) => {
      const { gateway } = scene;
      await gateway.start();
      const publisher = scene.publish({ inFlight: 5_000 });
      await publisher.acceptedAgain(0);
      await systemClock.sleep(round.random.between(500, 1_000));
      const rssBefore = (await gateway.status()).memory.rssBytes;
      const stallMs = round.isFull ? STALL_MS.full : STALL_MS.short;
      const tracer = await Tracer.attach(gateway.pid, 'all', `fdatasync:delay_enter=${stallMs * 1_000}`);
      await systemClock.sleep(500);
      const before = acknowledgedIn(await publisher.report());
      const pings = await pingFor(gateway.apiUrl, stallMs - 1_000);
      const acknowledged = acknowledgedIn(await publisher.report()) - before;
      const grownBytes = (await gateway.status()).memory.rssBytes - rssBefore;
      await tracer.detach();
      const found = await balance(gateway, await publisher.end());
      const p99Ms = pings[Math.floor((pings.length - 1) * 0.99)]!;
      return {
        measured: `${stallMs / 1000} s without a sync: answers p99 ${p99Ms.toFixed(0)} ms, slowest ${pings.at(-1)!.toFixed(0)} ms, under strace; memory +${(grownBytes / 1e6).toFixed(0)} MB; ${acknowledged} acknowledged meanwhile; ${describeBalance(found)}`,
        // A loop that the stall holds up answers only when it is over.
        holds: isExact(found) && acknowledged === 0 && grownBytes < MORE_BYTES && pings.at(-1)! < stallMs / 2,
        meetsFigures: p99Ms < DELAY_P99_MS,
      };
    }),
};

/** How long each answer took, in milliseconds, in order of length: a bound from above of the event-loop delay, seen from outside. */
async function pingFor(apiUrl: string, durationMs: number): Promise<readonly number[]> {
  const took: number[] = [];
  for (const end = performance.now() + durationMs; performance.now() < end; ) {
    const asked = performance.now();
    await (await fetch(`${apiUrl}/healthz`)).text();
    took.push(performance.now() - asked);
    await systemClock.sleep(PING_EVERY_MS);
  }
  return took.toSorted((a, b) => a - b);
}
