import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Result } from '../../../gateway/core/result.ts';
import type { Sink } from '../../../gateway/core/sink.ts';
import { DeadLetters } from '../../../gateway/runtime/dead-letters.ts';
import { Forwarder } from '../../../gateway/runtime/forwarder.ts';
import { encodeResults } from '../../../gateway/runtime/result-codec.ts';
import { InfluxdbSink } from '../../../gateway/sinks/influxdb/influxdb.ts';
import { ManualClock } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { aggregate, seriesOf, T0 } from '../sinks/results.ts';
import { MisbehavingInfluxdb, type Mood, says } from './misbehaving-influxdb.ts';

const never = new AbortController().signal;
const TIMEOUT_MS = 10_000;
const RESULTS = 60;

let clock: ManualClock;
let influxdb: MisbehavingInfluxdb;
let outbox: MemoryLog;
let deadLetters: DeadLetters;
let forwarder: Forwarder;
/** The write that is under way, and how many requests had been left hanging before it. */
let writing: { readonly heldBefore: number } | undefined;

beforeEach(async () => {
  clock = new ManualClock();
  influxdb = new MisbehavingInfluxdb(() => clock.monotonicMs());
  outbox = new MemoryLog();
  deadLetters = new DeadLetters(new MemoryLog(), clock);
  await influxdb.listen();
});
afterEach(async () => {
  await forwarder.stop(never);
  await influxdb.close();
});

/** The forwarder tries for a while; a server in this mood stores nothing for good, or so it seems. */
async function outage(mood: Mood, passMs = 100_000): Promise<void> {
  influxdb.mood = mood;
  await start();
  await pass(passMs);
}

interface Fault {
  readonly what: string;
  readonly mood: Mood;
  /** Part of what the status says meanwhile. */
  readonly detail: RegExp;
  /** True where a person must act: it is tried again at long intervals only. */
  readonly isHeld?: boolean;
}

const hang: Mood = () => undefined;
const FAULTS: readonly Fault[] = [
  { what: 'accepts and never answers', mood: hang, detail: /did not answer in time/ },
  { what: 'answers a byte at a time', mood: crawl, detail: /did not answer in time/ },
  {
    what: 'breaks the connection before the answer',
    mood: (_, response) => response.destroy(),
    detail: /Cannot reach/,
  },
  {
    what: 'stores everything and breaks the connection before the answer',
    mood: (lines, response) => {
      influxdb.database.write(lines);
      response.destroy();
    },
    detail: /Cannot reach/,
  },
  { what: 'answers 500', mood: says(500, 'timeout'), detail: /answered 500: timeout/ },
  { what: 'answers 503', mood: says(503, 'overloaded'), detail: /answered 503: overloaded/ },
  { what: 'answers 429', mood: says(429, 'too many', { 'retry-after': '7' }), detail: /answered 429: too many/ },
  { what: 'answers 408', mood: says(408, 'slow'), detail: /answered 408: slow/ },
  {
    what: 'answers 401',
    mood: says(401, 'authorization failed'),
    detail: /credentials.*authorization failed/,
    isHeld: true,
  },
  { what: 'answers 403', mood: says(403, 'forbidden'), detail: /credentials.*forbidden/, isHeld: true },
  {
    what: 'answers 404 without a word of a database',
    mood: says(404, 'not here'),
    detail: /not an InfluxDB/,
    isHeld: true,
  },
  {
    what: 'has lost its retention policy',
    mood: says(500, 'retention policy not found: "x"'),
    detail: /retention policy/,
    isHeld: true,
  },
  {
    what: 'is a page of somebody else',
    mood: (_, response) => void response.writeHead(200).end('<html>'),
    detail: /not an InfluxDB/,
    isHeld: true,
  },
];

describe.each(FAULTS)('a server that $what', ({ mood, detail, isHeld = false }) => {
  test('holds nothing up but itself: all is kept, tried again in measure, and stored once when it is mended', async () => {
    await outage(mood);
    const during = forwarder.status();
    expect(during.state).toBe('degraded');
    expect(during.detail).toMatch(detail);
    expect(during.ledger).toMatchObject({ received: RESULTS, pending: RESULTS, delivered: 0, imbalance: 0 });
    expect(influxdb.requestedAt.length).toBeGreaterThanOrEqual(isHeld ? 3 : 5);
    expect(influxdb.requestedAt.length).toBeLessThanOrEqual(isHeld ? 4 : 20);
    if (isHeld) expect(Math.min(...gaps(influxdb.requestedAt))).toBeGreaterThanOrEqual(30_000);
    expect(await influxdb.connections()).toBeLessThanOrEqual(2);
    influxdb.mood = undefined;
    await untilDelivered();
    expectStored(results());
    expect(forwarder.status()).toMatchObject({
      state: 'running',
      ledger: { delivered: RESULTS, rejected: 0, pending: 0 },
    });
  });
});

test('a server that is not there is tried again in measure, and gets everything once when it is back', async () => {
  await start();
  await influxdb.close();
  await put(results());
  await pass(100_000);
  expect(forwarder.status()).toMatchObject({ state: 'degraded', detail: expect.stringContaining('ECONNREFUSED') });
  expect(forwarder.status().failedAttemptsTotal).toBeLessThanOrEqual(20);
  await influxdb.listen();
  await untilDelivered();
  expectStored(results());
});

test('Retry-After is kept, also where it asks for minutes', async () => {
  await outage(says(429, 'too many', { 'retry-after': '300' }), 299_000);
  expect(influxdb.requestedAt).toHaveLength(1);
  await pass(200_000);
  expect(influxdb.requestedAt).toHaveLength(2);
});

