import { systemClock } from '../../gateway/base/system-clock.ts';
import { eventually } from '../services/eventually.ts';
import { WebhookReceiver } from '../services/webhook-receiver.ts';
import { noSocketLeaks, retryAfterIsKept } from './bad-sink.ts';
import { MisbehavingServer, type Misbehaviour } from './misbehaving-server.ts';
import { neededProgram } from './needed-program.ts';
import { drained } from './oracle.ts';
import { type SentByDevice, T0 } from './publisher.ts';
import type { Rig } from './rig.ts';
import { inScene, type Scene } from './scene.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'of the faults').toString('base64')}`;
/** As a back-off is waited for, which grows, and a person for half a minute. */
const DRAIN_MS = 120_000;
/** Values go round below this, and for the last tenth beyond the bound of the detector. */
const ROUND = 200;
const FIRST_BEYOND = ROUND * 0.9 + 1;
/** An alarm comes every 200 s: more often it would chatter, and be one that goes on. */
const STEP_MS = 1_000;
const PER_SECOND = 4_000;
/** After one kill in so many the gateway is killed, too. */
const GATEWAY_TOO = 3;
/** Of what a gateway that is killed has not written down as told, in alarms. */
const BATCH = 1_000;

export const killedReceiver: Rig = {
  id: 'F9-webhook',
  claim:
    'a receiver of webhooks that is killed again and again, and the gateway with it, is told of every alarm, each step under one id',
  goal: '0 lost, 0 doubled by id, ≤ 1 twice for a kill of the receiver, a batch for one of the gateway',
  run: (round) =>
    withReceiver(async (receiver) =>
      alarmsTo(receiver.url, async (scene) => {
        const { gateway } = scene;
        const publisher = scene.publish({ perSecond: PER_SECOND, stepMs: STEP_MS, modulo: ROUND });
        await publisher.acceptedAgain(0);
        const kills = round.times(6, 100);
        let gatewayKills = 0;
        for (let done = 0; done < kills; done++) {
          await systemClock.sleep(round.random.between(100, 800));
          await receiver.kill();
          await systemClock.sleep(round.random.between(0, 300));
          await receiver.start();
          if (done % GATEWAY_TOO !== 0) continue;
          await gateway.kill();
          gatewayKills++;
          await gateway.start();
        }
        const { devices } = await publisher.end();
        await drained(gateway, DRAIN_MS);
        const found = compare(receiver, devices);
        return {
          measured: `${kills} kills, and ${gatewayKills} of the gateway: ${describe(found)}`,
          holds: isWhole(found) && found.repeated <= kills + gatewayKills * BATCH,
        };
      }),
    ),
};

export const badReceiver: Rig = {
  id: 'F11-webhook',
  claim:
    'a receiver of webhooks that refuses, hangs, is busy or loses its answers is told of every alarm, each step under one id, and not before it said',
  goal: '0 lost, 0 doubled by id, Retry-After kept, ≤ 4 connections',
  run: (round) =>
    withReceiver(async (receiver) => {
      const proxy = await MisbehavingServer.start(new URL(receiver.url).origin, round.random.fork('proxy'), '/');
      try {
        return await alarmsTo(`${proxy.url}/hooks/headgate`, async (scene) => {
          const publisher = scene.publish({ perSecond: PER_SECOND, stepMs: STEP_MS, modulo: ROUND });
          await publisher.acceptedAgain(0);
          const transient: readonly Misbehaviour[] = [
            'refuse',
            'hang',
            'crawl',
            'lost',
            'unheard',
            'random',
            500,
            503,
            429,
          ];
          // Each of these holds the gateway for half a minute.
          const forAPerson: readonly Misbehaviour[] = round.isFull ? [401, 403, 404] : [];
          for (const behaviour of [...transient, ...forAPerson]) {
            const before = proxy.requests.length;
            proxy.behaviour = behaviour;
            await systemClock.sleep(round.isFull ? 5_000 : 1_000);
            if (typeof behaviour === 'number')
              await eventually(`${behaviour} is answered`, () => proxy.requests.length > before, DRAIN_MS);
            proxy.behaviour = 'pass';
            await systemClock.sleep(300);
          }
          const { devices } = await publisher.end();
          await drained(scene.gateway, DRAIN_MS);
          const found = compare(receiver, devices);
          const wrong = [retryAfterIsKept(proxy), noSocketLeaks(proxy)].filter((one) => one !== undefined);
          return {
            measured: `${describe(found)}; ${proxy.requests.length} requests over at most ${proxy.mostConnections} connections${wrong.map((one) => `; ${one}`).join('')}`,
            holds: isWhole(found) && wrong.length === 0,
          };
        });
      } finally {
        await proxy.close();
      }
    }),
};

