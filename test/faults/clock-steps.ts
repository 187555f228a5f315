import { connectAsync } from 'mqtt';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { eventually } from '../services/eventually.ts';
import type { GatewayProcess } from '../services/gateway-process.ts';
import { FakeTime } from './fake-time.ts';
import { balance, describeBalance, historyOf, isExact, type WindowCounts } from './oracle.ts';
import type { Rig } from './rig.ts';
import { inScene, type Scene } from './scene.ts';

const HOUR_MS = 3_600_000;
/** Between two readings of the device without a clock. */
const EVERY_MS = 50;
/** The gateway looks at the clock once a second; the reading and the look have to be told apart from the window's edge. */
const TOLERANCE_MS = 100;

/** How far each stretch of readings has the clock from the truth; the value of each is its true time. */
const STRETCHES_MS = [0, 2 * HOUR_MS, 0, -2 * HOUR_MS, 0];

export const clockSteps: Rig = {
  id: 'F16',
  claim:
    'a boot in 1970, 56 years at once, two hours ahead and back change no window, and nothing is stored under a time that has not been',
  goal: '0 lost, 0 late, right windows, none of 1970, times of the boot corrected',
  run: (round) =>
    inScene({ checkpointEvery: '1s' }, async (scene) => {
      const { gateway } = scene;
      const time = new FakeTime(scene.folder);
      const stretchMs = round.isFull ? 20_000 : 3_000;
      time.set(20_000 - Math.floor(systemClock.now() / 1_000) * 1_000);
      await gateway.start(time.launch);
      const publisher = scene.publish({ perSecond: 400 });
      const sent = await publishWithoutTime(scene, stretchMs);
      const waiting = (await gateway.status()).clock;
      await gateway.kill();
      await gateway.start(time.launch);
      sent.push(...(await publishWithoutTime(scene, stretchMs)));
      const held = (await gateway.status()).clock.provisionalReadings;
      const expected = sent.map((at) => ({ at, offsetMs: 0 }));
      for (const offsetMs of STRETCHES_MS) {
        time.set(offsetMs);
        await followed(gateway, offsetMs);
        for (const at of await publishWithoutTime(scene, stretchMs)) expected.push({ at, offsetMs });
      }
      const found = await balance(gateway, await publisher.end());
      const windows = await historyOf(gateway)('bare');
      const { clock, ledger } = await gateway.status();
      const wrong = misplaced(windows, expected);
      const counted = windows.reduce((sum, { count }) => sum + count, 0);
      return {
        measured: `${describeBalance(found)}; without a time of their own ${counted} of ${expected.length} counted, ${wrong} windows misplaced, ${held} of ${sent.length} corrected over a kill; ${clock.steppedTotal} steps, ${ledger.late} late`,
        holds:
          isExact(found) &&
          waiting.state === 'unset' &&
          held === sent.length &&
          counted === expected.length &&
          wrong === 0 &&
          clock.markedTotal === 0 &&
          clock.provisionalReadings === 0,
      };
    }),
};

/** Publishes readings whose value is the true time, each acknowledged before the next. @returns the values */
async function publishWithoutTime({ port }: Scene, forMs: number): Promise<number[]> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: 'bare' });
  const sent: number[] = [];
  try {
    for (const end = performance.now() + forMs; performance.now() < end; ) {
      const at = systemClock.now();
      await client.publishAsync('sensors/bare/seq', JSON.stringify({ value: at }), { qos: 1 });
      sent.push(at);
      await systemClock.sleep(EVERY_MS);
    }
  } finally {
    await client.endAsync();
  }
  return sent;
}

/** Resolves when the gateway has the time that its box has. */
async function followed(gateway: GatewayProcess, offsetMs: number): Promise<void> {
  await eventually('the gateway follows the clock', async () => {
    const { now, clock } = await gateway.status();
    return clock.state === 'believed' && Math.abs(now - offsetMs - systemClock.now()) < 1_000;
  });
}

/** How many windows hold a reading of another time than theirs. */
function misplaced(
  windows: readonly WindowCounts[],
  expected: readonly { readonly at: number; readonly offsetMs: number }[],
): number {
  const offsetOf = new Map(expected.map(({ at, offsetMs }) => [at, offsetMs]));
  const fits = (at: number, start: number) => {
    const time = at + (offsetOf.get(at) ?? Number.NaN);
    return time >= start - TOLERANCE_MS && time < start + 1_000 + TOLERANCE_MS;
  };
  return windows.filter(({ start, min, max }) => !fits(min, start) || !fits(max, start)).length;
}
