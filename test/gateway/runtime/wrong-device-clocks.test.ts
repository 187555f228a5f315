import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Aggregate } from '../../../gateway/core/result.ts';
import { imbalance } from '../../../gateway/runtime/ledger.ts';
import { type Box, bootedBox, newBox, START } from './box.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const YEAR_MS = 365 * 24 * HOUR_MS;
/** When a box is switched on. */
const ON = START + 600_000;

async function send(box: Box, device: string, ...times: readonly number[]): Promise<void> {
  for (const time of times) box.send({ metric: 'b', value: 1, time }, device);
  await box.acknowledged();
}

/** Readings in each minute of a device, as a sink has them in the end. */
function minutesOf(box: Box, device: string): Record<string, number> {
  const aggregates = box.stored().filter((result): result is Aggregate => result.kind === 'aggregate');
  const own = aggregates.filter(({ series, window }) => series.device === device && window === 'm');
  return Object.fromEntries(own.map(({ start, fields }) => [start, fields['count']!]));
}

function fatesOf(box: Box, device: string) {
  return box.gateway.ledgerReport(100).groups.find(({ name }) => name === device);
}

async function stop(box: Box): Promise<void> {
  for (const row of box.gateway.ledgerReport(100).groups) expect(imbalance(row)).toBe(0);
  await box.stop();
}

/** `count` times, a second apart. */
function seconds(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i * 1_000);
}

test('a device a year ahead loses nothing, is marked and named, and no other is touched', async () => {
  const box = await bootedBox();
  for (const time of seconds(ON, 130)) {
    await send(box, 'right', time);
    await send(box, 'ahead', time + YEAR_MS);
    await box.clock.advance(1_000);
  }
  for (const device of ['right', 'ahead']) {
    expect(minutesOf(box, device)).toEqual({ [ON]: 60, [ON + MINUTE_MS]: 60 });
    expect(fatesOf(box, device)).toMatchObject({ received: 130, aggregated: 130 });
  }
  const [right, ahead] = box.gateway.series();
  expect(right).toMatchObject({ last: { quality: 'good' }, skewMs: 0 });
  expect(ahead).toMatchObject({ last: { quality: 'uncertain', sourceTime: ON + 129_000 }, skewMs: YEAR_MS });
  expect(box.gateway.status().deviceClocks).toEqual({
    aheadCount: 1,
    ahead: [{ device: 'ahead', skewMs: YEAR_MS, restampedTotal: 130 }],
    restampedTotal: 130,
  });
  await stop(box);
});

test('what a device that is ahead sends again is known by the time that it says', async () => {
  const box = await bootedBox();
  await send(box, 'ahead', ON + YEAR_MS, ON + YEAR_MS + 1_000);
  await box.clock.advance(2_000);
  await send(box, 'ahead', ON + YEAR_MS + 1_000, ON + YEAR_MS + 2_000);
  expect(fatesOf(box, 'ahead')).toMatchObject({ received: 4, aggregated: 3, duplicate: 1 });
  await stop(box);
});

test('a device whose clock is put right goes on with its own times, and nothing of it is late', async () => {
  const box = await bootedBox();
  for (const [i, time] of seconds(ON, 130).entries()) {
    await send(box, 'mended', i < 70 ? time + YEAR_MS : time);
    await box.clock.advance(1_000);
  }
  expect(minutesOf(box, 'mended')).toEqual({ [ON]: 60, [ON + MINUTE_MS]: 60 });
  expect(fatesOf(box, 'mended')).toMatchObject({ received: 130, aggregated: 130, late: 0 });
  // What it was is forgotten after a while.
  for (const time of seconds(ON + 130_000, 800)) {
    if (time % 10_000 === 0) await send(box, 'mended', time);
    await box.clock.advance(1_000);
  }
  expect(box.gateway.status().deviceClocks).toMatchObject({ aheadCount: 0, restampedTotal: 70 });
  await stop(box);
});

test('a crash makes nothing else of a device that is ahead', async () => {
  const box = await bootedBox();
  for (const [i, time] of seconds(ON, 130).entries()) {
    await send(box, 'ahead', time + YEAR_MS);
    await box.clock.advance(1_000);
    if (i % 20 === 19) await box.crash();
  }
  expect(minutesOf(box, 'ahead')).toEqual({ [ON]: 60, [ON + MINUTE_MS]: 60 });
  expect(fatesOf(box, 'ahead')).toMatchObject({ received: 130, aggregated: 130 });
  await stop(box);
});

test('a device ahead by less than is allowed keeps its times, and moves no other watermark', async () => {
  const box = await bootedBox();
  for (const time of seconds(ON, 130)) {
    await send(box, 'ahead', time + 50 * MINUTE_MS);
    await send(box, 'right', time);
    await box.clock.advance(1_000);
  }
  const watermarks = box.gateway.series().map(({ device, watermark }) => [device, (watermark! - ON) / 1_000]);
  expect(Object.fromEntries(watermarks)).toEqual({ ahead: 50 * 60 + 124, right: 124 });
  expect(minutesOf(box, 'right')).toEqual({ [ON]: 60, [ON + MINUTE_MS]: 60 });
  expect(minutesOf(box, 'ahead')).toEqual({ [ON + 50 * MINUTE_MS]: 60, [ON + 51 * MINUTE_MS]: 60 });
  expect(box.gateway.status().ledger).toMatchObject({ aggregated: 260, late: 0, rejected: 0 });
  await stop(box);
});

