import { expect, test } from 'vitest';
import type { Rejection } from '../../../../gateway/core/sink.ts';
import { BatchWriter, type Line, type LinesOutcome } from '../../../../gateway/sinks/influxdb/batch-writer.ts';
import { seededRandom } from '../../detect/seeded-random.ts';
import { aggregate, seriesOf, T0 } from '../results.ts';
import { PretendedInfluxdb } from './pretended-influxdb.ts';

const signal = new AbortController().signal;
const POINTS = 250_000;
const BATCH = 5_000;

interface Poison {
  readonly what: string;
  /** Prepares the server. */
  readonly server: (server: PretendedInfluxdb) => void;
  /** Measurement and time of a poisoned point. */
  readonly point: (index: number, random: () => number) => { measurement: string; time: number };
  /** Part of the reason with which it must be set aside. */
  readonly reason: (measurement: string) => string;
  /** Most lines sent for each line there is, and most requests for each of a batch without poison. */
  readonly atMost: { readonly lines: number; readonly requests: number };
}

const POISONS: readonly Poison[] = [
  {
    what: 'a field that has another type in the database',
    server: (server) => server.types.set('pressure.mean', 'string'),
    point: (index) => ({ measurement: 'pressure', time: T0 + index }),
    reason: () => 'field type conflict: input field "mean" on measurement "pressure"',
    atMost: { lines: 1.03, requests: 2.1 },
  },
  {
    what: 'fields of two measurements that have other types in the database',
    server: (server) => {
      for (let i = 0; i < 2; i++) server.types.set(`pressure${i}.mean`, i % 2 ? 'integer' : 'boolean');
    },
    point: (index, random) => ({ measurement: `pressure${Math.floor(random() * 2)}`, time: T0 + index }),
    reason: (measurement) => `field type conflict: input field "mean" on measurement "${measurement}"`,
    atMost: { lines: 1.08, requests: 2.2 },
  },
  {
    what: 'times beyond the retention policy',
    server: (server) => {
      server.retentionFrom = T0 - 1;
    },
    point: (_index, random) => ({ measurement: 'temperature', time: T0 - 2 - Math.floor(random() * 86_400_000) }),
    reason: () => 'points beyond retention policy',
    atMost: { lines: 1.15, requests: 2.3 },
  },
];

test.each(POISONS)(
  'one poisoned point in a thousand is found for hardly more than none: $what',
  async (poison) => {
    const { server, rejections, poisoned } = await writeAll(poison);
    expect(server.stored.size).toBe(POINTS - poisoned.length);
    expect(rejections.map(({ result }) => result).sort(byIdentity)).toEqual(
      poisoned.map(({ result }) => result).sort(byIdentity),
    );
    for (const { result, reason } of rejections) expect(reason).toContain(poison.reason(result.series.metric));
    const figures = { lines: server.lines / POINTS, requests: server.requests / (POINTS / BATCH) };
    expect(figures.lines).toBeLessThanOrEqual(poison.atMost.lines);
    expect(figures.requests).toBeLessThanOrEqual(poison.atMost.requests);
  },
  120_000,
);

test('points of several reasons that are refused together are each set aside with their own', async () => {
  const server = new PretendedInfluxdb();
  for (const name of ['a', 'b', 'c']) server.types.set(`${name}.mean`, 'string');
  const writer = writerTo(server);
  for (let round = 0; round < 2; round++) {
    const rejections = await writer.write(
      ['a', 'b', 'c', 'b'].map((name, i) => lineOf(name, T0 + i)),
      signal,
    );
    expect(
      rejections.map(({ result, reason }) => [result.series.metric, /measurement "(.)"/.exec(reason)?.[1]]).sort(),
    ).toEqual([
      ['a', 'a'],
      ['b', 'b'],
      ['b', 'b'],
      ['c', 'c'],
    ]);
  }
});

