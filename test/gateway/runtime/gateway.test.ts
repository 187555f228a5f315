import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemDisk } from '../../../gateway/base/system-disk.ts';
import { CheckpointStore } from '../../../gateway/runtime/checkpoint.ts';
import { imbalance } from '../../../gateway/runtime/ledger.ts';
import { settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { Box, CHECKPOINT_EVERY_MS, type Sent, START } from './box.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-gateway-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('an acknowledgement waits until the journal has the reading', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  box.journal.stuck = true;
  let acknowledged = false;
  box.send({ metric: 'a', value: 1, time: START });
  box.intake.acknowledge(() => {
    acknowledged = true;
  });
  await settle();
  expect(acknowledged).toBe(false);
  expect(box.gateway.status().ledger).toMatchObject({ received: 1, inFlight: 1 });
  box.journal.stuck = false;
  await settle();
  expect(acknowledged).toBe(true);
  await box.stop();
});

test('what is refused is counted, kept with its reason, and acknowledged after it is durable', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  box.send({ metric: 'a', value: Number.NaN, time: START });
  box.send({ metric: 'a', value: 1, time: 0 });
  box.intake.reject('sensors/x', 'the payload is not JSON', Buffer.from('{'));
  await box.acknowledged();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, rejected: 3 });
  const letters = await box.gateway.deadLetters(10);
  expect(letters.map(({ reason }) => reason)).toEqual([
    'the payload is not JSON',
    expect.stringContaining('1970'),
    expect.stringContaining('NaN'),
  ]);
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, rejected: 3 });
  expect(box.gateway.ledgerReport(9).groups).toMatchObject([
    { name: 'd', received: 2, rejected: 2 },
    { name: '(unknown)', received: 1, rejected: 1 },
  ]);
  await box.stop();
});

test('what was refused stays counted after a crash, although its dead letters were dropped', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  const checkpoint = async () => {
    const { at } = box.gateway.status().checkpoint;
    await box.clock.advance(CHECKPOINT_EVERY_MS);
    await vi.waitUntil(() => box.gateway.status().checkpoint.at !== at, { timeout: 5_000 });
    await settle();
  };
  await checkpoint();
  for (let i = 0; i < 3; i++) box.intake.reject('sensors/x', 'the payload is not JSON', Buffer.from('{'));
  await box.acknowledged();
  await checkpoint();
  await box.deadLetters.trim(3);
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, rejected: 3 });
  await box.stop();
});

test('an acknowledged alarm stays acknowledged after a crash', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  box.send({ metric: 'a', value: 500, time: START });
  await box.acknowledged();
  await box.clock.advance(0);
  const raised = box.stored().find((result) => result.kind === 'alarm')!;
  expect(raised).toMatchObject({ state: 'raised', detector: 'range' });
  box.activeAlarm = raised.kind === 'alarm' ? raised.id : '';
  expect(await box.gateway.acknowledgeAlarm('another', 'me')).toBeUndefined();
  expect(await box.gateway.acknowledgeAlarm(box.activeAlarm, 'me')).toMatchObject({ acknowledgedAt: box.clock.now() });
  expect(box.gateway.alarms({ limit: 9 })).toMatchObject([{ acknowledgedAt: box.clock.now() }]);
  await box.crash();
  await box.clock.advance(0);
  const steps = [...box.latest().keys()].filter((id) => id.startsWith('range@'));
  expect(steps).toEqual([`${box.activeAlarm}@acknowledged`, `${box.activeAlarm}@raised`]);
  await box.stop();
});

