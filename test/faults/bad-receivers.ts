import { systemClock } from '../../gateway/base/system-clock.ts';
import { Mosquitto } from '../services/mosquitto.ts';
import { type Heard, MqttListener } from '../services/mqtt-listener.ts';
import { requireProgram } from '../services/require-program.ts';
import { WebhookReceiver } from '../services/webhook-receiver.ts';
import { CuttingProxy, type Weather } from './cutting-proxy.ts';
import { balance, describeBalance, drained, isExact, type StoredWindows, type WindowCounts } from './oracle.ts';
import { type SentByDevice, T0 } from './publisher.ts';
import { type Rig, type Round, Skipped } from './rig.ts';
import { inScene } from './scene.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'of the faults').toString('base64')}`;
/** As they wait a back-off, which grows, after each fault. */
const DRAIN_MS = 120_000;

/** A program that a rig needs. @throws {Skipped} where the machine has none */
function programOf(name: string): string {
  const program = requireProgram(name);
  if (program === undefined) throw new Skipped(`${name} is not installed`);
  return program;
}

const WINDOW_MS = 100;
const WINDOW =
  '{ name: s, series: "*", window: { tumbling: 100ms, allowedLateness: 1h }, aggregates: [count, sum, min, max] }';

export const badBroker: Rig = {
  id: 'F9-mqtt',
  claim:
    'an MQTT broker that stops, hangs or loses its acknowledgements costs nothing but time, and what comes twice has the same id',
  goal: 'each result published; 0 lost, 0 doubled by id',
  async run(round) {
    const programs = { sub: programOf('mosquitto_sub'), pub: programOf('mosquitto_pub') };
    // As root it would become a user who cannot write to its folder, and forget the witness.
    const mosquitto = await Mosquitto.create(programOf('mosquitto'), ['allow_anonymous true', 'user root']);
    try {
      // Its session outlives the broker's stops: what is missing was not published.
      const words = ['-V', '5', '-c', '-i', 'witness', '-x', '4294967295'];
      const listener = await MqttListener.start(programs, mosquitto.port, 'headgate/faults/aggregates/#', words);
      try {
        return await withBadBroker(round, mosquitto, listener);
      } finally {
        await listener.stop();
      }
    } finally {
      await mosquitto.remove();
    }
  },
};

async function withBadBroker(round: Round, mosquitto: Mosquitto, listener: MqttListener) {
  const proxy = await CuttingProxy.start(mosquitto.port);
  const sink = `{ name: hall, type: mqtt, url: "mqtt://127.0.0.1:${proxy.port}", timeout: 1s, batch: { every: 20ms } }`;
  try {
    return await inScene({ windows: [WINDOW], sinks: [sink] }, async (scene) => {
      const { gateway } = scene;
      await gateway.start();
      const publisher = scene.publish({ perSecond: 2_000 });
      await publisher.acceptedAgain(0);
      const times = round.times(2, 25);
      for (let time = 0; time < times; time++) {
        for (const weather of ['hang', 'deaf', 'refuse'] satisfies Weather[]) {
          await systemClock.sleep(round.random.between(100, 600));
          proxy.weather = weather;
          await systemClock.sleep(round.random.between(200, 1_500));
          proxy.weather = 'pass';
        }
        await mosquitto.stop();
        await systemClock.sleep(round.random.between(0, 500));
        await mosquitto.start();
      }
      const report = await publisher.end();
      const stored = windowsOf(listener);
      const found = await balance(gateway, report, { stored, sizeMs: WINDOW_MS, timeoutMs: DRAIN_MS });
      const { ids, repeated, different } = identities(await listener.caughtUp());
      return {
        measured: `${times * 4} faults: ${describeBalance(found)}; ${ids} results, ${repeated} came again, ${different} of them not the same`,
        holds: isExact(found) && different === 0,
      };
    });
  } finally {
    await proxy.close();
  }
}