test('a refusal that is mended is forgotten: the points go with the others again', async () => {
  const server = new PretendedInfluxdb();
  server.types.set('pressure.mean', 'string');
  const writer = writerTo(server);
  const write = () => writer.write([lineOf('pressure', T0), lineOf('temperature', T0)], signal);
  expect(await write()).toHaveLength(1);
  server.types.clear();
  expect(await write()).toEqual([]);
  server.requests = 0;
  expect(await write()).toEqual([]);
  expect(server.requests).toBe(1);
});

test('conflicts and old points in one batch, in several shards, are all found, and nothing else is', async () => {
  const server = new PretendedInfluxdb();
  server.types.set('pressure.mean', 'string');
  server.retentionFrom = T0 - 100 * 86_400_000;
  const random = seededRandom(4);
  const lines = Array.from({ length: 4_000 }, (_, i) => {
    const bad = random() < 0.01;
    return lineOf(
      bad && i % 2 ? 'pressure' : 'temperature',
      bad && !(i % 2) ? 1_000 + i : T0 - Math.floor(random() * 60) * 86_400_000 + i,
    );
  });
  const rejections = await writerTo(server).write(lines, signal);
  const bad = lines.filter(({ point }) => point.measurement === 'pressure' || point.time < server.retentionFrom);
  expect(rejections.map(({ result }) => result).sort(byIdentity)).toEqual(
    bad.map(({ result }) => result).sort(byIdentity),
  );
  expect(server.stored.size).toBe(lines.length - bad.length);
});

test('a server that takes only small requests gets small ones, once it has said so', async () => {
  const sizes: number[] = [];
  const writer = new BatchWriter(async (lines) => {
    sizes.push(lines.length);
    return { kind: lines.length > 100 ? 'tooLarge' : 'stored' };
  });
  const batch = Array.from({ length: 1_000 }, (_, i) => lineOf('temperature', T0 + i));
  await writer.write(batch, signal);
  sizes.length = 0;
  await writer.write(batch, signal);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  expect(sizes.length).toBeLessThanOrEqual(2 * 10);
});

/** Writes many points in batches, one in a thousand of them poisoned at random. */
async function writeAll({ server: prepare, point }: Poison) {
  const server = new PretendedInfluxdb();
  prepare(server);
  const writer = writerTo(server);
  const random = seededRandom(11);
  const poisoned: Line[] = [];
  const rejections: Rejection[] = [];
  for (let from = 0; from < POINTS; from += BATCH) {
    const lines = Array.from({ length: BATCH }, (_, i) => {
      const isPoisoned = random() < 0.001;
      const { measurement, time } = isPoisoned
        ? point(from + i, random)
        : { measurement: 'temperature', time: T0 + from + i };
      const line = lineOf(measurement, time);
      if (isPoisoned) poisoned.push(line);
      return line;
    });
    rejections.push(...(await writer.write(lines, signal)));
  }
  return { server, rejections, poisoned };
}

function writerTo(server: PretendedInfluxdb): BatchWriter {
  return new BatchWriter(async (lines): Promise<LinesOutcome> => {
    const { error } = server.write(lines.map(({ text }) => text));
    if (error === undefined) return { kind: 'stored' };
    const [, reason = '', dropped] = /^(.*) dropped=(\d+)$/.exec(error) ?? [];
    return { kind: 'refused', reason, dropped: Number(dropped) };
  });
}

function lineOf(measurement: string, time: number): Line {
  const result = aggregate({ series: seriesOf('press-1', measurement), start: time });
  const point = { measurement, tags: { device: 'press-1' }, fields: { mean: 21.5 }, time };
  return { result, point, text: `${measurement},device=press-1 mean=21.5 ${time}` };
}

function byIdentity(a: Rejection['result'], b: Rejection['result']): number {
  const identity = (result: Rejection['result']) => (result.kind === 'aggregate' ? result.start : result.time);
  return identity(a) - identity(b) || (a.series.metric < b.series.metric ? -1 : 1);
}