test('while memory is critical publishers wait and new series are refused, and then everything goes on', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  const heard: string[] = [];
  box.gateway.subscribe(({ topic }) => heard.push(topic));
  box.send({ metric: 'a', value: 1, time: START });
  await box.acknowledged();
  box.memory = { ...box.memory, heapUsedBytes: 0.95 * box.memory.heapLimitBytes };
  await box.clock.advance(1_000);
  expect(box.gateway.status()).toMatchObject({ state: 'degraded', memory: { state: 'critical' } });
  expect(box.gateway.notReady()).toEqual(['memory is short: sources wait']);
  expect(box.intake.series({ device: 'd', metric: 'new' })).toContain('memory is short');
  expect(heard).toContain('off');
  expect(box.gateway.liveIsOff).toBe(true);
  let acknowledged = 0;
  for (let i = 1; i <= 3; i++) {
    box.send({ metric: 'a', value: i, time: START + i });
    box.intake.acknowledge(() => acknowledged++);
    await settle();
  }
  expect(acknowledged).toBe(0);
  await box.clock.advance(20_000);
  expect(acknowledged).toBe(3);
  box.memory = { ...box.memory, heapUsedBytes: 0 };
  await box.clock.advance(1_000);
  expect(box.gateway.status().memory).toMatchObject({ state: 'normal' });
  expect(box.gateway.status().memory.shedding.map(({ total }) => total)).toEqual([1, 1, 1]);
  box.send({ metric: 'new', value: 1, time: START });
  await box.acknowledged();
  expect(box.gateway.status().ledger).toMatchObject({ received: 5, aggregated: 5 });
  await box.stop();
});

test('a stop while memory is critical brings everything to the disk', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  box.send({ metric: 'a', value: 0, time: START });
  await box.acknowledged();
  box.memory = { ...box.memory, heapUsedBytes: box.memory.heapLimitBytes };
  await box.clock.advance(1_000);
  for (let i = 1; i < 3; i++) {
    box.send({ metric: 'a', value: i, time: START + i });
    await settle();
  }
  await box.stop();
  expect(box.gateway.hasHung).toBe(false);
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, aggregated: 3 });
  await box.stop();
});

test('everything that grows with load is bounded, and the bounds are told', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  for (let i = 0; i < 40; i++) box.send({ metric: 'a', value: i, time: START + i * 60_000 });
  await box.acknowledged();
  const { bounds } = box.gateway.status().memory;
  const of = (name: string) => bounds.find((bound) => bound.name === name);
  expect(of('series')).toEqual({ name: 'series', used: 1, max: box.maxSeries, unit: 'series' });
  expect(of('open windows')!.used).toBeGreaterThan(0);
  expect(of('detectors')).toMatchObject({ used: 1 });
  expect(of('known for duplicates')).toMatchObject({ max: 32 });
  expect(of('last raw readings')!.used).toBeGreaterThanOrEqual(40);
  expect(of('devices in the ledger')).toMatchObject({ used: 1 });
  for (const { name, used, max } of bounds) expect(used, name).toBeLessThanOrEqual(max);
  expect(new Set(bounds.map(({ name }) => name)).size).toBe(bounds.length);
  await box.stop();
});

test('a clean stop leaves nothing to replay', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  box.send({ metric: 'a', value: 1, time: START });
  await box.stop();
  await box.boot();
  expect(box.gateway.status().ledger).toMatchObject({ received: 1, aggregated: 1, inFlight: 0 });
  expect(box.logLines()).not.toContain('journal replayed');
  await box.stop();
});

test('readings without a time of their own count as often as they are sent, also twice in a millisecond and after the clock was set back', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  for (let i = 0; i < 3; i++) box.send({ metric: 'b', value: 1, time: undefined });
  await box.acknowledged();
  box.clock.jump(-1_000);
  await box.clock.advance(1_000);
  box.send({ metric: 'b', value: 1, time: undefined });
  for (let i = 0; i < 2; i++) box.send({ metric: 'c', value: 1, time: START });
  await box.acknowledged();
  expect(box.gateway.status().ledger).toMatchObject({ received: 6, aggregated: 5, duplicate: 1 });
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 6, aggregated: 5, duplicate: 1 });
  await box.stop();
});

test('what a start had to replay the next one need not, however soon it crashes again', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  box.send({ metric: 'b', value: 1, time: START });
  await box.acknowledged();
  await box.crash();
  expect(box.logLines()).toContain('journal replayed');
  await vi.waitUntil(() => box.gateway.status().checkpoint.at !== null, { timeout: 5_000 });
  await box.crash();
  expect(box.logLines()).not.toContain('journal replayed');
  expect(box.gateway.status().ledger).toMatchObject({ received: 1, aggregated: 1 });
  await box.stop();
});

