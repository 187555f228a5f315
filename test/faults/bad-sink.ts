import { systemClock } from '../../gateway/base/system-clock.ts';
import { eventually } from '../services/eventually.ts';
import { storedIn, withInflux } from './influx-scene.ts';
import { type MisbehavingServer, type Misbehaviour, RETRY_AFTER_SECONDS } from './misbehaving-server.ts';
import { balance, describeBalance, isExact } from './oracle.ts';
import { T0 } from './publisher.ts';
import type { Rig, Round } from './rig.ts';

/** A gateway that waits for a person tries again this often, in milliseconds. */
const HOLD_MS = 30_000;
const WEEK_MS = 7 * 86_400_000;
const MOST_CONNECTIONS = 4;

/** What is to be seen besides: undefined when it was seen. */
type Check = (proxy: MisbehavingServer) => string | undefined;

/** Whether nobody came back before the time that a 429 had asked for. */
export const retryAfterIsKept: Check = (proxy) => {
  for (const [i, { at, behaviour }] of proxy.requests.entries()) {
    const next = proxy.requests[i + 1];
    if (behaviour === 429 && next !== undefined && next.at - at < RETRY_AFTER_SECONDS * 1000 - 1)
      return `came again ${(next.at - at).toFixed(0)} ms after a 429 that asked for ${RETRY_AFTER_SECONDS} s`;
  }
  return proxy.requests.some(({ behaviour }) => behaviour === 429) ? undefined : 'no 429 was answered';
};

/** Whether a client keeps to a few connections. */
export const noSocketLeaks: Check = (proxy) =>
  proxy.mostConnections <= MOST_CONNECTIONS ? undefined : `${proxy.mostConnections} connections at once`;

function badSink(id: string, claim: string, behaviours: (round: Round) => readonly Misbehaviour[], check: Check): Rig {
  return {
    id,
    claim,
    goal: 'each point stored exactly once',
    run: (round) =>
      withInflux(round, {}, async ({ scene, influxd, proxy }) => {
        await scene.gateway.start();
        const publisher = scene.publish({ perSecond: 2_000 });
        await publisher.acceptedAgain(0);
        const eachMs = round.isFull ? 10_000 : 2_500;
        const done = behaviours(round);
        for (const behaviour of done) {
          const before = proxy.requests.length;
          proxy.behaviour = behaviour;
          await systemClock.sleep(eachMs);
          // Who has been refused waits before it asks again, perhaps for longer than this.
          if (typeof behaviour === 'number')
            await eventually(`${behaviour} is answered`, async () => proxy.requests.length > before);
          proxy.behaviour = 'pass';
          await systemClock.sleep(300);
        }
        const report = await publisher.end();
        const found = await balance(scene.gateway, report, {
          stored: storedIn(influxd),
          timeoutMs: 2 * HOLD_MS + 30_000,
        });
        const wrong = check(proxy);
        return {
          measured: `${done.join(', ')}: ${describeBalance(found)}; ${proxy.requests.length} requests over at most ${proxy.mostConnections} connections${wrong === undefined ? '' : `; ${wrong}`}`,
          holds: isExact(found) && wrong === undefined,
        };
      }),
  };
}

export const slowSink = badSink(
  'F9',
  'an InfluxDB that refuses, hangs or crawls costs nothing but time',
  () => ['refuse', 'hang', 'crawl'],
  noSocketLeaks,
);

export const lostAnswers = badSink(
  'F10',
  'points whose answer was lost after they were stored are sent twice and stored once',
  () => ['lost', 'unheard', 'random'],
  (proxy) => (proxy.requests.some(({ behaviour }) => behaviour === 'lost') ? undefined : 'no answer was lost'),
);

export const busySink = badSink(
  'F11',
  'an InfluxDB that answers 500, 503 or 429 is asked again, and not before it said',
  () => [500, 503, 429],
  retryAfterIsKept,
);

