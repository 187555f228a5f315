import { imbalance } from '../../gateway/runtime/ledger.ts';
import type { Random } from '../../simulators/random.ts';
import { publishFrame, RawClient } from '../devices/mqtt/raw-client.ts';
import { eventually } from '../services/eventually.ts';
import type { InfluxdSeries } from '../services/influxd.ts';
import { DATABASE, withInflux } from './influx-scene.ts';
import { drained } from './oracle.ts';
import { T0 } from './publisher.ts';
import type { Rig, Round } from './rig.ts';
import { inScene, type Scene } from './scene.ts';

const IN_FLIGHT = 500;
const WINDOW = '{ name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, last] }';
/** Names come from the payload here, so that they may hold what a topic may not. */
const NAMED =
  '{ topic: named, device: unnamed, json: { value: value, time: ts, timeUnit: ms, metric: metric, device: device } }';

/** Publishes at QoS 1 and waits for every acknowledgement. @returns the longest wait for one, in milliseconds */
async function publishAll(
  port: number,
  messages: Iterable<{ readonly topic: string; readonly payload: string | Uint8Array }>,
): Promise<number> {
  const client = await RawClient.connect(port, { id: 'hostile' });
  const sentAt: number[] = [];
  let slowestMs = 0;
  const acknowledged = async () => {
    if ((await client.frame(60_000)) === undefined) throw new Error('the connection was closed');
    slowestMs = Math.max(slowestMs, performance.now() - sentAt.shift()!);
  };
  let id = 0;
  for (const message of messages) {
    id = (id % 60_000) + 1;
    client.send(publishFrame({ ...message, id }));
    sentAt.push(performance.now());
    if (sentAt.length >= IN_FLIGHT) await acknowledged();
  }
  while (sentAt.length > 0) await acknowledged();
  client.close();
  return slowestMs;
}

async function ledgerOff({ gateway }: Scene, received: number): Promise<string | undefined> {
  await drained(gateway, 120_000);
  const { ledger } = await gateway.status();
  if (ledger.received !== received) return `${ledger.received} received of ${received} sent`;
  return imbalance(ledger) === 0 ? undefined : `the ledger is off by ${imbalance(ledger)}`;
}

const MESSAGE_MS = 50;
/** A large payload is timed so often, and the best time counts: the others are those of a machine that does something else too. */
const TRIES = 5;

export const hostilePayloads: Rig = {
  id: 'F25',
  claim: 'any payload is decoded by rule or set aside, in time, and its connection stays',
  goal: 'each counted, ≤ 50 ms a message',
  run: (round) =>
    inScene({}, async (scene) => {
      await scene.gateway.start();
      const times = round.amount(2_000, 50_000);
      const broken = Array.from({ length: times }, () => ({
        topic: 'sensors/hostile/value',
        payload: brokenPayload(round.random),
      }));
      await publishAll(scene.port, broken);
      let slowestMs = 0;
      for (const payload of LARGE) {
        const tookMs: number[] = [];
        for (let i = 0; i < TRIES; i++) {
          tookMs.push(await publishAll(scene.port, [{ topic: 'sensors/hostile/value', payload }]));
        }
        slowestMs = Math.max(slowestMs, Math.min(...tookMs));
      }
      const wrong = await ledgerOff(scene, times + TRIES * LARGE.length);
      const { ledger } = await scene.gateway.status();
      return {
        measured: `${times} broken payloads and ${LARGE.length} large ones: ${ledger.rejected} set aside, ${ledger.aggregated + ledger.duplicate} read${wrong === undefined ? '' : `; ${wrong}`}; the slowest large one took ${slowestMs.toFixed(0)} ms at best`,
        holds: wrong === undefined && ledger.rejected > 0 && ledger.aggregated > 0,
        meetsFigures: slowestMs <= MESSAGE_MS,
      };
    }),
};

const GOOD = `{"value":21.5,"ts":${T0},"deep":{"a":[1,2,{"b":null}]},"text":"größe"}`;

