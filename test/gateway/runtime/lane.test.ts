import { expect, test } from 'vitest';
import { SegmentLog } from '../../../gateway/buffer/segment-log.ts';
import type { SegmentLogOptions } from '../../../gateway/buffer/segment-log-options.ts';
import { type CatchUp, Lane } from '../../../gateway/runtime/lane.ts';
import { sinkImbalance } from '../../../gateway/runtime/sink-ledger.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { recordingLogger } from '../../recording-logger.ts';

const never = new AbortController().signal;
const EVERY_SECOND = { sync: { everyMs: 1_000 } } as const;

/** Lanes over real logs on one simulated disk, which they may lose and come back to. */
class Bench {
  readonly disk: FaultyDisk;
  readonly clock = new ManualClock();
  log!: SegmentLog;
  lane!: Lane;
  /** Offsets that were delivered, in order. */
  readonly delivered: number[] = [];

  /** @param random decides what a power cut keeps */
  constructor(random = seededRandom(1)) {
    this.disk = new FaultyDisk(random);
  }

  async open(catchUp: CatchUp, options: Partial<SegmentLogOptions> = {}): Promise<void> {
    const { disk, clock } = this;
    const logger = recordingLogger();
    const common = { path: '/log', disk: disk.mount(), clock, logger, maxBytes: 16 * 1024 * 1024 };
    this.log = new SegmentLog({ ...common, random: seededRandom(2), ...options });
    await this.log.start(never);
    this.lane = new Lane({ log: this.log, sink: 'x', clock, maxItems: 5, catchUp });
    await this.lane.open(never);
  }

  async append(records: number, bytes = 20): Promise<void> {
    for (let i = 0; i < records; i++) this.log.append(Buffer.alloc(bytes, '.'), 1);
    await this.log.commit();
  }

  /** Delivers a portion; false when there is none. */
  async deliver(maxItems = 5): Promise<boolean> {
    const portion = await this.lane.next(maxItems);
    if (portion === undefined) return false;
    const offsets = portion.records.map(({ offset }) => offset);
    this.delivered.push(...offsets);
    const nothingElse = { rejected: 0, filtered: 0, superseded: 0 };
    await this.lane.settle(portion, { delivered: offsets.length, ...nothingElse }, []);
    return true;
  }

  async deliverAll(): Promise<void> {
    while (await this.deliver());
  }
}

test('what a full log drops before the sink has taken anything is lost to it, also after a restart', async () => {
  const bench = new Bench();
  const inOrder: CatchUp = { order: 'in-order', maxPerSecond: Number.POSITIVE_INFINITY };
  const small = { maxBytes: 64 * 1024, whenFull: 'drop-oldest' } as const;
  await bench.open(inOrder, small);
  await bench.append(200, 1_000);
  await settle();
  bench.disk.kill();
  await bench.open(inOrder, small);
  const counts = bench.lane.counts();
  expect(counts).toMatchObject({ received: 200, delivered: 0, dropped: bench.log.status().droppedItems });
  expect(counts.dropped).toBeGreaterThan(0);
  expect(sinkImbalance(counts)).toBe(0);
});

test('a read that the disk refuses once costs no result', async () => {
  const bench = new Bench();
  await bench.open({ order: 'in-order', maxPerSecond: Number.POSITIVE_INFINITY });
  await bench.append(1_000, 1_000);
  let reads = 0;
  bench.disk.fault = (call) => (call === 'read' && ++reads === 2 ? 'EIO' : undefined);
  let refused = 0;
  for (let more = true; more; ) {
    more = await bench.deliver(100).catch(() => {
      refused++;
      return true;
    });
  }
  expect(refused).toBe(1);
  expect(bench.delivered).toEqual(Array.from({ length: 1_000 }, (_, offset) => offset));
  expect(bench.lane.counts()).toMatchObject({ received: 1_000, delivered: 1_000, dropped: 0, pending: 0 });
});

/** A backlog of which the disk has lost the end again, and refuses to take it. */
async function unsyncedBacklog(): Promise<Bench> {
  const bench = new Bench();
  const newestFirst = { order: 'newest-first', maxPerSecond: Number.POSITIVE_INFINITY } as const;
  await bench.open(newestFirst, { ...EVERY_SECOND, segmentBytes: 4_096 });
  await bench.append(100);
  await bench.clock.advance(2_000);
  // The first is synced at once, as a sync is due; the others wait for the next.
  await bench.append(1);
  await bench.append(20);
  await bench.deliver();
  await bench.deliver();
  const fails = new Set(['datasync', 'write', 'create']);
  bench.disk.fault = (call) => (fails.has(call) ? 'EIO' : undefined);
  await bench.clock.advance(1_000);
  expect(bench.log.status().durableOffset).toBeLessThan(121);
  return bench;
}

