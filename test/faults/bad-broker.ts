import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { eventually } from '../services/eventually.ts';
import { Mosquitto } from '../services/mosquitto.ts';
import { type Heard, MqttListener } from '../services/mqtt-listener.ts';
import { CuttingProxy, type Weather } from './cutting-proxy.ts';
import { neededProgram } from './needed-program.ts';
import { balance, describeBalance, isExact, type StoredWindows, type WindowCounts } from './oracle.ts';
import type { Rig, Round } from './rig.ts';
import { inScene } from './scene.ts';

/** As they wait a back-off, which grows, after each fault. */
const DRAIN_MS = 120_000;

const WINDOW_MS = 100;
const WINDOW =
  '{ name: s, series: "*", window: { tumbling: 100ms, allowedLateness: 1h }, aggregates: [count, sum, min, max] }';

export const badBroker: Rig = {
  id: 'F9-mqtt',
  claim:
    'an MQTT broker that stops, hangs or loses its acknowledgements costs nothing but time, and what comes twice has the same id',
  goal: 'each result published; 0 lost, 0 doubled by id',
  async run(round) {
    const programs = { sub: neededProgram('mosquitto_sub'), pub: neededProgram('mosquitto_pub') };
    // As root it would become a user who cannot write to its folder, and forget the witness.
    const mosquitto = await Mosquitto.create(neededProgram('mosquitto'), ['allow_anonymous true', 'user root']);
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

/** One message in so many is on a topic that the gateway has no right to. */
const POISON_EVERY = 1_000;

export const forbiddenTopics: Rig = {
  id: 'F13-mqtt',
  claim: 'results that an MQTT broker refuses are set aside with its reason, and the others are published as fast',
  goal: '999 of 1 000 published, 1 set aside, ≤ 10 % slower',
  async run(round) {
    const messages = round.amount(20_000, 100_000);
    const clean = await deliver(messages, 0);
    const poisoned = await deliver(messages, POISON_EVERY);
    const share = poisoned.tookMs / clean.tookMs - 1;
    const expected = messages / POISON_EVERY;
    return {
      measured: `${poisoned.heard} of ${messages} published, ${poisoned.rejected} set aside: ${poisoned.reasons.join(', ')}; ${(clean.tookMs / 1000).toFixed(1)} s without and ${(poisoned.tookMs / 1000).toFixed(1)} s with poison: ${(share * 100).toFixed(0)} % slower`,
      holds:
        clean.heard === messages &&
        clean.rejected === 0 &&
        poisoned.heard === messages - expected &&
        poisoned.rejected === expected &&
        poisoned.reasons.length === 1,
      meetsFigures: share <= 0.1,
    };
  },
};

interface Delivered {
  /** Messages that a subscriber heard, each id once. */
  readonly heard: number;
  readonly rejected: number;
  /** Kinds of reasons of what was set aside. */
  readonly reasons: readonly string[];
  /** From the first message that was taken until there was nothing left, in milliseconds. */
  readonly tookMs: number;
}

/** Every reading is a window of its own. All wait for the broker, which then gets them as fast as it takes them. */
async function deliver(messages: number, poisonEvery: number): Promise<Delivered> {
  const programs = { sub: neededProgram('mosquitto_sub'), pub: neededProgram('mosquitto_pub') };
  const folder = await mkdtemp(join(tmpdir(), 'headgate-rights-'));
  const rights = join(folder, 'rights');
  await writeFile(rights, 'topic readwrite #\ntopic deny headgate/faults/aggregates/+/poison/#\n');
  const settings = ['allow_anonymous true', 'user root', `acl_file ${rights}`];
  const mosquitto = await Mosquitto.create(neededProgram('mosquitto'), settings);
  const listener = await MqttListener.start(programs, mosquitto.port, 'headgate/faults/aggregates/#');
  const proxy = await CuttingProxy.start(mosquitto.port);
  const sink = `{ name: hall, type: mqtt, url: "mqtt://127.0.0.1:${proxy.port}", catchUp: { order: in-order } }`;
  const windows = ['{ name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, max] }'];
  try {
    return await inScene({ windows, sinks: [sink], checkpointEvery: '2s' }, async (scene) => {
      const { gateway } = scene;
      const sinkOf = async (name: string) => (await gateway.status()).sinks.find((one) => one.name === name)!;
      const through = async (name: string) => {
        const { deliveredTotal, rejectedTotal } = await sinkOf(name);
        return deliveredTotal + rejectedTotal;
      };
      proxy.weather = 'refuse';
      await gateway.start();
      await scene.publish({ stepMs: 1_000, count: messages / 4, poisonEvery }).finished(600_000);
      await eventually('the history has every window', async () => (await through('history')) === messages, 60_000);
      proxy.weather = 'pass';
      await eventually('the broker takes something', async () => (await through('hall')) > 0, 60_000);
      const begun = performance.now();
      await eventually('everything is through', async () => (await through('hall')) === messages, 600_000);
      const tookMs = performance.now() - begun;
      const { ids } = identities(await listener.caughtUp());
      const { deadLetters } = await gateway.get<{ deadLetters: { reason: string }[] }>(
        '/api/v1/dead-letters?limit=1000',
      );
      const reasons = new Set(deadLetters.map(({ reason }) => reason.split(': ').at(-1)!));
      return { heard: ids, rejected: (await sinkOf('hall')).rejectedTotal, reasons: [...reasons], tookMs };
    });
  } finally {
    await proxy.close();
    await listener.stop();
    await mosquitto.remove();
    await rm(folder, { recursive: true, force: true });
  }
}