test.each([
  ['a partial write that tells the count', 17, { status: 400, error: 'partial write: poison dropped=1' }],
  ['a refusal without a word about which', 17, { status: 400, error: 'something is wrong' }],
  ['a refusal of the very first point', 0, { status: 400, error: 'something is wrong' }],
  ['a refusal of the very last point', RESULTS - 1, { status: 400, error: 'something is wrong' }],
  ['422', 17, { status: 422, error: 'unprocessable' }],
])('by %s one point is set aside, and the others are stored', async (_, index, refusal) => {
  const poison = T0 + index * 60_000;
  await outage((lines, response, serve) => {
    if (lines.every((line) => !line.endsWith(` ${poison}`))) return serve();
    const { status, error } = refusal;
    says(status, error)(lines, response, serve);
  }, 0);
  await untilDelivered();
  expectStored(results().filter((result) => startOf(result) !== poison));
  expect(forwarder.status().ledger).toMatchObject({ delivered: RESULTS - 1, rejected: 1, pending: 0, imbalance: 0 });
  const reason = refusal.error.replace(' dropped=1', '');
  expect(await deadLetters.newest(9)).toMatchObject([
    { origin: 'influx', reason, subject: expect.stringContaining(`${poison}`) },
  ]);
});

test('a server that takes only a few points at a time gets them so', async () => {
  await outage((lines, response, serve) => {
    if (lines.length <= 7) serve();
    else response.writeHead(413).end('{"error":"Request Entity Too Large"}');
  }, 0);
  await untilDelivered();
  expectStored(results());
});

test('a link too slow for a whole batch carries small ones', async () => {
  await outage((lines, response, serve) => {
    if (lines.length <= 10) serve();
    else hang(lines, response, serve);
  }, 0);
  await untilDelivered();
  expectStored(results());
});

test('a database that is missing is made, and filled', async () => {
  await outage((lines, response, serve) => {
    if (influxdb.created.length > 0) serve();
    else says(404, 'database not found: "headgate"')(lines, response, serve);
  }, 0);
  await untilDelivered();
  expect(influxdb.created).toEqual([expect.stringMatching(/create database "headgate"/i)]);
  expectStored(results());
});

test('a server that changes its mood all the time stores everything once', async () => {
  const moods = [...FAULTS.map(({ mood }) => mood), undefined];
  let turn = 0;
  await outage((lines, response, serve) => {
    const mood = moods[turn++ % moods.length];
    if (mood === undefined) serve();
    else mood(lines, response, serve);
  });
  await untilDelivered();
  expectStored(results());
  expect(forwarder.status().ledger).toMatchObject({ received: RESULTS, delivered: RESULTS, imbalance: 0 });
});

function results(): Result[] {
  return Array.from({ length: RESULTS }, (_, minute) =>
    aggregate({ series: seriesOf(`press-${minute % 3}`, 'temperature'), start: T0 + minute * 60_000 }),
  );
}

async function put(some: readonly Result[]): Promise<void> {
  for (let from = 0; from < some.length; from += 10) {
    outbox.append(encodeResults(some.slice(from, from + 10)), Math.min(10, some.length - from));
  }
  await outbox.commit();
}

async function start(): Promise<void> {
  const options = { name: 'influx', url: influxdb.url, database: 'headgate', gatewayTags: {}, timeoutMs: TIMEOUT_MS };
  forwarder = new Forwarder(
    {
      sink: watched(new InfluxdbSink(options, { clock, logger: recordingLogger() })),
      alarmOutbox: new MemoryLog(),
      outbox,
      deadLetters,
      clock,
      random: () => 0.5,
      logger: recordingLogger(),
    },
    { maxItems: 20, lingerMs: 0 },
  );
  if (influxdb.mood !== undefined) await put(results());
  await forwarder.start(never);
}

/** Lets time pass on the test's clock, but no faster than the sockets, which have a time of their own, can follow. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await clock.advance(Math.min(500, ms - passed));
    const deadline = performance.now() + 20_000;
    // A request that is left hanging waits for the clock, every other one for its answer.
    while (writing !== undefined && influxdb.held === writing.heldBefore) {
      expect(performance.now(), 'the request arrives').toBeLessThan(deadline);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** The sink, with an eye on its writes. */
function watched(sink: InfluxdbSink): Sink {
  return {
    name: sink.name,
    type: sink.type,
    stores: (result) => sink.stores(result),
    start: (signal) => sink.start(signal),
    stop: (signal) => sink.stop(signal),
    write: async (batch, signal) => {
      writing = { heldBefore: influxdb.held };
      try {
        return await sink.write(batch, signal);
      } finally {
        writing = undefined;
      }
    },
  };
}

async function untilDelivered(): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (forwarder.status().ledger.pending > 0) {
    expect(performance.now(), forwarder.status().detail).toBeLessThan(deadline);
    await pass(500);
  }
}

function expectStored(expected: readonly Result[]): void {
  const times = [...influxdb.database.stored.keys()].map((key) => Number(key.slice(key.lastIndexOf(' '))));
  expect(times.sort()).toEqual(expected.map(startOf).sort());
}

function startOf(result: Result): number {
  return result.kind === 'aggregate' ? result.start : Number.NaN;
}

/** Milliseconds between one and the next. */
function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - times[index]!);
}

/** Begins an answer that would take hours. */
function crawl(_lines: readonly string[], response: import('node:http').ServerResponse): void {
  const send = () => {
    if (!response.destroyed) response.write('x', () => setImmediate(send));
  };
  response.writeHead(500);
  send();
}
