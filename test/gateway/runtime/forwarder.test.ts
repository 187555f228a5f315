import { expect, test } from 'vitest';
import type { Result } from '../../../gateway/core/result.ts';
import { SinkError } from '../../../gateway/core/sink.ts';
import type { ForwarderOptions } from '../../../gateway/runtime/forwarder.ts';
import { alarm } from '../sinks/results.ts';
import { AWAY, aggregate, ForwarderRig, refusingReads, startRig } from './forwarder-rig.ts';

test('results arrive in order, and the cursor follows what the sink has taken', async () => {
  const rig = await startRig();
  await rig.put(0, 1, 2);
  await rig.clock.advance(0);
  await rig.put(3);
  await rig.clock.advance(0);
  expect(rig.taken()).toEqual([0, 1, 2, 3]);
  expect(rig.forwarder.positions).toEqual({ alarms: 0, others: 2 });
  expect(rig.forwarder.status()).toMatchObject({
    state: 'running',
    deliveredTotal: 4,
    backlog: { records: 0, drainSeconds: 0 },
  });
  await rig.stop();
});

test('a batch never holds more than the configured number of results', async () => {
  const rig = await startRig({ maxItems: 2 });
  await rig.put(0, 1, 2, 3, 4);
  await rig.clock.advance(0);
  expect(rig.batches.map((batch) => batch.length)).toEqual([2, 2, 1]);
  await rig.stop();
});

test('a sink that is away is tried again with growing waits, and nothing is lost', async () => {
  const rig = await startRig();
  rig.fail = AWAY;
  await rig.put(0);
  await rig.clock.advance(0);
  expect(rig.forwarder.status()).toMatchObject({ state: 'degraded', backlog: { records: 1 } });
  expect(rig.forwarder.status().detail).toContain('connect ECONNREFUSED; trying again');
  await rig.put(1);
  await rig.clock.advance(60_000);
  const attempts = rig.forwarder.status().failedAttemptsTotal;
  expect(attempts).toBeGreaterThan(3);
  expect(attempts).toBeLessThan(12);
  rig.fail = undefined;
  await rig.clock.advance(30_000);
  expect(rig.taken()).toEqual([0, 1]);
  expect(rig.forwarder.status()).toMatchObject({ state: 'running', detail: 'everything is delivered' });
  await rig.stop();
});

test('Retry-After is kept, and those who were told the same spread over half as long again', async () => {
  const rig = await startRig();
  rig.fail = new SinkError('429', { kind: 'transient', retryAfterMs: 20_000 });
  await rig.put(0);
  // Chance is 0.5 here: a quarter of it is added.
  await rig.clock.advance(24_999);
  expect(rig.forwarder.status().failedAttemptsTotal).toBe(1);
  await rig.clock.advance(1);
  expect(rig.forwarder.status().failedAttemptsTotal).toBe(2);
  await rig.stop();
});

test('what a person must mend is tried at long intervals only, never in step with others, and the status says what it is', async () => {
  const rig = await startRig();
  rig.fail = new SinkError('401 unauthorized', { kind: 'configuration' });
  await rig.put(0);
  // Half a minute, and up to ten seconds more; chance is 0.5 here.
  await rig.clock.advance(34_999);
  expect(rig.forwarder.status().failedAttemptsTotal).toBe(1);
  await rig.clock.advance(1);
  expect(rig.forwarder.status().failedAttemptsTotal).toBe(2);
  expect(rig.forwarder.status().detail).toContain('401 unauthorized');
  await rig.stop();
});

test('what a sink refuses for ever is set aside with the reason, and the others are stored', async () => {
  const rig = await startRig();
  rig.refuse = (result) => (isWindow(result, 1) ? 'field type conflict' : undefined);
  await rig.put(0, 1, 2);
  await rig.clock.advance(0);
  expect(rig.forwarder.status()).toMatchObject({ deliveredTotal: 2, rejectedTotal: 1 });
  expect(await rig.deadLetters.newest(9)).toMatchObject([
    { origin: 'influx', reason: 'field type conflict', subject: 'd/m@w@1@0' },
  ]);
  await rig.stop();
});