/** A good payload with bytes changed, cut out or repeated. */
function brokenPayload(random: Random): Uint8Array {
  const bytes = [...Buffer.from(GOOD)];
  for (let n = Math.floor(random.between(0, 4)); n >= 0; n--) {
    const at = Math.floor(random.between(0, bytes.length));
    const kind = random.next();
    if (kind < 0.4) bytes[at] = Math.floor(random.between(0, 256));
    else if (kind < 0.7) bytes.splice(at, Math.floor(random.between(1, 20)));
    else bytes.splice(at, 0, ...bytes.slice(at, at + Math.floor(random.between(1, 20))));
  }
  return Uint8Array.from(bytes);
}

const LARGE: readonly string[] = [
  `{"value":${'['.repeat(20_000)}1${']'.repeat(20_000)}}`,
  `{"a":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)},"value":1}`,
  `{"value":1,"ts":${T0},${Array.from({ length: 50_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`,
  `{"value":1${',"value":1'.repeat(90_000)}}`,
  `{"value":"${'\\u0000'.repeat(150_000)}"}`,
  `{"value":1e${'9'.repeat(900_000)}}`,
  `{"value":${'9'.repeat(900_000)}}`,
  `{"value":1,"ts":${T0 + 1}}`.padEnd(1_000_000),
];

/** Characters that mean something in line protocol, in topics, in JSON, in InfluxQL, or nothing anywhere. */
const CHARACTERS = [
  ...',= "\\\'\n\r\t#+$/\0\u007f{}[];:|~^%&*()<>?!@`.-_0aZ',
  'é',
  '温',
  '🌡',
  '\u{2028}',
  '\ufeff',
  '\ud800',
  '\udc00',
];

export const hostileNames: Rig = {
  id: 'F27',
  claim: 'a name of any characters comes back from InfluxDB as it was, or is set aside, and injects nothing',
  goal: '0 injected in a million random strings (100 000 against the server)',
  run: (round) =>
    withInflux(round, { windows: [WINDOW], readings: [NAMED] }, async ({ scene, influxd }) => {
      await scene.gateway.start();
      const times = round.amount(2_000, 100_000);
      const names = new Set(Array.from({ length: times }, () => randomName(round.random)));
      await publishAll(
        scene.port,
        names
          .values()
          .map((device) => ({ topic: 'named', payload: JSON.stringify({ device, metric: 'm', value: 1, ts: T0 }) })),
      );
      const wrong = await ledgerOff(scene, names.size);
      const sink = await eventually('every window is delivered or set aside', async () => {
        const { sinks, ledger } = await scene.gateway.status();
        const influx = sinks.find(({ name }) => name === 'influx');
        return influx !== undefined && influx.deliveredTotal + influx.rejectedTotal === ledger.aggregated
          ? influx
          : undefined;
      });
      const { ledger } = await scene.gateway.status();
      const series = await influxd.query(DATABASE, 'SELECT last("last") FROM /.*/ GROUP BY *');
      const injected = series.filter((found) => !isOneOf(found, names)).length;
      const missing = ledger.aggregated - sink.rejectedTotal - series.length;
      return {
        measured: `${names.size} names: ${series.length} stored, ${ledger.rejected} refused at the door, ${sink.rejectedTotal} by the sink; ${injected} injected, ${missing} missing${wrong === undefined ? '' : `; ${wrong}`}`,
        holds: wrong === undefined && injected === 0 && missing === 0 && series.length > 0,
      };
    }),
};

function randomName(random: Random): string {
  const length = 1 + Math.floor(random.between(0, 12));
  const any = () => CHARACTERS[Math.floor(random.between(0, CHARACTERS.length))]!;
  // Some ordinary letters between them, so that not each is refused for one bad character.
  return Array.from({ length }, () =>
    random.next() < 0.5 ? any() : String.fromCharCode(97 + random.between(0, 26)),
  ).join('');
}

function isOneOf({ name, tags }: InfluxdSeries, names: ReadonlySet<string>): boolean {
  const { device, gateway, window, ...others } = tags ?? {};
  if (name !== 'm' || gateway !== 'faults' || window !== 's' || Object.keys(others).length > 0) return false;
  return device !== undefined && names.has(device);
}