test('what comes in while a checkpoint waits for the disk is counted once after a crash', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  box.send({ metric: 'b', value: 1, time: START });
  await box.acknowledged();
  const trimming = Promise.withResolvers<void>();
  box.outbox.trim = () => trimming.promise;
  await box.clock.advance(CHECKPOINT_EVERY_MS);
  box.send({ metric: 'b', value: 2, time: START + 1000 });
  await box.acknowledged();
  await settle();
  trimming.resolve();
  await vi.waitUntil(() => box.gateway.status().checkpoint.bytes > 0, { timeout: 5_000 });
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 2, aggregated: 2, duplicate: 0 });
  await box.stop();
});

test('a bound on series that was lowered costs no open window: only new series are refused', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  for (const metric of ['b', 'c']) box.send({ metric, value: 1, time: START });
  await box.stop();
  box.maxSeries = 1;
  await box.boot();
  for (const metric of ['b', 'c']) box.send({ metric, value: 2, time: START + 1_000 });
  expect(box.intake.series({ device: 'd', metric: 'new' })).toContain('storage.maxSeries is 1');
  await box.acknowledged();
  await box.clock.advance(120_000);
  const counts = box.stored().map((result) => (result.kind === 'aggregate' ? result.fields['count'] : undefined));
  expect(counts).toEqual([2, 2]);
  await box.stop();
});

test('a journaled reading that finds no room for its series after a restart is counted as dropped', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  for (const metric of ['b', 'c', 'c']) box.send({ metric, value: 1, time: START + 1000 * box.journal.records.length });
  await box.acknowledged();
  box.maxSeries = 1;
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, aggregated: 1, dropped: 2, inFlight: 0 });
  expect(imbalance(box.gateway.status().ledger)).toBe(0);
  expect(box.gateway.ledgerReport(9).groups).toMatchObject([{ name: 'd', received: 3, dropped: 2, imbalance: 0 }]);
  await box.stop();
});

test('what damage takes from the journal is received and dropped, reading by reading; what a checkpoint covers is not lost', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  let sent = 0;
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) box.send({ metric: 'b', value: 1, time: START + 1000 * sent++ });
    await box.acknowledged();
    return box.journal.records.findLast(({ items }) => items > 0)!.offset;
  };
  const covered = await send(7);
  const before = box.gateway.status().checkpoint.offset;
  await box.clock.advance(CHECKPOINT_EVERY_MS);
  await vi.waitUntil(() => box.gateway.status().checkpoint.offset > before, { timeout: 5_000 });
  await send(3);
  const middle = await send(4);
  await send(2);
  const last = await send(5);
  await settle();
  for (const offset of [covered, middle, last]) box.journal.damage(offset);
  await box.crash();
  const { total, sources } = box.gateway.ledgerReport(9);
  expect(total).toMatchObject({ received: 21, aggregated: 12, dropped: 9, inFlight: 0, imbalance: 0 });
  expect(sources.find(({ name }) => name === '(journal)')).toMatchObject({ received: 9, dropped: 9 });
  expect(box.logLines()).toContainEqual(expect.stringContaining('journaled readings were lost'));
  await box.stop();
  // They are in the checkpoint now, and not counted a second time.
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 21, dropped: 9 });
  await box.stop();
});

test('a journal record that cannot be understood is received and dropped', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  for (const value of [1, 2, 3]) box.send({ metric: 'b', value, time: START + 1000 * value });
  await box.acknowledged();
  box.journal.append(Uint8Array.of(99, 1, 2), 6);
  await box.journal.commit();
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 9, aggregated: 3, dropped: 6 });
  expect(imbalance(box.gateway.status().ledger)).toBe(0);
  await box.stop();
});

