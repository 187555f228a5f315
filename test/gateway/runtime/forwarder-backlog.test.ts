import { expect, test } from 'vitest';
import { AWAY, ForwarderRig, refusingReads, startRig } from './forwarder-rig.ts';

test('after an outage what is new goes first, and the backlog follows at its pace', async () => {
  const rig = await startRig({ maxItems: 10, catchUp: { order: 'newest-first', maxPerSecond: 20 } });
  rig.fail = AWAY;
  await rig.putMany(0, 100);
  await rig.clock.advance(60_000);
  await rig.comeBack();
  const early = rig.taken().length;
  await rig.put(1_000);
  await rig.clock.advance(0);
  expect(rig.taken().indexOf(1_000)).toBe(early);
  expect(early).toBeLessThan(30);
  await rig.clock.advance(2_000);
  expect(rig.taken().length).toBeGreaterThan(early + 1 + 30);
  expect(rig.taken().length).toBeLessThanOrEqual(early + 1 + 50);
  await rig.clock.advance(60_000);
  expect(rig.taken().toSorted((a, b) => a - b)).toEqual([...Array(100).keys(), 1_000]);
  await rig.stop();
});

test('in order, as configured, the backlog goes first, as fast as the sink takes it', async () => {
  const rig = await startRig({ maxItems: 10, catchUp: { order: 'in-order', maxPerSecond: 1 } });
  rig.fail = AWAY;
  await rig.putMany(0, 100);
  await rig.clock.advance(60_000);
  await rig.put(1_000);
  rig.fail = undefined;
  await rig.clock.advance(30_000);
  expect(rig.taken()).toEqual([...Array(100).keys(), 1_000]);
  await rig.stop();
});

test('a backlog that cannot be read is left alone for as long as its log is, and not asked for at every turn', async () => {
  const rig = new ForwarderRig({ maxItems: 10, catchUp: { order: 'newest-first', maxPerSecond: 20 } });
  const disk = refusingReads(rig.outbox);
  await rig.boot();
  rig.fail = AWAY;
  await rig.putMany(0, 100);
  await rig.clock.advance(60_000);
  await rig.comeBack();
  disk.refuses = true;
  await rig.clock.advance(1_000);
  let waits = 0;
  const sleep = rig.clock.sleep.bind(rig.clock);
  rig.clock.sleep = (ms, signal) => {
    waits++;
    return sleep(ms, signal);
  };
  await rig.clock.advance(60_000);
  expect(waits).toBeLessThan(60);
  disk.refuses = false;
  await rig.clock.advance(60_000);
  expect(rig.taken().toSorted((a, b) => a - b)).toEqual([...Array(100).keys()]);
  await rig.stop();
});

test('the age of a backlog follows the time that passes, whatever is done to the wall clock', async () => {
  const rig = await startRig();
  rig.fail = AWAY;
  await rig.put(0);
  await rig.clock.advance(60_000);
  const age = () => rig.forwarder.status().backlog.oldestAgeMs;
  expect(age()).toBe(60_000);
  for (const jump of [56, -100, 90]) {
    rig.clock.jump(jump * 365.25 * 86_400_000);
    expect(age()).toBe(60_000);
  }
  await rig.clock.advance(1_000);
  expect(age()).toBe(61_000);
  rig.fail = undefined;
  await rig.clock.advance(30_000);
  expect(age()).toBeNull();
  await rig.stop();
});

test('a backlog that grows is foretold to fill the buffer, one that shrinks to be drained', async () => {
  const rig = await startRig({ maxItems: 10, catchUp: { order: 'newest-first', maxPerSecond: 2 } });
  const backlog = () => rig.forwarder.status().backlog;
  expect(backlog()).toMatchObject({ items: 0, bytes: 0, drainSeconds: 0, fullInSeconds: null });
  rig.fail = AWAY;
  for (let second = 0; second < 120; second++) {
    await rig.putMany(second, 1);
    await rig.clock.advance(1_000);
    backlog();
  }
  const bytesPerSecond = rig.outbox.status().bytes / 120;
  rig.outbox.maxBytes = bytesPerSecond * (120 + 600);
  expect(backlog()).toMatchObject({ records: 120, items: 120, bytes: rig.outbox.status().bytes, drainSeconds: null });
  expect(backlog().fullInSeconds).toBeGreaterThan(550);
  expect(backlog().fullInSeconds).toBeLessThan(650);
  await rig.comeBack();
  await rig.clock.advance(35_000);
  const { items, drainSeconds } = backlog();
  expect(items).toBeGreaterThan(20);
  expect(drainSeconds! / (items / 2)).toBeGreaterThan(0.7);
  expect(drainSeconds! / (items / 2)).toBeLessThan(1.3);
  await rig.clock.advance(240_000);
  expect(backlog()).toMatchObject({ items: 0, drainSeconds: 0, fullInSeconds: null });
  await rig.stop();
});

test('results that come and go with every minute do not look as if the buffer filled', async () => {
  const rig = await startRig({ lingerMs: 1_000 });
  for (let minute = 0; minute < 4; minute++) {
    await rig.putMany(minute * 100, 50);
    for (let second = 0; second < 60; second++) {
      expect(rig.forwarder.status().backlog.fullInSeconds).toBeNull();
      await rig.clock.advance(1_000);
    }
    await rig.outbox.trim(rig.forwarder.positions.others);
  }
  await rig.stop();
});
