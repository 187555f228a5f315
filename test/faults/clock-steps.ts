import { connectAsync } from 'mqtt';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { eventually } from '../services/eventually.ts';
import { freePort } from '../services/free-port.ts';
import type { GatewayProcess } from '../services/gateway-process.ts';
import { CountingSink } from './counting-sink.ts';
import { FakeTime } from './fake-time.ts';
import { balance, describeBalance, drained, historyOf, isExact, type WindowCounts } from './oracle.ts';
import { T0 } from './publisher.ts';
import type { Finding, Rig, Round } from './rig.ts';
import { inScene, type Scene } from './scene.ts';

const HOUR_MS = 3_600_000;
/** Between two readings of the device without a clock. */
const EVERY_MS = 50;
/** The gateway looks at the clock once a second; the reading and the look have to be told apart from the window's edge. */
const TOLERANCE_MS = 100;

/** No reading has an earlier time: nothing may be stored under one. */
const EARLIEST = T0;

/** How far each stretch of readings has the clock from the truth; the value of each is its true time. */
const STRETCHES_MS = [0, 2 * HOUR_MS, 0, -2 * HOUR_MS, 0];

export const clockSteps: Rig = {
  id: 'F16',
  claim:
    'a boot in 1970, 56 years at once, two hours ahead and back change no window, and nothing is stored under a time that has not been',
  goal: '0 lost, 0 late, right windows, none of 1970, times of the boot corrected',
  run: async (round) => {
    const sinkPort = await freePort();
    const sinks = [
      `{ name: influx, type: influxdb, url: "http://127.0.0.1:${sinkPort}", gzip: false, batch: { maxItems: 2 } }`,
    ];
    return inScene({ checkpointEvery: '1s', sinks }, (scene) => measure(scene, sinkPort, round));
  },
};

async function measure(scene: Scene, sinkPort: number, round: Round): Promise<Finding> {
  const { gateway } = scene;
  const time = new FakeTime(scene.folder);
  const stretchMs = round.isFull ? 20_000 : 3_000;
  time.set(20_000 - Math.floor(systemClock.now() / 1_000) * 1_000);
  await gateway.start(time.launch);
  const publisher = scene.publish({ perSecond: 400 });
  const sent = await publishWithoutTime(scene, stretchMs);
  const { state } = (await gateway.status()).clock;
  await gateway.kill();
  await gateway.start(time.launch);
  sent.push(...(await publishWithoutTime(scene, stretchMs)));
  const held = (await gateway.status()).clock.provisionalReadings;
  // The backlog that has gathered meanwhile is drained while the clock is set.
  const sink = await CountingSink.start(sinkPort);
  try {
    const expected = sent.map((at) => ({ at, offsetMs: 0 }));
    for (const offsetMs of STRETCHES_MS) {
      time.set(offsetMs);
      await followed(gateway, offsetMs);
      for (const at of await publishWithoutTime(scene, stretchMs)) expected.push({ at, offsetMs });
    }
    const report = await publisher.end();
    const found = await balance(gateway, report);
    const bare = await historyOf(gateway)('bare');
    const others = await Promise.all(report.devices.map(({ name }) => historyOf(gateway)(name)));
    const windows = [bare, ...others].reduce((sum, { length }) => sum + length, 0);
    // The last windows came after their devices fell silent, and are on their way.
    await drained(gateway);
    const { clock } = await gateway.status();
    const wrong = misplaced(bare, expected);
    const counted = bare.reduce((sum, { count }) => sum + count, 0);
    const stored = new Set(sink.lines.map(identityOf)).size;
    const odd = sink.lines.filter((line) => timeOf(line) < EARLIEST).length;
    return {
      measured: `${describeBalance(found)}; without a time of their own ${counted} of ${expected.length} counted, ${wrong} windows misplaced, ${held} of ${sent.length} corrected over a kill; ${clock.steppedTotal} steps; ${stored} of ${windows} windows in the sink, ${odd} lines of another time`,
      holds:
        isExact(found) &&
        state === 'unset' &&
        held === sent.length &&
        counted === expected.length &&
        wrong === 0 &&
        stored === windows &&
        odd === 0 &&
        clock.markedTotal + clock.provisionalReadings === 0,
    };
  } finally {
    await sink.close();
  }
}

/** Measurement, tags and time of a line of line protocol. */
function identityOf(line: string): string {
  return `${line.slice(0, line.indexOf(' '))} ${timeOf(line)}`;
}

function timeOf(line: string): number {
  return Number(line.slice(line.lastIndexOf(' ') + 1));
}

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
