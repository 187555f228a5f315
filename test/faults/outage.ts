import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { eventually } from '../services/eventually.ts';
import type { Influxd } from '../services/influxd.ts';
import { DATABASE, type InfluxScene, withInflux } from './influx-scene.ts';
import type { Publisher } from './publisher.ts';
import type { Rig } from './rig.ts';

/** Every reading is a window of its own, so that a point can be told from every other. */
const WINDOW = '{ name: s, series: "*", window: { tumbling: 1s, allowedLateness: 10s }, aggregates: [count, max] }';
const STEP_MS = 1_000;
const DEVICES = 4;
const LIVE_PER_SECOND = 1_000;
/** For the first portion, in which what is new still waits. */
const SETTLE_MS = 1_000;
const DRAINED_WITHIN_S = 300;
const MOST_RSS_MB = 200;

export const outageOfAnHour: Rig = {
  id: 'F14',
  claim: 'after an outage of an hour InfluxDB gets every point once, the new ones first, and soon',
  goal: '3.6 M points drained in ≤ 5 min, live p99 at most doubled, each once',
  run: (round) =>
    withInflux(round, { windows: [WINDOW], checkpointEvery: '2s', storage: ROOM }, async (with_) => {
      const { scene, influxd, proxy } = with_;
      const points = round.amount(20_000, 3_600_000);
      await influxd.query('', `CREATE DATABASE "${DATABASE}"`);
      await scene.gateway.start();
      const live = scene.publish({ prefix: 'live', perSecond: LIVE_PER_SECOND, stepMs: STEP_MS, devices: DEVICES });
      await live.acceptedAgain(0);
      const calm = await liveDelays(live, influxd, round.isFull ? 15_000 : 4_000);
      proxy.behaviour = 'refuse';
      await systemClock.sleep(500);
      const count = points / DEVICES;
      await scene.publish({ stepMs: STEP_MS, devices: DEVICES, count }).finished(1_200_000);
      round.note(`${points} points wait`);
      const rssMb = (await scene.gateway.status()).memory.rssBytes / 1e6;
      proxy.behaviour = 'pass';
      // Until the back-off of the outage is over nothing can be fresh.
      await eventually('InfluxDB is asked again', () => proxy.requests.at(-1)?.behaviour === 'pass', 60_000);
      const begun = performance.now();
      await systemClock.sleep(SETTLE_MS);
      let drainedMs = Number.NaN;
      const draining = untilStored(with_, count).then(() => {
        drainedMs = performance.now() - begun;
      });
      const busy: number[] = [];
      while (Number.isNaN(drainedMs)) busy.push(...(await liveDelays(live, influxd, 500)));
      await draining;
      const { devices } = await live.end();
      const wrong = await wrongPoints(with_, [
        ...devices.map(({ name, sent }) => ({ name, points: sent })),
        ...Array.from({ length: DEVICES }, (_, i) => ({ name: `steady-${i}`, points: count })),
      ]);
      const [calmMs, busyMs] = [p99(calm), p99(busy)];
      return {
        measured: `${points} points drained in ${(drainedMs / 1000).toFixed(0)} s; live p99 ${calmMs.toFixed(0)} ms without and ${busyMs.toFixed(0)} ms with the backlog; ${wrong} points missing or too much; ${rssMb.toFixed(0)} MB`,
        holds: wrong === 0,
        meetsFigures: drainedMs / 1000 <= DRAINED_WITHIN_S && busyMs <= 2 * calmMs,
      };
    }),
};

const ROOM = 'outbox: { maxBytes: 4 GiB, whenFull: block }';
/** Small enough that a day is far too much. */
const BOUND_MB = { short: 4, full: 16 } as const;
/** Twice what the outage of an hour has. */
const DAY_PER_SECOND = 2_000;
/** So much more at the end than at the beginning is flat: the heap goes up and down. */
const FLAT = 1.25;
/** The log divides its bound by four at least. */
const SEGMENTS = 4;