test('a device six hours behind has its own windows, and holds nobody up', async () => {
  const box = await bootedBox();
  for (const time of seconds(ON, 130)) {
    await send(box, 'behind', time - 6 * HOUR_MS);
    await send(box, 'right', time);
    await box.clock.advance(1_000);
  }
  expect(minutesOf(box, 'right')).toEqual({ [ON]: 60, [ON + MINUTE_MS]: 60 });
  expect(minutesOf(box, 'behind')).toEqual({ [ON - 6 * HOUR_MS]: 60, [ON - 6 * HOUR_MS + MINUTE_MS]: 60 });
  expect(box.gateway.status().ledger).toMatchObject({ aggregated: 260, late: 0 });
  await stop(box);
});

test('readings six hours older than what their series has brought are late, each is counted, and they change no result', async () => {
  const box = await bootedBox();
  await send(box, 'd', ...seconds(ON, 130));
  await send(box, 'd', ...seconds(ON - 6 * HOUR_MS, 40));
  await send(box, 'other', ...seconds(ON - 6 * HOUR_MS, 40));
  await box.clock.advance(10_000);
  expect(fatesOf(box, 'd')).toMatchObject({ received: 170, aggregated: 130, late: 40 });
  expect(fatesOf(box, 'other')).toMatchObject({ received: 40, aggregated: 40, late: 0 });
  expect(minutesOf(box, 'd')).not.toHaveProperty(String(ON - 6 * HOUR_MS));
  await stop(box);
});

test('a device that was cut off for six hours delivers them in order, and all reach the sink', async () => {
  const box = await bootedBox();
  const away = ON - 6 * HOUR_MS;
  await send(box, 'd', ...seconds(away - 60_000, 60));
  // Meanwhile it is silent, and the others go on.
  for (const time of seconds(ON, 30)) {
    await send(box, 'other', time);
    await box.clock.advance(1_000);
  }
  const backlog = Array.from({ length: 6 * 60 * 6 }, (_, i) => away + i * 10_000);
  for (let from = 0; from < backlog.length; from += 200) await send(box, 'd', ...backlog.slice(from, from + 200));
  await box.clock.advance(60_000);
  const minutes = minutesOf(box, 'd');
  expect(Object.keys(minutes)).toHaveLength(1 + 6 * 60);
  expect(Object.values(minutes).reduce((sum, count) => sum + count)).toBe(60 + backlog.length);
  expect(box.gateway.status().ledger).toMatchObject({ late: 0, rejected: 0 });
  await stop(box);
});

test('disorder within what is allowed changes no window; what comes later than that is in a window or counted as late', async () => {
  const box = await bootedBox();
  const inOrder = seconds(ON, 300);
  const swapped = inOrder.map((_, i) => inOrder[i ^ 3] ?? inOrder[i]!);
  for (const time of swapped) await send(box, 'disorderly', time);
  for (const time of inOrder.toReversed()) await send(box, 'reversed', time);
  await box.clock.advance(320_000);
  expect(minutesOf(box, 'disorderly')).toEqual(
    Object.fromEntries([0, 1, 2, 3, 4].map((i) => [ON + i * MINUTE_MS, 60])),
  );
  const { aggregated, late } = fatesOf(box, 'reversed')!;
  expect(late).toBeGreaterThan(0);
  expect(Object.values(minutesOf(box, 'reversed')).reduce((sum, count) => sum + count)).toBe(aggregated);
  expect(aggregated + late).toBe(300);
  await stop(box);
});

test('a device that is out of order loses nothing once it is learnt how far', async () => {
  const lateOf = async (maxOutOfOrdernessMs: number) => {
    const box = await newBox();
    box.maxOutOfOrdernessMs = maxOutOfOrdernessMs;
    await box.boot();
    // Each fifth reading comes twelve seconds late.
    const sent = seconds(ON, 600).map((time) => ({ time, at: time % 5_000 === 0 ? time + 12_500 : time }));
    for (const { time } of sent.sort((a, b) => a.at - b.at)) {
      box.send({ metric: 'a', value: 1, time });
      await box.acknowledged();
      await box.clock.advance(1_000);
    }
    const { late } = fatesOf(box, 'd')!;
    const allowedMs = box.gateway.series()[0]!.outOfOrdernessMs;
    await stop(box);
    return { late, allowedMs };
  };
  const given = await lateOf(5_000);
  expect(given.allowedMs).toBe(5_000);
  expect(given.late).toBeGreaterThan(50);
  expect(await lateOf(20_000)).toEqual({ late: 0, allowedMs: 12_000 });
});

const other = fc.record({
  device: fc.constantFrom('x', 'y', 'z'),
  skewMs: fc.integer({ min: -400 * 24 * HOUR_MS, max: 400 * 24 * HOUR_MS }),
});

test('whatever times other devices say, and in whatever order, a device has the same windows', {
  timeout: 60_000,
}, async () => {
  const alone = await bootedBox();
  await play(alone, []);
  const expected = minutesOf(alone, 'right');
  expect(Object.values(expected)).toEqual([60, 60]);
  await stop(alone);
  await fc.assert(
    fc.asyncProperty(fc.array(other, { minLength: 1, maxLength: 60 }), async (others) => {
      const box = await bootedBox();
      await play(box, others);
      expect(minutesOf(box, 'right')).toEqual(expected);
      expect(fatesOf(box, 'right')).toMatchObject({ received: 180, aggregated: 180 });
      await stop(box);
    }),
    { numRuns: 15 },
  );
});

/** Three minutes of a device whose clock is right, among others. */
async function play(box: Box, others: readonly { readonly device: string; readonly skewMs: number }[]): Promise<void> {
  for (const [i, time] of seconds(ON, 180).entries()) {
    const beside = others.length === 0 ? undefined : others[i % others.length];
    if (beside !== undefined) await send(box, beside.device, time + beside.skewMs);
    await send(box, 'right', time);
    await box.clock.advance(1_000);
  }
}
