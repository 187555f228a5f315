import { expect, test } from 'vitest';
import { SegmentLog } from '../../../gateway/buffer/segment-log.ts';
import type { Aggregate } from '../../../gateway/core/result.ts';
import { type Sink, SinkError } from '../../../gateway/core/sink.ts';
import { DeadLetters } from '../../../gateway/runtime/dead-letters.ts';
import { Forwarder } from '../../../gateway/runtime/forwarder.ts';
import { encodeResults } from '../../../gateway/runtime/result-codec.ts';
import { resultThinner } from '../../../gateway/runtime/result-thinner.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { recordingLogger } from '../../recording-logger.ts';

const never = new AbortController().signal;
const RUNS = 25;
const STEPS = 60;
const WINDOWS = 40;

/** A forwarder on real logs, whose disk loses power or its process at any moment, and a sink that keeps what was written last. */
class Box {
  readonly random: () => number;
  readonly disk: FaultyDisk;
  readonly clock = new ManualClock();
  /** The revision of each window that was written last. */
  readonly stored = new Map<number, number>();
  /** The highest that was made. */
  readonly appended = new Map<number, number>();
  /** The highest that was promised to be kept. */
  readonly promised = new Map<number, number>();
  /** Windows of which a full log may have dropped a result. */
  readonly dropped = new Set<number>();
  readonly #windowsOf = new Map<number, readonly number[]>();
  readonly #maxBytes: number;
  readonly #whenFull: 'drop-oldest' | 'thin';
  #life = 0;
  #away = false;
  #logs!: { readonly alarmOutbox: SegmentLog; readonly outbox: SegmentLog; readonly deadLetters: SegmentLog };
  forwarder!: Forwarder;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.disk = new FaultyDisk(this.random);
    this.#maxBytes = this.random() < 0.4 ? 2 ** 30 : 64 * 1024;
    this.#whenFull = this.random() < 0.5 ? 'drop-oldest' : 'thin';
  }

  async boot(): Promise<void> {
    const life = ++this.#life;
    this.#logs = {
      alarmOutbox: this.#log('alarms'),
      outbox: this.#log('outbox'),
      deadLetters: this.#log('dead-letters'),
    };
    for (const log of Object.values(this.#logs)) await log.start(never);
    const { alarmOutbox, outbox } = this.#logs;
    const deadLetters = new DeadLetters(this.#logs.deadLetters, this.clock);
    const order = this.random() < 0.8 ? 'newest-first' : 'in-order';
    this.forwarder = new Forwarder(
      {
        sink: this.#sink(life),
        alarmOutbox,
        outbox,
        deadLetters,
        clock: this.clock,
        random: this.random,
        logger: recordingLogger(),
      },
      { maxItems: 8, lingerMs: 0, catchUp: { order, maxPerSecond: 4 } },
    );
    await this.forwarder.start(never);
    await settle();
  }

  async step(): Promise<void> {
    const dice = this.random();
    if (dice < 0.5) await this.#put();
    else if (dice < 0.6) this.#away = !this.#away;
    else if (dice < 0.8) await this.clock.advance(this.random() * 20_000);
    else if (dice < 0.87) await this.#logs.outbox.trim(this.forwarder.positions.others);
    else if (dice < 0.92) await this.#crash(() => this.disk.kill());
    else if (dice < 0.97) await this.#crash(() => this.disk.cutPower());
    else await this.#restart();
  }

  async drain(): Promise<void> {
    this.#away = false;
    for (let round = 0; round < 2_000 && this.forwarder.status().ledger.pending > 0; round++)
      await this.clock.advance(1_000);
  }

  async stop(): Promise<void> {
    await this.forwarder.stop(never);
    for (const log of Object.values(this.#logs)) await log.stop(never);
  }

  get lostItems(): number {
    const { droppedItems, damagedItems } = this.#logs.outbox.status();
    return droppedItems + damagedItems;
  }

  async #restart(): Promise<void> {
    await this.stop();
    await this.boot();
  }

  /** At a random moment: something may be on its way to the disk. */
  async #crash(how: () => void): Promise<void> {
    const { outbox } = this.#logs;
    if (this.random() < 0.7) {
      this.#append(outbox);
      // It never becomes durable, or only after the crash.
      outbox.commit().catch(() => undefined);
    }
    for (let turns = Math.floor(this.random() * 30); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
    how();
    const [deadLogs, dead] = [this.#logs, this.forwarder];
    await this.boot();
    // Else they would try for ever, each time that the clock goes on.
    for (const log of Object.values(deadLogs)) await log.stop(AbortSignal.abort());
    await dead.stop(never);
  }

  async #put(): Promise<void> {
    const { outbox } = this.#logs;
    const put: (readonly number[])[] = [];
    for (let records = 1 + Math.floor(this.random() * 6); records > 0; records--) put.push(this.#append(outbox));
    const revisions = new Map(put.flat().map((window) => [window, this.appended.get(window)!]));
    await outbox.commit();
    for (const [window, revision] of revisions) this.promised.set(window, revision);
    await settle();
  }

  #append(outbox: SegmentLog): readonly number[] {
    const windows = Array.from(
      { length: 1 + Math.floor(this.random() * 4) },
      () => Math.floor(this.random() * WINDOWS) * 60_000,
    );
    const results = windows.map((window) => this.#next(window));
    this.#windowsOf.set(outbox.append(encodeResults(results), results.length), windows);
    return windows;
  }

  #next(start: number): Aggregate {
    const revision = (this.appended.get(start) ?? -1) + 1;
    this.appended.set(start, revision);
    const series = { key: 'd/m', device: 'd', metric: 'm', tags: { filling: 'x'.repeat(400) } };
    const end = start + 60_000;
    return { kind: 'aggregate', series, window: 'w', start, end, revision, fields: { count: 1 }, good: 1 };
  }

  #log(name: string): SegmentLog {
    return new SegmentLog({
      path: `/${name}`,
      disk: this.disk.mount(),
      clock: this.clock,
      random: this.random,
      logger: recordingLogger(),
      sync: 'always',
      maxBytes: this.#maxBytes,
      segmentBytes: 4 * 1024,
      whenFull: this.#whenFull,
      thinner: resultThinner(() => 60_000),
      onDropped: ({ firstOffset, endOffset }) => {
        for (let offset = firstOffset; offset < endOffset; offset++) {
          for (const window of this.#windowsOf.get(offset) ?? []) this.dropped.add(window);
        }
      },
    });
  }

  #sink(life: number): Sink {
    return {
      name: 'influx',
      type: 'test',
      start: async () => {},
      stop: async () => {},
      write: async (batch) => {
        if (life !== this.#life || this.#away) throw new SinkError('away', { kind: 'transient' });
        for (const result of batch) if (result.kind === 'aggregate') this.stored.set(result.start, result.revision);
        return [];
      },
    };
  }
}

test('whenever power or process end, the sink has the last revision of everything promised, and its ledger balances', async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  for (let seed = first; seed < first + RUNS; seed++) {
    const box = new Box(seed);
    await box.boot();
    for (let step = 0; step < STEPS; step++) {
      await box.step();
      expect(box.forwarder.status().ledger.imbalance, `seed ${seed}, step ${step}`).toBe(0);
    }
    await box.drain();
    const { pending, dropped, imbalance } = box.forwarder.status().ledger;
    expect({ pending, imbalance }, `seed ${seed}`).toEqual({ pending: 0, imbalance: 0 });
    expect(dropped, `seed ${seed}`).toBeLessThanOrEqual(box.lostItems);
    for (const [window, revision] of box.promised) {
      if (box.dropped.has(window)) continue;
      expect(box.stored.get(window), `seed ${seed}, ${window}`).toBeGreaterThanOrEqual(revision);
      expect(box.stored.get(window), `seed ${seed}, ${window}`).toBeLessThanOrEqual(box.appended.get(window)!);
    }
    await box.stop();
  }
}, 120_000);