test('a record that is not JSON is set aside, and the next one is delivered', async () => {
  const rig = await startRig();
  rig.outbox.append(Buffer.from('{broken'), 3);
  await rig.put(7);
  await rig.clock.advance(0);
  expect(rig.taken()).toEqual([7]);
  expect(rig.forwarder.status().rejectedTotal).toBe(3);
  expect((await rig.deadLetters.newest(9))[0]!.reason).toContain('not JSON');
  await rig.stop();
});

test('a forwarder that is stopped while its sink is away stops at once, and the next one goes on from the cursor', async () => {
  const rig = await startRig();
  await rig.put(0);
  await rig.clock.advance(0);
  rig.fail = AWAY;
  await rig.put(1);
  await rig.clock.advance(100);
  await rig.stop();
  rig.fail = undefined;
  await rig.boot();
  await rig.clock.advance(0);
  expect(rig.taken()).toEqual([0, 1]);
  await rig.stop();
});

test('few results wait for more, so that one request carries them', async () => {
  const rig = await startRig({ lingerMs: 1_000 });
  await rig.put(0);
  await rig.clock.advance(500);
  await rig.put(1);
  await rig.clock.advance(500);
  expect(rig.batches.map((batch) => batch.length)).toEqual([2]);
  await rig.stop();
});

test('after failures batches are smaller, for links that are slow, but not below what a sink wants at least', async () => {
  const firstBatch = async (options: Partial<ForwarderOptions>) => {
    const rig = await startRig({ maxItems: 64, ...options });
    rig.fail = AWAY;
    await rig.putMany(0, 64);
    await rig.clock.advance(60_000);
    rig.fail = undefined;
    await rig.clock.advance(30_000);
    expect(rig.taken()).toHaveLength(64);
    await rig.stop();
    return rig.batches[0]!.length;
  };
  expect(await firstBatch({})).toBe(1);
  expect(await firstBatch({ minItems: 16 })).toBe(16);
});

test('alarms go before everything else, an outage before them or not', async () => {
  const rig = await startRig({ maxItems: 1 });
  rig.fail = AWAY;
  await rig.putMany(0, 3);
  await rig.putAlarm(77);
  await rig.clock.advance(60_000);
  rig.fail = undefined;
  await rig.clock.advance(30_000);
  expect(rig.taken()).toEqual([-77, 0, 1, 2]);
  await rig.stop();
});

test('a log of alarms that cannot be read holds up no other result, and is tried again', async () => {
  const rig = new ForwarderRig();
  const disk = refusingReads(rig.alarmOutbox);
  disk.refuses = true;
  await rig.putAlarm(7);
  await rig.boot();
  await rig.put(1, 2);
  expect(rig.taken()).toEqual([1, 2]);
  disk.refuses = false;
  await rig.clock.advance(60_000);
  await rig.put(3);
  expect(rig.taken()).toEqual([1, 2, -7, 3]);
  await rig.stop();
});

test('what the disk refuses to read for minutes is passed over and counted as dropped, and what lies behind it is delivered', async () => {
  const rig = new ForwarderRig();
  await rig.putMany(0, 3);
  rig.outbox.refused.add(1);
  await rig.boot();
  await rig.clock.advance(100_000);
  expect(rig.taken()).toEqual([]);
  expect(rig.forwarder.status()).toMatchObject({ state: 'degraded', ledger: { pending: 3, dropped: 0 } });
  expect(rig.forwarder.status().detail).toContain('cannot read the log at record 1: EIO');
  for (let waitedMs = 0; waitedMs < 120_000; waitedMs += 10_000) await rig.clock.advance(10_000);
  expect(rig.taken()).toEqual([0, 2]);
  expect(rig.forwarder.status()).toMatchObject({
    state: 'running',
    ledger: { delivered: 2, dropped: 1, imbalance: 0 },
  });
  await rig.stop();
});

test('a log that cannot pass over what the disk refuses is asked again, and nothing else stands still', async () => {
  const rig = new ForwarderRig();
  rig.outbox.passOver = () => Promise.reject(new Error('EIO: i/o error, fstat'));
  await rig.putMany(0, 3);
  rig.outbox.refused.add(1);
  await rig.boot();
  for (let waitedMs = 0; waitedMs < 400_000; waitedMs += 10_000) await rig.clock.advance(10_000);
  await rig.putAlarm(5);
  await rig.clock.advance(60_000);
  expect(rig.taken()).toEqual([-5]);
  rig.outbox.refused.clear();
  await rig.clock.advance(60_000);
  expect(rig.taken()).toEqual([-5, 0, 1, 2]);
  await rig.stop();
});