async function withReceiver<T>(use: (receiver: WebhookReceiver) => Promise<T>): Promise<T> {
  const receiver = await WebhookReceiver.create(neededProgram('python3'), SECRET);
  try {
    return await use(receiver);
  } finally {
    await receiver.kill();
  }
}

/** A gateway that runs and tells alarms there: many at once, of which none is held back as a flood. */
function alarmsTo<T>(url: string, use: (scene: Scene) => Promise<T>): Promise<T> {
  const alarm = '{ severity: critical, hold: 100ms }';
  const detect = [`{ series: "*", detector: range, max: ${FIRST_BEYOND - 1}, alarm: ${alarm} }`];
  const sinks = [`{ name: phones, type: webhook, url: "${url}", secret: ${SECRET}, timeout: 2s }`];
  return inScene({ detect, sinks, alarms: '{ flood: { above: 0 } }' }, async (scene) => {
    await scene.gateway.start();
    return use(scene);
  });
}

/** What a receiver was told against what it should have been, by arithmetic alone. */
interface Told {
  readonly alarms: number;
  readonly lost: number;
  readonly phantom: number;
  /** Alarms that were not cleared, and should have been. */
  readonly uncleared: number;
  /** Steps under several ids. */
  readonly doubled: number;
  /** Steps that came again under their id. */
  readonly repeated: number;
  readonly disbelieved: number;
}

function compare({ received }: WebhookReceiver, devices: readonly SentByDevice[]): Told {
  const expected = new Set(devices.flatMap(raisedBy));
  const steps = new Map(received.map(({ id, body }) => [id, `${body.data.alarm}@${body.data.state}`]));
  const told = new Set(steps.values());
  const raised = new Set([...told].filter((step) => step.endsWith('@raised')).map((step) => step.slice(0, -7)));
  return {
    alarms: expected.size,
    lost: [...expected].filter((id) => !raised.has(id)).length,
    phantom: [...raised].filter((id) => !expected.has(id)).length,
    // The last one of a device may still be active.
    uncleared: Math.max(0, expected.size - devices.length - (told.size - raised.size)),
    doubled: steps.size - told.size,
    repeated: received.length - steps.size,
    disbelieved: received.filter(({ problem }) => problem !== null).length,
  };
}

/** Ids of the alarms of a device. */
function raisedBy({ name, sent }: SentByDevice): readonly string[] {
  const ids: string[] = [];
  for (let seq = FIRST_BEYOND; seq < sent; seq += ROUND) ids.push(`range@${name}/seq@${T0 + seq * STEP_MS}`);
  return ids;
}

function isWhole({ alarms, lost, phantom, uncleared, doubled, disbelieved }: Told): boolean {
  return alarms > 0 && [lost, phantom, uncleared, doubled, disbelieved].every((count) => count === 0);
}

function describe({ alarms, lost, phantom, uncleared, doubled, repeated, disbelieved }: Told): string {
  const rest = uncleared + disbelieved === 0 ? '' : `, ${uncleared} not cleared, ${disbelieved} not believed`;
  return `${lost} lost, ${phantom} too much, of ${alarms} alarms; ${doubled} steps doubled, ${repeated} sent again${rest}`;
}
