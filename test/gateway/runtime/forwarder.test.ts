import { expect, test } from 'vitest';
import type { Aggregate, Result } from '../../../gateway/core/result.ts';
import { type Rejection, type Sink, SinkError } from '../../../gateway/core/sink.ts';
import { DeadLetters } from '../../../gateway/runtime/dead-letters.ts';
import { Forwarder, type ForwarderOptions } from '../../../gateway/runtime/forwarder.ts';
import { encodeResults } from '../../../gateway/runtime/result-codec.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { recordingLogger } from '../../recording-logger.ts';

const never = new AbortController().signal;

test('results arrive in order, and the cursor follows what the sink has taken', async () => {
  const rig = await startRig();
  await rig.put(0, 1, 2);
  await rig.clock.advance(0);
  await rig.put(3);
  await rig.clock.advance(0);
  expect(rig.taken()).toEqual([0, 1, 2, 3]);
  expect(rig.forwarder.position).toBe(2);
  expect(rig.forwarder.status()).toMatchObject({
    state: 'running',
    deliveredTotal: 4,
    backlog: { records: 0, drainSeconds: 0 },
  });
  await rig.forwarder.stop(never);
});

test('a batch never holds more than the configured number of results', async () => {
  const rig = await startRig({ maxItems: 2, lingerMs: 0 });
  await rig.put(0, 1, 2, 3, 4);
  await rig.clock.advance(0);
  expect(rig.batches.map((batch) => batch.length)).toEqual([2, 2, 1]);
  await rig.forwarder.stop(never);
});

test('a sink that is away is tried again with growing waits, and nothing is lost', async () => {
  const rig = await startRig();
  rig.fail = new SinkError('connect ECONNREFUSED', { kind: 'transient' });
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
  await rig.forwarder.stop(never);
});

test('Retry-After is kept', async () => {
  const rig = await startRig();
  rig.fail = new SinkError('429', { kind: 'transient', retryAfterMs: 20_000 });
  await rig.put(0);
  await rig.clock.advance(19_999);
  expect(rig.forwarder.status().failedAttemptsTotal).toBe(1);
  await rig.forwarder.stop(never);
});

test('what a person must mend is tried at long intervals only, and the status says what it is', async () => {
  const rig = await startRig();
  rig.fail = new SinkError('401 unauthorized', { kind: 'configuration' });
  await rig.put(0);
  await rig.clock.advance(29_999);
  expect(rig.forwarder.status().failedAttemptsTotal).toBe(1);
  await rig.clock.advance(1);
  expect(rig.forwarder.status().failedAttemptsTotal).toBe(2);
  expect(rig.forwarder.status().detail).toContain('401 unauthorized');
  await rig.forwarder.stop(never);
});

test('what a sink refuses for ever is set aside with the reason, and the others are stored', async () => {
  const rig = await startRig();
  rig.refuse = (result) => (startOf(result) === 1 ? 'field type conflict' : undefined);
  await rig.put(0, 1, 2);
  await rig.clock.advance(0);
  expect(rig.forwarder.status()).toMatchObject({ deliveredTotal: 2, rejectedTotal: 1 });
  expect(await rig.deadLetters.newest(9)).toMatchObject([
    { origin: 'influx', reason: 'field type conflict', subject: 'd/m@w@1@0' },
  ]);
  await rig.forwarder.stop(never);
});

test('a record that is not JSON is set aside, and the next one is delivered', async () => {
  const rig = await startRig();
  rig.outbox.append(Buffer.from('{broken'), 3);
  await rig.put(7);
  await rig.clock.advance(0);
  expect(rig.taken()).toEqual([7]);
  expect(rig.forwarder.status().rejectedTotal).toBe(3);
  expect((await rig.deadLetters.newest(9))[0]!.reason).toContain('not JSON');
  await rig.forwarder.stop(never);
});

test('a forwarder that is stopped while its sink is away stops at once, and the next one goes on from the cursor', async () => {
  const rig = await startRig();
  await rig.put(0);
  await rig.clock.advance(0);
  rig.fail = new SinkError('away', { kind: 'transient' });
  await rig.put(1);
  await rig.clock.advance(100);
  await rig.forwarder.stop(never);
  rig.fail = undefined;
  const next = rig.another();
  await next.start(never);
  await rig.clock.advance(0);
  expect(rig.taken()).toEqual([0, 1]);
  await next.stop(never);
});

test('few results wait for more, so that one request carries them', async () => {
  const rig = await startRig({ maxItems: 100, lingerMs: 1_000 });
  await rig.put(0);
  await rig.clock.advance(500);
  await rig.put(1);
  await rig.clock.advance(500);
  expect(rig.batches.map((batch) => batch.length)).toEqual([2]);
  await rig.forwarder.stop(never);
});

function aggregate(start: number): Aggregate {
  const series = { key: 'd/m', device: 'd', metric: 'm', tags: {} };
  return { kind: 'aggregate', series, window: 'w', start, end: start + 1, revision: 0, fields: { count: 1 }, good: 1 };
}

function startOf(result: Result): number {
  return result.kind === 'aggregate' ? result.start : Number.NaN;
}

async function startRig(options: ForwarderOptions = { maxItems: 100, lingerMs: 0 }) {
  const clock = new ManualClock();
  const outbox = new MemoryLog();
  const deadLetters = new DeadLetters(new MemoryLog(), clock);
  const batches: (readonly Result[])[] = [];
  const sink: Sink = {
    name: 'influx',
    type: 'test',
    async start() {},
    async stop() {},
    async write(batch) {
      if (rig.fail !== undefined) throw rig.fail;
      batches.push(batch);
      const rejections: Rejection[] = [];
      for (const result of batch) {
        const reason = rig.refuse(result);
        if (reason !== undefined) rejections.push({ result, reason });
      }
      return rejections;
    },
  };
  const another = () =>
    new Forwarder({ sink, outbox, deadLetters, clock, random: () => 0.5, logger: recordingLogger() }, options);
  const rig = {
    clock,
    outbox,
    deadLetters,
    batches,
    another,
    forwarder: another(),
    fail: undefined as Error | undefined,
    refuse: (_result: Result): string | undefined => undefined,
    taken: () => batches.flat().map(startOf),
    async put(...starts: number[]) {
      outbox.append(encodeResults(starts.map(aggregate)), starts.length);
      await outbox.commit();
      await settle();
    },
  };
  await rig.forwarder.start(never);
  await settle();
  return rig;
}
