import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import type { LedgerCounts } from '../../gateway/core/view.ts';
import { publishFrame, RawClient } from '../devices/mqtt/raw-client.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';
import { type Influxd, type InfluxdSeries, startInfluxd } from './influxd.ts';
import { requireProgram } from './require-program.ts';
import { uncounted } from './uncounted.ts';

const MIB = 1024 * 1024;
/** Event time of the good readings: in the past, so that nothing depends on when the test runs. */
const T0 = Date.UTC(2026, 0, 5, 12);
const SECOND = 1000;

interface DeadLetter {
  readonly subject: string;
  readonly reason: string;
  readonly text: string;
  readonly base64: string;
  readonly bytes: number;
}

/** One message that is no reading: set aside with a reason, and nothing of it reaches InfluxDB. */
interface Refused {
  readonly what: string;
  readonly topic?: string;
  readonly payload: string | Uint8Array;
  readonly reason: RegExp;
}

const deep = (levels: number) => `{"value":${'['.repeat(levels)}1${']'.repeat(levels)}}`;
const padded = (bytes: number) => `{"ts":${T0},"value":1}`.padEnd(bytes);
/** The biggest payload whose packet is within the limit: a topic of 15 bytes with its length, and the message id, go before it. */
const BIGGEST = 2 * MIB - 19;