test('a backlog whose end the disk refuses to take again is looked at once a second', async () => {
  const bench = await unsyncedBacklog();
  await bench.deliverAll();
  expect(bench.lane.counts().pending).toBeGreaterThan(0);
  expect(bench.lane.backlogWaitMs()).toBe(1_000);
  bench.disk.fault = () => undefined;
  for (let i = 0; i < 10; i++) await bench.clock.advance(700);
  await bench.deliver();
  expect(bench.lane.backlogWaitMs() ?? 0).toBe(0);
});

test('what is written again after a sync has failed is delivered, also at the end of a backlog', async () => {
  const bench = await unsyncedBacklog();
  await bench.deliverAll();
  bench.disk.fault = () => undefined;
  for (let i = 0; i < 10; i++) await bench.clock.advance(700);
  await bench.deliverAll();
  expect(bench.delivered.length).toBe(121);
  expect(bench.lane.counts()).toMatchObject({ received: 121, delivered: 121, dropped: 0, pending: 0 });
});

test('what is lost at the end of a log is dropped, and not pending until something comes behind it', async () => {
  const log = new MemoryLog();
  const catchUp: CatchUp = { order: 'newest-first', maxPerSecond: Number.POSITIVE_INFINITY };
  const lane = new Lane({ log, sink: 'x', clock: new ManualClock(), maxItems: 5, catchUp });
  const append = (items: number) => log.append(Buffer.from('.'), items);
  const deliverAll = async () => {
    const nothingElse = { rejected: 0, filtered: 0, superseded: 0 };
    for (let portion = await lane.next(5); portion !== undefined; portion = await lane.next(5)) {
      const delivered = portion.records.reduce((sum, { items }) => sum + items, 0);
      await lane.settle(portion, { delivered, ...nothingElse }, []);
    }
  };
  await lane.open(never);
  for (const items of [1, 2]) append(items);
  log.damage(1);
  await log.commit();
  // Not durable yet, and so not lost.
  append(4);
  await deliverAll();
  expect(lane.counts()).toMatchObject({ received: 7, delivered: 1, dropped: 0, pending: 6 });
  log.damage(2);
  await log.commit();
  await deliverAll();
  expect(lane.counts()).toMatchObject({ received: 7, delivered: 1, dropped: 6, pending: 0 });
  expect(lane.position).toBe(3);
  append(8);
  await log.commit();
  await deliverAll();
  expect(lane.counts()).toMatchObject({ received: 15, delivered: 9, dropped: 6, pending: 0 });
});

test('what is not durable yet, or damaged further on, is not taken for dropped where a full log has dropped its oldest', async () => {
  const log = new MemoryLog();
  const catchUp: CatchUp = { order: 'in-order', maxPerSecond: Number.POSITIVE_INFINITY };
  const lane = new Lane({ log, sink: 'x', clock: new ManualClock(), maxItems: 5, catchUp });
  await lane.open(never);
  for (const items of [1, 2, 4]) log.append(Buffer.from('.'), items);
  await log.commit();
  log.drop(1);
  log.damage(2);
  log.append(Buffer.from('.'), 8);
  expect(lane.counts()).toMatchObject({ received: 15, dropped: 1, pending: 14 });
});

test('a ledger balances where a power cut has taken the end of the log, with results that had gone first', async () => {
  const slowly = { order: 'newest-first', maxPerSecond: 5 } as const;
  let ends = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const bench = new Bench(seededRandom(seed));
    await bench.open(slowly, EVERY_SECOND);
    await bench.append(40);
    await bench.clock.advance(2_000);
    await bench.deliver();
    await bench.deliver();
    await bench.append(1);
    await bench.append(10);
    await bench.deliver();
    await bench.deliver();
    await bench.clock.advance(300);
    expect(sinkImbalance(bench.lane.counts()), `seed ${seed}`).toBe(0);
    bench.disk.cutPower();
    await settle();
    await bench.open(slowly, EVERY_SECOND);
    if (bench.log.status().appendedItems < 51) ends++;
    expect(sinkImbalance(bench.lane.counts()), `seed ${seed}`).toBe(0);
  }
  // Some cuts leave the end where it is.
  expect(ends).toBeGreaterThan(3);
});