test('an alarm that a gateway of earlier versions left in its outbox is delivered', async () => {
  const rig = new ForwarderRig();
  await rig.putResults(alarm({ raisedAt: 5 }), aggregate(0));
  await rig.boot();
  expect(rig.taken()).toEqual([-5, 0]);
  expect(rig.forwarder.status().ledger).toMatchObject({ received: 2, delivered: 2, imbalance: 0 });
  await rig.stop();
});

test('an earlier result from the backlog does not overwrite a correction that went before it', async () => {
  const rig = await startRig({ maxItems: 2, catchUp: { order: 'newest-first', maxPerSecond: 1 } });
  rig.fail = AWAY;
  await rig.putMany(0, 8);
  await rig.clock.advance(60_000);
  await rig.comeBack();
  await rig.putResults(aggregate(7, 1));
  await rig.clock.advance(0);
  await rig.crash();
  await rig.clock.advance(60_000);
  const seventh = rig.batches.flat().filter((result) => isWindow(result, 7));
  expect(seventh).toEqual([aggregate(7, 1)]);
  expect(rig.forwarder.status().ledger).toMatchObject({ received: 9, delivered: 8, superseded: 1, imbalance: 0 });
  await rig.stop();
});

test('a batch that is sent twice because of a crash counts once as delivered', async () => {
  const rig = await startRig();
  await rig.put(0, 1);
  await rig.clock.advance(0);
  const before = rig.outbox.afterCrash();
  await rig.put(2, 3, 4);
  await rig.clock.advance(0);
  before.append(rig.outbox.records[1]!.payload, 3);
  await before.commit();
  // The position after the second batch never reached the disk.
  rig.outbox = before;
  await rig.crash();
  expect(rig.taken()).toEqual([0, 1, 2, 3, 4, 2, 3, 4]);
  expect(rig.forwarder.status().ledger).toMatchObject({ received: 5, delivered: 5, pending: 0, imbalance: 0 });
  await rig.stop();
});

test('results that a full buffer drops before the sink took them are counted, at once and after a restart', async () => {
  const rig = await startRig();
  await rig.putMany(0, 2);
  rig.fail = AWAY;
  await rig.putMany(2, 10);
  rig.outbox.drop(7);
  expect(rig.forwarder.status().ledger).toMatchObject({ received: 12, delivered: 2, dropped: 5, pending: 5 });
  await rig.crash();
  expect(rig.forwarder.status().ledger).toMatchObject({ received: 12, dropped: 5, pending: 5, imbalance: 0 });
  rig.fail = undefined;
  await rig.clock.advance(60_000);
  expect(rig.forwarder.status().ledger).toMatchObject({ received: 12, delivered: 7, dropped: 5, pending: 0 });
  await rig.stop();
});

test('a record that damage has made unreadable in the log counts as dropped', async () => {
  const rig = new ForwarderRig();
  await rig.putMany(0, 3);
  rig.outbox.damage(1);
  await rig.boot();
  expect(rig.taken()).toEqual([0, 2]);
  expect(rig.forwarder.status().ledger).toMatchObject({ received: 3, delivered: 2, dropped: 1, imbalance: 0 });
  await rig.stop();
});

test('a sink that is configured later begins with what is kept, and counts from there', async () => {
  const rig = new ForwarderRig();
  await rig.putMany(0, 6);
  await rig.outbox.trim(4);
  await rig.boot();
  expect(rig.taken()).toEqual([4, 5]);
  expect(rig.forwarder.status().ledger).toMatchObject({ received: 2, delivered: 2, dropped: 0, imbalance: 0 });
  await rig.stop();
});

test('what has no place in the sink is filtered, and never sent', async () => {
  const rig = await startRig();
  await rig.putResults(alarm({ state: 'acknowledged' }), aggregate(1));
  await rig.clock.advance(0);
  expect(rig.taken()).toEqual([1]);
  expect(rig.forwarder.status().ledger).toMatchObject({ received: 2, delivered: 1, filtered: 1, imbalance: 0 });
  await rig.stop();
});

function isWindow(result: Result, start: number): boolean {
  return result.kind === 'aggregate' && result.start === start;
}