const EDGES = [
  '-0',
  '0',
  '1e-320',
  '-1e-320',
  '5e-324',
  '1.7976931348623157e308',
  '-1.7976931348623157e308',
  '9007199254740991',
  '-9007199254740991',
  '9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
  '1e400',
  '-1e400',
  'NaN',
  'Infinity',
  '"text"',
  'true',
  'false',
  'null',
  '[]',
] as const;

export const edgeValues: Rig = {
  id: 'F26',
  claim: 'numbers at the edges and changing types never reach InfluxDB as they are not, and every field keeps its type',
  goal: 'only finite floats stored; each counted',
  run: (round) =>
    withInflux(round, { windows: [WINDOW] }, async ({ scene, influxd }) => {
      await scene.gateway.start();
      const sent = shuffled(round, [...EDGES, ...EDGES]);
      await publishAll(
        scene.port,
        sent.map((value, i) => ({ topic: `sensors/edge/value`, payload: `{"value":${value},"ts":${T0 + i * 1_000}}` })),
      );
      const wrong = await ledgerOff(scene, sent.length);
      await eventually('the last window has ended', async () => {
        const { outbox, sinks } = await scene.gateway.status();
        return outbox.nextOffset > 0 && sinks.every(({ backlog }) => backlog.records === 0);
      });
      const { ledger } = await scene.gateway.status();
      const rows = await eventually('every window is stored', async () => {
        const found = await influxd.rows(DATABASE, 'SELECT "last" FROM "value"');
        return found.length === ledger.aggregated ? found : undefined;
      });
      const expected = new Map(sent.map((value, i) => [T0 + i * 1_000, value]));
      const unequal = rows.filter((row) => !isEqual(Number(row['last']), expected.get(Number(row['time'])))).length;
      const types = await influxd.query(DATABASE, 'SHOW FIELD KEYS');
      const areFloats = types.every(({ values }) => values.every(([, type]) => type === 'float'));
      return {
        measured: `${sent.length} values: ${rows.length} stored, ${ledger.rejected} set aside, ${unequal} unequal; every field is ${areFloats ? 'a float' : 'NOT a float'}${wrong === undefined ? '' : `; ${wrong}`}`,
        holds: wrong === undefined && unequal === 0 && areFloats && rows.length > 0 && ledger.rejected > 0,
      };
    }),
};

function isEqual(stored: number, sent: string | undefined): boolean {
  // Booleans count as 1 and 0.
  const value = sent === 'true' ? 1 : sent === 'false' ? 0 : Number(sent);
  return stored === value;
}

function shuffled<T>({ random }: Round, items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

const MORE_MB = 64;

export const manyDevices: Rig = {
  id: 'F28',
  claim: 'a flood of device names is capped and counted, and costs a bounded amount of memory',
  goal: 'a million ids: ≤ 64 MB more, series capped, the rest counted',
  run: (round) => {
    const maxSeries = round.amount(1_000, 10_000);
    return inScene({ windows: [WINDOW], storage: `maxSeries: ${maxSeries}`, checkpointEvery: '2s' }, async (scene) => {
      const devices = round.amount(20_000, 1_000_000);
      await scene.gateway.start();
      const flood = (from: number, to: number) =>
        Array.from({ length: to - from })
          .values()
          .map((_, i) => ({ topic: `sensors/device-${from + i}/value`, payload: `{"value":1,"ts":${T0 + from + i}}` }));
      // The series that are allowed, and traffic itself, cost memory too: what is measured is what names cost beyond them.
      const allowed = devices / 5;
      await publishAll(scene.port, flood(0, allowed));
      const before = (await scene.gateway.status()).memory.rssBytes;
      await publishAll(scene.port, flood(allowed, devices));
      const wrong = await ledgerOff(scene, devices);
      const { memory, series, ledger } = await scene.gateway.status();
      const grownMb = (memory.rssBytes - before) / 1e6;
      return {
        measured: `${devices} ids: ${series.count} series of ${series.max}, ${ledger.rejected + ledger.dropped} readings counted as refused; memory +${grownMb.toFixed(0)} MB beyond the allowed ones${wrong === undefined ? '' : `; ${wrong}`}`,
        holds:
          wrong === undefined && series.count === maxSeries && ledger.rejected + ledger.dropped === devices - maxSeries,
        meetsFigures: grownMb <= MORE_MB,
      };
    });
  },
};