test('what a restart finds in the journal is no rate, what comes afterwards is', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  const rate = () => box.gateway.series()[0]?.rate;
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) box.send({ metric: 'b', value: 1, time: box.clock.now() + i });
    await box.acknowledged();
  };
  await send(20);
  await box.crash();
  expect(box.gateway.series()[0]?.receivedTotal).toBe(20);
  await box.clock.advance(5_000);
  expect(rate()).toBe(0);
  await send(10);
  await box.clock.advance(5_000);
  // Ten in the ten seconds since the restart.
  expect(rate()).toBeCloseTo(1);
  await box.stop();
});

test('what comes in after the journal was lost outlives a crash, although the checkpoint is from before', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  for (let i = 0; i < 5; i++) {
    box.send({ metric: 'b', value: i, time: START + i * 1000 });
    await box.acknowledged();
  }
  await box.stop();
  box.journal = new MemoryLog();
  await box.boot();
  expect(box.logLines()).toContainEqual(expect.stringContaining('the journal ends before the checkpoint'));
  for (let i = 5; i < 8; i++) {
    box.send({ metric: 'b', value: i, time: START + i * 1000 });
    await box.acknowledged();
  }
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 8, aggregated: 8 });
  await box.stop();
});

test('a stop ends when its time is over, even where the outbox takes nothing', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  box.outbox.stuck = true;
  box.send({ metric: 'a', value: 500, time: START });
  await box.acknowledged();
  await box.clock.advance(CHECKPOINT_EVERY_MS);
  const time = new AbortController();
  const stopped = box.gateway.stop(time.signal);
  await settle();
  time.abort();
  await box.clock.advance(1_000);
  await stopped;
  expect(box.gateway.status().state).toBe('stopped');
  expect(box.logLines()).toContainEqual(expect.stringContaining('cannot carry everything to the disk in time'));
});

test('a damaged newest checkpoint loses nothing, however many readings came after the one before', async () => {
  const boxFolder = await mkdtemp(join(folder, 'box-'));
  const box = new Box(boxFolder);
  await box.boot();
  const count = 50;
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < count; i++) {
      box.send({ metric: 'b', value: i, time: START + (round * count + i) * 100 });
      await box.acknowledged();
    }
    const before = box.gateway.status().checkpoint.offset;
    await box.clock.advance(CHECKPOINT_EVERY_MS);
    await vi.waitUntil(() => box.gateway.status().checkpoint.offset > before, { timeout: 5_000 });
    await settle();
  }
  expect(box.journal.status().firstOffset).toBeGreaterThan(0);
  // The third was written over the first.
  await writeFile(join(boxFolder, 'checkpoint-0'), 'damaged');
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3 * count, aggregated: 3 * count, late: 0 });
  await box.stop();
});

test('a checkpoint whose detectors cannot be restored leaves nothing of its windows behind', async () => {
  const boxFolder = await mkdtemp(join(folder, 'box-'));
  const box = new Box(boxFolder);
  await box.boot();
  const store = new CheckpointStore(systemDisk, boxFolder, recordingLogger());
  for (let i = 0; i < 3; i++) {
    box.send({ metric: 'b', value: i, time: START + i * 100 });
    await box.acknowledged();
    const before = box.gateway.status().checkpoint.offset;
    await box.clock.advance(CHECKPOINT_EVERY_MS);
    await vi.waitUntil(() => box.gateway.status().checkpoint.offset > before, { timeout: 5_000 });
  }
  const [newest, older] = await store.read();
  // Each goes over its own slot.
  await store.write(older!);
  await store.write({ ...newest!, stages: { ...newest!.stages, detection: 'of another release' } });
  expect(older!.journalOffset).toBeLessThan(newest!.journalOffset);
  await box.crash();
  expect(box.logLines()).toContain('checkpoint passed over: it cannot be restored');
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, aggregated: 3 });
  await box.clock.advance(180_000);
  expect([...box.latest().values()]).toMatchObject([{ fields: { count: 3, last: 2 } }]);
  await box.stop();
});