/** 401, 403 and 404 each hold the gateway for long: one of them in a short round. */
export const refusingSink = badSink(
  'F12',
  'an InfluxDB that refuses the gateway itself gets everything when it is mended',
  ({ isFull, random }) => (isFull ? [401, 403, 404] : [[401, 403, 404][Math.floor(random.between(0, 3))]!]),
  (proxy) => (proxy.requests.length < 1_000 ? undefined : 'it was asked all the time'),
);

export const poison: Rig = {
  id: 'F13',
  claim: 'points that InfluxDB refuses for ever are set aside with their reasons, and the others are stored',
  goal: '999 000 of a million stored, 1 000 set aside, ≤ 10 % slower',
  async run(round) {
    const messages = round.amount(20_000, 1_000_000);
    const clean = await deliver(round, messages, 0);
    const poisoned = await deliver(round, messages, 1_000);
    const share = poisoned.tookMs / clean.tookMs - 1;
    const expected = messages / 1_000;
    return {
      measured: `${poisoned.stored} of ${messages} stored, ${poisoned.rejected} set aside with ${poisoned.reasons} kind of reason; ${(clean.tookMs / 1000).toFixed(1)} s without and ${(poisoned.tookMs / 1000).toFixed(1)} s with poison: ${(share * 100).toFixed(0)} % slower`,
      holds:
        clean.stored === messages &&
        clean.rejected === 0 &&
        poisoned.stored === messages - expected &&
        poisoned.rejected === expected &&
        poisoned.reasons === 1,
      meetsFigures: share <= 0.1,
    };
  },
};

interface Delivered {
  readonly stored: number;
  readonly rejected: number;
  readonly reasons: number;
  /** From the first request that InfluxDB heard until it had everything, in milliseconds. */
  readonly tookMs: number;
}

/** Every reading is a window of its own. All wait for InfluxDB, which then gets them as fast as it takes them. */
function deliver(round: Round, messages: number, poisonEvery: number): Promise<Delivered> {
  const windows = ['{ name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, max] }'];
  // As fast as it goes: a pace would hide what the poison costs.
  const influx = ', catchUp: { order: in-order }';
  return withInflux(round, { windows, influx, checkpointEvery: '2s' }, async ({ scene, influxd, proxy }) => {
    await influxd.query('', 'CREATE DATABASE "headgate"');
    // A field that is whole here and a floating-point number there: InfluxDB never takes it, week by week, as it keeps its shards.
    for (const time of [T0, T0 + WEEK_MS]) await influxd.write('headgate', `poison count=1i,max=1i ${time}`);
    proxy.behaviour = 'refuse';
    await scene.gateway.start();
    await scene.publish({ stepMs: 1_000, count: messages / 4, poisonEvery }).finished(600_000);
    const history = async () => (await scene.gateway.status()).sinks.find(({ name }) => name === 'history');
    await eventually(
      'the history has every window',
      async () => (await history())?.deliveredTotal === messages,
      60_000,
    );
    proxy.behaviour = 'pass';
    const sink = await eventually(
      'InfluxDB has been sent everything',
      async () => {
        const { sinks } = await scene.gateway.status();
        const influx = sinks.find(({ name }) => name === 'influx');
        return influx !== undefined && influx.deliveredTotal + influx.rejectedTotal === messages ? influx : undefined;
      },
      600_000,
    );
    // The back-off before the first request that is heard is not the poison's.
    const tookMs = performance.now() - proxy.requests.find(({ behaviour }) => behaviour === 'pass')!.at;
    const counted = await influxd.rows('headgate', 'SELECT count("max") FROM "seq"');
    const { deadLetters } = await scene.gateway.get<{ deadLetters: { reason: string }[] }>(
      '/api/v1/dead-letters?limit=1000',
    );
    const reasons = new Set(deadLetters.map(({ reason }) => reason.replace(/\d+/g, 'n')));
    return { stored: Number(counted[0]?.['count'] ?? 0), rejected: sink.rejectedTotal, reasons: reasons.size, tookMs };
  });
}