const REFUSED: readonly Refused[] = [
  { what: 'broken JSON', payload: '{"value": 21.5', reason: /not JSON/ },
  { what: 'nothing at all', payload: '', reason: /not JSON/ },
  { what: 'two documents', payload: '{"value":1}{"value":2}', reason: /not JSON/ },
  { what: 'a NUL', payload: '{"value":1}\0', reason: /not JSON/ },
  { what: 'bare NaN', payload: '{"value":NaN}', reason: /not JSON/ },
  { what: 'bare Infinity', payload: '{"value":-Infinity}', reason: /not JSON/ },
  { what: 'a number past the largest double', payload: '{"value":1e400}', reason: /too large for a number/ },
  { what: 'a negative number past the largest double', payload: '{"value":-1e400}', reason: /too large for a number/ },
  { what: 'a whole number that a double cannot hold', payload: '{"value":9007199254740993}', reason: /2\^53/ },
  { what: 'a number as a string', payload: '{"value":"21.5"}', reason: /the string "21.5"/ },
  { what: 'NaN as a string', payload: '{"value":"NaN"}', reason: /the string "NaN"/ },
  { what: 'null', payload: '{"value":null}', reason: /null/ },
  { what: 'an object as value', payload: '{"value":{"a":1}}', reason: /an object/ },
  { what: 'an array as value', payload: '{"value":[1]}', reason: /an array/ },
  { what: 'no value', payload: '{"ts":1}', reason: /no value/ },
  { what: 'an inherited member', payload: '{"ts":1767614400000,"__proto__":{"value":7}}', reason: /no value/ },
  { what: 'deep nesting', payload: deep(10_000), reason: /deeper than 64/ },
  { what: 'invalid UTF-8', payload: Buffer.from('7b2276616c7565223a2231ff227d', 'hex'), reason: /UTF-8/ },
  { what: 'an encoded surrogate', payload: Buffer.from('7b2261223a22eda080227d', 'hex'), reason: /UTF-8/ },
  { what: 'a time in 1970', payload: `{"value":1,"ts":86400000}`, reason: /1970-01-02.*earliest/ },
  { what: 'time zero', payload: '{"value":1,"ts":0}', reason: /1970-01-01/ },
  { what: 'a negative time', payload: '{"value":1,"ts":-1}', reason: /1969-12-31/ },
  { what: 'a time in seconds', payload: `{"value":1,"ts":${T0 / 1000}}`, reason: /1970-01-21/ },
  { what: 'a time that is no number', payload: '{"value":1,"ts":true}', reason: /the time true/ },
  { what: 'a time without a zone', payload: '{"value":1,"ts":"2026-01-05T12:00:00"}', reason: /ISO 8601/ },
  { what: 'a big payload', payload: `{"value":"${'x'.repeat(200_000)}"}`, reason: /the string "x/ },
  { what: 'a payload beyond 1 MiB', payload: padded(MIB + 1), reason: /1048577 bytes/ },
  { what: 'a megabyte of rubbish', payload: 'x'.repeat(1_000_000), reason: /not JSON/ },
  { what: 'a topic of too many levels', topic: 'sensors/a/b/c', payload: '{"value":1}', reason: /fits no rule/ },
  { what: 'another tree', topic: 'elsewhere', payload: '{"value":1}', reason: /fits no rule/ },
  { what: 'an empty device', topic: 'sensors//m', payload: '{"value":1}', reason: /empty/ },
  { what: 'an empty metric', topic: 'sensors/d/', payload: '{"value":1}', reason: /empty/ },
  { what: 'a long name', topic: `sensors/d/${'n'.repeat(257)}`, payload: '{"value":1}', reason: /256/ },
  { what: 'a line without a value', topic: 'lines', payload: 'm,device=d value=', reason: /line 1/ },
  { what: 'a line with NaN', topic: 'lines', payload: 'm,device=d value=NaN 1767614400000000000', reason: /NaN/ },
  {
    what: 'a newline in a tag',
    topic: 'named/a',
    payload: '{"metric":"a\\nb,evil=1 value=1","value":1}',
    reason: /control/,
  },
  { what: 'a NUL in a name', topic: 'named/a', payload: '{"metric":"a\\u0000","value":1}', reason: /control/ },
  {
    what: 'a name that is a number and a half',
    topic: 'named/a',
    payload: '{"metric":1.5,"value":1}',
    reason: /not a name/,
  },
  {
    what: 'a name that is half a character',
    topic: 'named/a',
    payload: '{"metric":"\\ud800","value":1}',
    reason: /control|Unicode/,
  },
];

/** Devices and metrics with names that break naive writers, each with one good reading. */
const NAMES: readonly string[] = [
  'with space',
  'comma,name',
  'equals=name',
  'quote"name',
  "apostrophe'name",
  'back\\slash',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'größe-°C-温度-🌡',
  '<script>alert(1)<script>',
  "'; DROP DATABASE headgate; --",
  'alarms',
  'time',
];
const ENDS_IN_BACKSLASH = 'backslash at the end\\';
/** Metrics that line protocol cannot hold: kept in the journal and the history, refused by the InfluxDB sink with a reason. */
const UNWRITABLE_NAMES: readonly string[] = [ENDS_IN_BACKSLASH, '#comment'];

describe('bad input into a running gateway', () => {
  let folder: string;
  let influxd: Influxd | undefined;
  let gateway: GatewayProcess;
  let port: number;
  let neighbour: Neighbour;

  beforeAll(async () => {
    influxd = await startInfluxd();
    if (influxd === undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'headgate-bad-input-'));
    port = await freePort();
    const api = await freePort();
    const text = `
gateway: { name: bad-input, tags: { site: "a b" } }
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB, checkpointEvery: 300ms }
time: { idleTimeout: 1s }
sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:${port}
    readings:
      - { topic: sensors/_/+, template: _/device/metric, json: { value: value, time: ts, timeUnit: ms } }
      - { topic: named/+, template: _/device, json: { value: value, time: ts, timeUnit: ms, metric: metric } }
      - { topic: lines, line: {} }
windows:
  - { name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, sum] }
detect: []
sinks:
  - { name: influx, type: influxdb, url: ${influxd.url}, database: headgate, batch: { every: 50ms } }
api: { listen: 127.0.0.1:${api} }
`;
    gateway = await GatewayProcess.start(folder, text, `http://127.0.0.1:${api}`);
    neighbour = new Neighbour(port);
  });

  afterAll(async () => {
    await neighbour?.stop();
    await gateway?.kill();
    await influxd?.remove();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const letters = async () =>
    (await gateway.get<{ deadLetters: DeadLetter[] }>('/api/v1/dead-letters?limit=1000')).deadLetters;
  const ledger = async (): Promise<LedgerCounts> => (await gateway.status()).ledger;

  /** Publishes at QoS 1 on a raw connection and waits for the PUBACK. */
  async function publish(client: RawClient, topic: string | Uint8Array, payload: string | Uint8Array): Promise<void> {
    client.send(publishFrame({ topic, payload, id: 7 }));
    expect((await client.frame())?.toString('hex')).toBe('40020007');
  }

  test('each is acknowledged, counted and kept with its reason; its connection stays up', async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const client = await RawClient.connect(port, { id: 'clumsy' });
    for (const [i, { what, topic = 'sensors/bad/value', payload, reason }] of REFUSED.entries()) {
      const before = await ledger();
      await publish(client, topic, payload);
      const [letter] = await letters();
      expect(letter?.reason, what).toMatch(reason);
      expect(letter?.subject, what).toMatch(/^(sensors|elsewhere|lines|named|bad)/);
      // A good reading right after it, on the same connection.
      await publish(client, 'sensors/good/after', `{"value":${i},"ts":${T0 + i * SECOND}}`);
      await eventually('both are counted', async () => {
        const now = await ledger();
        return now.rejected === before.rejected + 1 && now.inFlight === 0;
      });
      expect(uncounted(await gateway.status()), what).toBe(0);
    }
    client.close();
  });

  test('the payload of a dead letter is kept as it was, up to its bound', async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const kept = await letters();
    expect(kept).toHaveLength(REFUSED.length);
    const invalid = kept.find(({ reason }) => /UTF-8/.test(reason));
    expect(REFUSED.map(({ payload }) => Buffer.from(payload as string).toString('base64'))).toContain(invalid?.base64);
    expect(Math.max(...kept.map(({ bytes }) => bytes))).toBe(4096);
  });

  test('a payload of 1 MiB is read, and only a packet beyond the limit closes its connection', async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const client = await RawClient.connect(port, { id: 'large' });
    await publish(client, 'sensors/big/one', padded(MIB));
    client.send(publishFrame({ topic: 'sensors/big/one', payload: padded(BIGGEST + 1), id: 8 }));
    await client.waitClosed();
    expect(await client.frame()).toBeUndefined();
    const { sources } = await gateway.status();
    expect(sources[0]?.numbers['oversizedPacketsTotal']).toBe(1);
  });

  test('topics that are not legal close their own connection only', async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    for (const topic of [
      Buffer.from('sensors/\xff\xfe/m', 'latin1'),
      'sensors/a\nb/m',
      'sensors/+/m',
      'sensors/\0/m',
    ]) {
      const client = await RawClient.connect(port, { id: 'illegal' });
      client.send(publishFrame({ topic, payload: '{"value":1}', id: 9 }));
      await client.waitClosed();
      expect(await client.frame()).toBeUndefined();
    }
  });

  test('equal times: another value is another reading, the same value is the same reading again', async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const before = (await ledger()).duplicate;
    const client = await RawClient.connect(port, { id: 'repeats' });
    for (const value of [1, 2, 1, 2, 2])
      await publish(client, 'sensors/repeats/value', `{"value":${value},"ts":${T0}}`);
    client.close();
    await eventually('duplicates are counted', async () => (await ledger()).duplicate === before + 3);
  });

  test('a byte-order mark, a key __proto__ and names that need escapes are readings like any other', async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const client = await RawClient.connect(port, { id: 'legal' });
    await publish(client, 'sensors/bom/value', `\ufeff{"value":5,"ts":${T0}}`);
    await publish(client, 'sensors/own/value', `{"__proto__":{"value":1},"constructor":2,"value":6,"ts":${T0}}`);
    for (const name of [...NAMES, ...UNWRITABLE_NAMES]) {
      await publish(client, 'named/names', JSON.stringify({ metric: name, value: 2, ts: T0 }));
    }
    for (const name of [...NAMES, ENDS_IN_BACKSLASH]) {
      await publish(client, `sensors/${name}/named`, `{"value":1,"ts":${T0}}`);
    }
    client.close();
  });

  test('mosquitto_pub sees nothing of all this', async (context) => {
    const program = requireProgram('mosquitto_pub');
    if (influxd === undefined || program === undefined)
      return context.skip('influxd or mosquitto_pub is not installed');
    const file = join(folder, 'payload');
    await writeFile(file, Buffer.from('7b22ff', 'hex'));
    const run = promisify(execFile);
    const before = (await ledger()).rejected;
    const pub = (...args: string[]) =>
      run(program, ['-h', '127.0.0.1', '-p', String(port), '-q', '1', '-t', 'sensors/tool/value', ...args]);
    await pub('-f', file);
    await pub('-m', '{"value": NaN}');
    await pub('-m', `{"value": 8, "ts": ${T0}}`);
    expect((await ledger()).rejected).toBe(before + 2);
  });

  test('neighbours have lost nothing, and InfluxDB holds exactly what was meant', async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const sent = await neighbour.stop();
    expect(sent).toBeGreaterThan(100);
    await eventually('everything is delivered', async () => {
      const { ledger: counts, sinks, outbox } = await gateway.status();
      const rows = await influxd!.rows('headgate', 'SELECT sum("count") FROM "neighbour"');
      return (
        counts.inFlight === 0 &&
        outbox.durableOffset === outbox.nextOffset &&
        sinks.every(({ backlog }) => backlog.records === 0) &&
        rows[0]?.['sum'] === sent
      );
    });
    expect(await seriesIn(influxd)).toEqual(expectedSeries());
    const fields = await influxd.query('headgate', 'SHOW FIELD KEYS');
    expect(fields.map(({ name }) => name).sort()).toEqual(
      [...new Set(expectedSeries().map(({ metric }) => metric))].sort(),
    );
    for (const { values } of fields) {
      expect(values).toEqual([
        ['count', 'float'],
        ['good', 'float'],
        ['sum', 'float'],
      ]);
    }
    // Every point, but for those of the neighbour, whose number depends on the speed of the machine, is told.
    const counted = await influxd.query('headgate', 'SELECT count("sum") FROM /.*/');
    const points = Object.fromEntries(counted.map(({ name, values }) => [name, values[0]![1]]));
    expect(points).toMatchObject({ after: REFUSED.length, one: 1, named: NAMES.length, value: 4 });
    const repeated = await influxd.rows('headgate', `SELECT "count", "sum" FROM "value" WHERE device = 'repeats'`);
    expect(repeated).toEqual([{ time: T0, count: 2, sum: 3 }]);
    const { sinks } = await gateway.status();
    // Two metrics and a device, each with one window.
    expect(sinks.find(({ name }) => name === 'influx')?.rejectedTotal).toBe(3);
    const reasons = (await letters()).filter(({ reason }) => /line protocol|comment/.test(reason));
    expect(reasons).toHaveLength(3);
  });

  test('all counts survive a SIGKILL', async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const [before, kept] = [await ledger(), await letters()];
    expect(uncounted(await gateway.status())).toBe(0);
    await gateway.kill();
    await gateway.start();
    const after = await eventually('the journal is analysed', async () => {
      const counts = await ledger();
      return counts.inFlight === 0 ? counts : undefined;
    });
    expect(after).toEqual(before);
    expect(uncounted(await gateway.status())).toBe(0);
    expect(await letters()).toEqual(kept);
    expect(await seriesIn(influxd)).toEqual(expectedSeries());
  });
});