test('a journal too small for the readings to remember is freed of them, and the log says so', async () => {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  const status = box.journal.status.bind(box.journal);
  box.journal.status = () => ({ ...status(), maxBytes: 300 });
  await box.boot();
  for (let i = 0; i < 20; i++) {
    box.send({ metric: 'b', value: i, time: START + i * 100 });
    await box.acknowledged();
  }
  expect(box.journal.status().bytes).toBeGreaterThan(300);
  await box.clock.advance(CHECKPOINT_EVERY_MS);
  await vi.waitUntil(() => box.journal.status().bytes <= 150, { timeout: 5_000 });
  expect(box.logLines()).toContainEqual(expect.stringContaining('fewer redelivered readings are recognised'));
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 20, aggregated: 20 });
  await box.stop();
});

test('a start that finds no checkpoint says what is lost', async () => {
  const boxFolder = await mkdtemp(join(folder, 'box-'));
  const box = new Box(boxFolder);
  await box.boot();
  box.send({ metric: 'b', value: 1, time: START });
  await box.acknowledged();
  await box.stop();
  await box.journal.trim(1);
  for (const slot of [0, 1]) await rm(join(boxFolder, `checkpoint-${slot}`), { force: true });
  await box.boot();
  expect(box.logLines()).toContainEqual(expect.stringContaining('no checkpoint can be read'));
  await box.stop();
});

test.each([{ crashes: false }, { crashes: true }])(
  'a wall clock set back by ten minutes holds no window of a silent device open, crash: $crashes',
  async ({ crashes }) => {
    const box = new Box(await mkdtemp(join(folder, 'box-')));
    await box.boot();
    box.send({ metric: 'b', value: 1, time: START });
    await box.acknowledged();
    await box.clock.advance(CHECKPOINT_EVERY_MS);
    box.clock.jump(-600_000);
    box.send({ metric: 'b', value: 2, time: START + 60_000 });
    await box.acknowledged();
    if (crashes) await box.crash();
    await box.clock.advance(180_000);
    const starts = box.stored().map((result) => (result.kind === 'aggregate' ? result.start : undefined));
    expect(starts).toContain(START + 60_000);
    await box.stop();
  },
);

type Step =
  | { readonly do: 'send'; readonly readings: readonly Sent[] }
  | { readonly do: 'crash' }
  | { readonly do: 'wait'; readonly ms: number };

const sent = fc.record({
  metric: fc.constantFrom('a', 'b', 'c'),
  // No number is what is set aside.
  value: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 0, max: 130 }) },
    { weight: 1, arbitrary: fc.constant(Number.NaN) },
  ),
  time: fc.integer({ min: 0, max: 240 }).map((seconds) => START + seconds * 1000),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.array(sent, { maxLength: 20 }).map((readings) => ({ do: 'send', readings }) as const) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 15_000 }).map((ms) => ({ do: 'wait', ms }) as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'crash' } as const) },
);

test('crashes at any point change no window, no alarm and no count', { timeout: 60_000 }, async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const whole = await run(plan.filter((one) => one.do !== 'crash'));
      const crashed = await run(plan);
      expect(crashed.results).toEqual(whole.results);
      expect(crashed.ledger).toEqual(whole.ledger);
      const { total, sources, groups } = crashed.ledger;
      for (const row of [total, ...sources, ...groups]) expect(row.imbalance).toBe(0);
    }),
    { numRuns: 60 },
  );
});

async function run(plan: readonly Step[]) {
  const box = new Box(await mkdtemp(join(folder, 'box-')));
  await box.boot();
  for (const one of plan) {
    if (one.do === 'wait') await box.clock.advance(one.ms);
    else if (one.do === 'crash') await box.crash();
    else {
      for (const reading of one.readings) box.send(reading, reading.value % 3 === 0 ? 'd' : 'e');
      await box.acknowledged();
    }
  }
  // Every device falls silent: what is open gives its results.
  await box.clock.advance(30_000);
  const ledger = box.gateway.ledgerReport(100);
  await box.stop();
  return { results: box.latest(), ledger };
}