/** Windows as a subscriber has them who knows ids and revisions. */
function windowsOf(listener: MqttListener): StoredWindows {
  return async (device) => {
    const windows = new Map<number, { readonly revision: number; readonly counts: WindowCounts }>();
    for (const { payload } of await listener.caughtUp()) {
      const [start, revision] = [Number(payload['start']), Number(payload['revision'])];
      if (payload['device'] !== device || revision < (windows.get(start)?.revision ?? 0)) continue;
      const { count, sum, min, max } = payload['fields'] as Omit<WindowCounts, 'start'>;
      windows.set(start, { revision, counts: { start, count, sum, min, max } });
    }
    return [...windows.values()].map(({ counts }) => counts).toSorted((a, b) => a.start - b.start);
  };
}

function identities(heard: readonly Heard[]): { ids: number; repeated: number; different: number } {
  const first = new Map<string, string>();
  let different = 0;
  for (const { payload } of heard) {
    const id = String(payload['id']);
    const text = JSON.stringify(payload);
    if ((first.get(id) ?? text) !== text) different++;
    first.set(id, text);
  }
  return { ids: first.size, repeated: heard.length - first.size, different };
}

/** Values go round below this, and for the last tenth beyond the bound of the detector. */
const ROUND = 200;
const FIRST_BEYOND = ROUND * 0.9 + 1;
const STEP_MS = 10;
/** After one kill in so many the gateway is killed, too. */
const GATEWAY_TOO = 3;
/** Of what a gateway that is killed has not written down as told, in alarms. */
const BATCH = 1_000;

export const killedReceiver: Rig = {
  id: 'F9-webhook',
  claim:
    'a receiver of webhooks that is killed again and again, and the gateway with it, is told of every alarm, each step under one id',
  goal: 'each step told; 0 lost, 0 doubled by id, ≤ 1 twice for a kill of the receiver, a batch for one of the gateway',
  async run(round) {
    const receiver = await WebhookReceiver.create(programOf('python3'), SECRET);
    const detect = [
      `{ series: "*", detector: range, max: ${FIRST_BEYOND - 1}, alarm: { severity: critical, hold: 100ms } }`,
    ];
    const sinks = [`{ name: phones, type: webhook, url: "${receiver.url}", secret: ${SECRET}, timeout: 2s }`];
    try {
      // Many come at once here, of which none is to be held back.
      return await inScene({ detect, sinks, alarms: '{ flood: { above: 0 } }' }, async (scene) => {
        const { gateway } = scene;
        await gateway.start();
        const publisher = scene.publish({ perSecond: 4_000, stepMs: STEP_MS, modulo: ROUND });
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
        const expected = new Set(devices.flatMap(raisedBy));
        const { received } = receiver;
        const steps = new Map(received.map(({ id, body }) => [id, `${body.data.alarm}@${body.data.state}`]));
        const told = [...steps.values()];
        const raised = new Set(told.filter((step) => step.endsWith('@raised')).map((step) => step.slice(0, -7)));
        const lost = [...expected].filter((id) => !raised.has(id)).length;
        const phantom = [...raised].filter((id) => !expected.has(id)).length;
        const doubled = told.length - new Set(told).size;
        const repeated = received.length - steps.size;
        const disbelieved = received.filter(({ problem }) => problem !== null).length;
        const cleared = told.length - raised.size;
        return {
          measured: `${kills} kills, and ${gatewayKills} of the gateway: ${lost} lost, ${phantom} too much, of ${expected.size} alarms, ${cleared} cleared; ${doubled} doubled, ${repeated} steps sent again, ${disbelieved} not believed`,
          holds:
            [lost, phantom, doubled, disbelieved].every((count) => count === 0) &&
            repeated <= kills + gatewayKills * BATCH &&
            // The last one of a device may still be active.
            expected.size > 0 &&
            cleared >= expected.size - devices.length,
        };
      });
    } finally {
      await receiver.kill();
    }
  },
};

/** Ids of the alarms of a device, by arithmetic alone. */
function raisedBy({ name, sent }: SentByDevice): readonly string[] {
  const ids: string[] = [];
  for (let seq = FIRST_BEYOND; seq < sent; seq += ROUND) ids.push(`range@${name}/seq@${T0 + seq * STEP_MS}`);
  return ids;
}
