import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Aggregate, Result } from '../../../gateway/core/result.ts';
import { type Rejection, type Sink, SinkError } from '../../../gateway/core/sink.ts';
import { DeadLetters } from '../../../gateway/runtime/dead-letters.ts';
import { Forwarder } from '../../../gateway/runtime/forwarder.ts';
import { encodeResults } from '../../../gateway/runtime/result-codec.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { alarm } from '../sinks/results.ts';

const never = new AbortController().signal;

/** Windows of a series; put again, each gets a correction. `poison` is refused by the sink for ever. */
const WINDOWS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'poison'];
/** Of the backlog a portion goes about every four seconds, so that there is time for everything else to happen. */
const MAX_PER_SECOND = 1;

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), windows: windowsOf(1, 8) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay' as const), last: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('acknowledge' as const) }) },
  { weight: 3, arbitrary: fallBehind() },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('outage' as const), on: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 900, 5_000, 12_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), order: orders() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash after a write' as const), order: orders() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), order: orders() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trim' as const) }) },
);

test('whatever happens, the sink ends up with what delivery in order gives, and its ledger balances', async () => {
  await fc.assert(
    fc.asyncProperty(orders(), fc.array(step, { minLength: 5, maxLength: 60 }), async (order, steps) => {
      const box = new Box(order);
      await box.boot();
      for (const one of steps) {
        await box.run(one);
        expect(box.forwarder.status().ledger.imbalance).toBe(0);
      }
      await box.drain();
      expect(box.stored).toEqual(box.inOrder());
      const { delivered, superseded, rejected, ...ledger } = box.forwarder.status().ledger;
      const acknowledged = box.put.filter(({ kind }) => kind === 'alarm').length;
      expect(ledger).toEqual({
        received: box.put.length,
        filtered: acknowledged,
        dropped: 0,
        pending: 0,
        imbalance: 0,
      });
      expect(delivered + superseded + rejected).toBe(box.put.length - acknowledged);
      // A correction that was refused supersedes nothing, until a restart: what was delivered can be told then, what was refused not.
      const poisoned = box.put.filter(isPoison).length;
      if (steps.every((one) => !['crash', 'crash after a write', 'restart'].includes(one.do)))
        expect(rejected).toBe(poisoned);
      else expect(rejected).toBeLessThanOrEqual(poisoned);
      await box.forwarder.stop(never);
    }),
    { numRuns: 150 },
  );
}, 120_000);

test('what a full log drops is counted at once and for ever, whichever range it was in', async () => {
  const dropping = fc.oneof(
    { weight: 8, arbitrary: step },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('drop' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    },
  );
  await fc.assert(
    fc.asyncProperty(orders(), fc.array(dropping, { minLength: 5, maxLength: 60 }), async (order, steps) => {
      const box = new Box(order);
      await box.boot();
      for (const one of steps) {
        await box.run(one);
        const { imbalance, dropped } = box.forwarder.status().ledger;
        expect(imbalance).toBe(0);
        expect(dropped).toBeLessThanOrEqual(box.outbox.status().droppedItems);
      }
      await box.drain();
      const { received, pending, imbalance } = box.forwarder.status().ledger;
      expect({ received, pending, imbalance }).toEqual({ received: box.put.length, pending: 0, imbalance: 0 });
      await box.forwarder.stop(never);
    }),
    { numRuns: 60 },
  );
}, 120_000);

type Step = (typeof step extends fc.Arbitrary<infer S> ? S : never) | { readonly do: 'drop'; readonly share: number };

/** A forwarder, its logs, and a sink that keeps what was written last. */
class Box {
  readonly clock = new ManualClock();
  alarmOutbox = new MemoryLog();
  outbox = new MemoryLog();
  deadLetters = new MemoryLog();
  forwarder!: Forwarder;
  /** Every result that was put, in order; again where a replay put it again. */
  readonly put: Result[] = [];
  /** Revision that was written last, by window. */
  readonly stored: Record<string, number> = {};
  readonly #revisions = new Map<string, number>();
  #order: 'newest-first' | 'in-order';
  #away = false;
  #hangs = false;
  #written = 0;

  constructor(order: 'newest-first' | 'in-order') {
    this.#order = order;
  }