export const outageOfADay: Rig = {
  id: 'F14-day',
  claim:
    'an outage that is longer than the outbox is large costs only what is counted, and neither memory nor disk beyond their bounds',
  goal: '24 h accelerated: RSS ≤ 200 MB and flat, disk ≤ its bound + one segment',
  run: (round) => {
    const boundMb = round.isFull ? BOUND_MB.full : BOUND_MB.short;
    const storage = `outbox: { maxBytes: ${boundMb} MiB, whenFull: drop-oldest }, history: { maxBytes: 16 MiB }`;
    return withInflux(
      round,
      { windows: [WINDOW], storage, checkpointEvery: '10s' },
      async ({ scene, influxd, proxy }) => {
        const points = round.amount(30_000, 300_000);
        proxy.behaviour = 'refuse';
        await scene.gateway.start();
        const publisher = scene.publish({
          stepMs: STEP_MS,
          devices: DEVICES,
          count: points / DEVICES,
          perSecond: DAY_PER_SECOND,
        });
        const rssMb: number[] = [];
        let mostMb = 0;
        let finished = false;
        const publishing = publisher.finished(1_200_000).finally(() => {
          finished = true;
        });
        while (!finished) {
          rssMb.push((await scene.gateway.status()).memory.rssBytes / 1e6);
          mostMb = Math.max(mostMb, (await bytesIn(join(scene.dataPath, 'outbox'))) / 2 ** 20);
          await systemClock.sleep(250);
        }
        await publishing;
        await eventually('every window has ended', async () => {
          const { outbox, ledger } = await scene.gateway.status();
          return ledger.inFlight === 0 && outbox.nextOffset === outbox.durableOffset;
        });
        await systemClock.sleep(3_000);
        proxy.behaviour = 'pass';
        const status = await eventually(
          'InfluxDB has what was kept',
          async () => {
            const now = await scene.gateway.status();
            return now.sinks.every(({ backlog }) => backlog.records === 0) ? now : undefined;
          },
          180_000,
        );
        const [row] = await influxd.rows(DATABASE, 'SELECT count("max") FROM "seq"');
        const stored = Number(row?.['count'] ?? 0);
        const { droppedItems } = status.outbox;
        const missing = points - stored - droppedItems;
        const [early, late] = [median(rssMb.slice(0, rssMb.length / 2)), median(rssMb.slice(rssMb.length / 2))];
        const segmentMb = boundMb / SEGMENTS;
        const most = Math.max(...rssMb);
        return {
          measured: `${points} points: ${stored} stored, ${droppedItems} dropped and counted, ${missing} uncounted; RSS ${early.toFixed(0)} then ${late.toFixed(0)} MB, at most ${most.toFixed(0)}; outbox at most ${mostMb.toFixed(1)} of ${boundMb} MiB`,
          holds: missing <= 0 && droppedItems > 0 && mostMb <= boundMb + segmentMb,
          meetsFigures: late <= early * FLAT && most <= MOST_RSS_MB,
        };
      },
    );
  },
};

/** For how long fresh readings were on their way to InfluxDB, in milliseconds, asked again and again. */
async function liveDelays(live: Publisher, influxd: Influxd, durationMs: number): Promise<readonly number[]> {
  const delays: number[] = [];
  const perDevice = LIVE_PER_SECOND / DEVICES;
  for (const end = performance.now() + durationMs; performance.now() < end; ) {
    const { devices } = await live.report();
    const { name, sent } = devices[0]!;
    const [row] = await influxd.rows(DATABASE, `SELECT last("max") AS seq FROM "seq" WHERE "device" = '${name}'`);
    if (row !== undefined) delays.push(((sent - 1 - Number(row['seq'])) * 1000) / perDevice);
    await systemClock.sleep(50);
  }
  return delays;
}

/** Waits until InfluxDB has every point of the outage. */
async function untilStored({ influxd }: InfluxScene, perDevice: number): Promise<void> {
  await eventually(
    'the backlog is stored',
    async () => {
      const rows = await influxd.rows(DATABASE, `SELECT count("max") FROM "seq" WHERE "device" =~ /^steady/`);
      await systemClock.sleep(400);
      return Number(rows[0]?.['count']) === perDevice * DEVICES;
    },
    1_200_000,
  );
}

/** Points that are missing or too much: reading `seq` of a device is one point, at its own second, of that value. */
async function wrongPoints(
  { influxd, scene }: InfluxScene,
  expected: readonly { readonly name: string; readonly points: number }[],
): Promise<number> {
  await eventually('the last windows have ended', async () => {
    const rows = await influxd.rows(DATABASE, 'SELECT count("max") FROM "seq"');
    const { sinks } = await scene.gateway.status();
    const all = expected.reduce((sum, { points }) => sum + points, 0);
    return Number(rows[0]?.['count']) >= all && sinks.every(({ backlog }) => backlog.records === 0);
  });
  let wrong = 0;
  for (const { name, points } of expected) {
    const query = `SELECT count("max"), sum("max"), sum("count") AS readings FROM "seq" WHERE "device" = '${name}'`;
    const [row] = await influxd.rows(DATABASE, query);
    wrong += Math.abs(Number(row?.['count'] ?? 0) - points) + Math.abs(Number(row?.['readings'] ?? 0) - points);
    if (Number(row?.['sum']) !== (points * (points - 1)) / 2) wrong++;
  }
  return wrong;
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.log')) continue;
    // A segment may be deleted between the look and the question.
    bytes += await stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

function p99(delays: readonly number[]): number {
  const sorted = delays.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * 0.99)] ?? Number.NaN;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