interface StoredSeries {
  readonly metric: string;
  readonly device: string;
}

/** Every series in InfluxDB, read by its tags, so that no escaping has to be undone. */
async function seriesIn(influxd: Influxd): Promise<readonly StoredSeries[]> {
  const answer = await influxd.query('headgate', 'SELECT last("sum") FROM /.*/ GROUP BY *');
  const shown = await influxd.query('headgate', 'SHOW SERIES');
  expect(shown[0]?.values).toHaveLength(answer.length);
  return answer.map(storedSeries).sort(bySeries);
}

function storedSeries({ name, tags }: InfluxdSeries): StoredSeries {
  expect(tags).toEqual({ device: tags?.['device'], gateway: 'bad-input', site: 'a b', window: 's' });
  return { metric: name!, device: tags!['device']! };
}

function expectedSeries(): readonly StoredSeries[] {
  const values = ['bom', 'own', 'repeats', 'tool'].map((device) => ({ metric: 'value', device }));
  const byDevice = NAMES.map((device) => ({ metric: 'named', device }));
  const byMetric = NAMES.map((metric) => ({ metric: metric === 'alarms' ? 'alarms_' : metric, device: 'names' }));
  const others = [
    { metric: 'after', device: 'good' },
    { metric: 'one', device: 'big' },
    { metric: 'neighbour', device: 'next-door' },
  ];
  return [...values, ...byDevice, ...byMetric, ...others].sort(bySeries);
}

function bySeries(a: StoredSeries, b: StoredSeries): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A client of another library that publishes good readings all the while, as fast as they are acknowledged. */
class Neighbour {
  readonly #client: MqttClient;
  readonly #publishing: Promise<number>;
  #stopped = false;

  constructor(port: number) {
    this.#client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
    this.#publishing = this.#publish();
  }

  /** Resolves to how many were acknowledged; rejects when its connection did not last. */
  async stop(): Promise<number> {
    this.#stopped = true;
    const sent = await this.#publishing;
    await this.#client.endAsync();
    return sent;
  }

  async #publish(): Promise<number> {
    let sent = 0;
    for (; !this.#stopped; sent++) {
      await this.#client.publishAsync('sensors/next-door/neighbour', `{"value":${sent},"ts":${T0 + sent * 10}}`, {
        qos: 1,
      });
      await systemClock.sleep(2);
    }
    return sent;
  }
}