  async boot(): Promise<void> {
    this.forwarder = new Forwarder(
      {
        sink: this.#sink(),
        alarmOutbox: this.alarmOutbox,
        outbox: this.outbox,
        deadLetters: new DeadLetters(this.deadLetters, this.clock),
        clock: this.clock,
        random: () => 0.5,
        logger: recordingLogger(),
      },
      { maxItems: 4, lingerMs: 0, catchUp: { order: this.#order, maxPerSecond: MAX_PER_SECOND } },
    );
    await this.forwarder.start(never);
    await settle();
  }

  async run(one: Step): Promise<void> {
    if (one.do === 'put') await this.#put(one.windows.map((window) => this.#next(window)));
    else if (one.do === 'replay') await this.#put(this.put.filter(({ kind }) => kind !== 'alarm').slice(-one.last));
    else if (one.do === 'acknowledge') await this.#put([alarm({ state: 'acknowledged' })]);
    else if (one.do === 'fall behind') {
      this.#away = true;
      for (const window of one.windows) await this.#put([this.#next(window)]);
      await this.clock.advance(12_000);
      this.#away = false;
      await this.clock.advance(12_000);
      await this.#put(one.corrected.map((window) => this.#next(window)));
      await this.clock.advance(0);
    } else if (one.do === 'outage') this.#away = one.on;
    else if (one.do === 'pass') await this.clock.advance(one.ms);
    else if (one.do === 'drop') this.outbox.drop(Math.floor(this.outbox.status().durableOffset * one.share));
    else if (one.do === 'trim') {
      await this.alarmOutbox.trim(this.forwarder.positions.alarms);
      await this.outbox.trim(this.forwarder.positions.others);
    } else {
      this.#order = one.order;
      if (one.do === 'restart') await this.forwarder.stop(never);
      if (one.do === 'crash after a write') await this.#untilWritten();
      this.alarmOutbox = this.alarmOutbox.afterCrash();
      this.outbox = this.outbox.afterCrash();
      this.#hangs = false;
      await this.boot();
    }
  }

  /** The sink is there, and time passes until nothing is pending. */
  async drain(): Promise<void> {
    this.#away = false;
    for (let round = 0; round < 3_000 && this.forwarder.status().ledger.pending > 0; round++) {
      await this.clock.advance(1_000);
    }
  }

  /** What the sink would hold had everything been written in the order it was put. */
  inOrder(): Record<string, number> {
    const stored: Record<string, number> = {};
    for (const result of this.put)
      if (result.kind === 'aggregate' && !isPoison(result)) stored[result.window] = result.revision;
    return stored;
  }

  /** The sink stores one more batch, and the answer never arrives. */
  async #untilWritten(): Promise<void> {
    this.#hangs = true;
    this.#away = false;
    const before = this.#written;
    for (let round = 0; round < 40 && this.#written === before; round++) await this.clock.advance(1_000);
  }

  #next(window: string): Aggregate {
    const revision = (this.#revisions.get(window) ?? -1) + 1;
    this.#revisions.set(window, revision);
    const series = { key: 'd/m', device: 'd', metric: 'm', tags: {} };
    return { kind: 'aggregate', series, window, start: 0, end: 1, revision, fields: { count: 1 }, good: 1 };
  }

  async #put(results: readonly Result[]): Promise<void> {
    if (results.length === 0) return;
    this.put.push(...results);
    const log = results[0]!.kind === 'alarm' ? this.alarmOutbox : this.outbox;
    log.append(encodeResults(results), results.length);
    await log.commit();
    await settle();
  }

  #sink(): Sink {
    const alive = this.outbox;
    return {
      name: 'influx',
      type: 'test',
      start: async () => {},
      stop: async () => {},
      stores: ({ kind }) => kind === 'aggregate',
      write: async (batch) => {
        // What a process that crashed had still under way must not come back.
        if (alive !== this.outbox || this.#away) throw new SinkError('away', { kind: 'transient' });
        this.#written++;
        const rejections: Rejection[] = [];
        for (const result of batch) {
          if (isPoison(result)) rejections.push({ result, reason: 'poison' });
          else if (result.kind === 'aggregate') this.stored[result.window] = result.revision;
        }
        if (this.#hangs) await new Promise(() => {});
        return rejections;
      },
    };
  }
}

function isPoison(result: Result): boolean {
  return result.kind === 'aggregate' && result.window === 'poison';
}

function orders() {
  return fc.constantFrom('newest-first' as const, 'in-order' as const);
}

/** An outage long enough to leave a backlog, and what comes right after it, while the backlog waits. */
function fallBehind() {
  return fc.record({
    do: fc.constant('fall behind' as const),
    windows: windowsOf(9, 14),
    corrected: windowsOf(1, 3),
  });
}

function windowsOf(minLength: number, maxLength: number) {
  return fc.array(fc.constantFrom(...WINDOWS), { minLength, maxLength });
}
