import type { Aggregate, Result } from '../../../gateway/core/result.ts';
import { type Rejection, type Sink, SinkError } from '../../../gateway/core/sink.ts';
import { DeadLetters } from '../../../gateway/runtime/dead-letters.ts';
import { Forwarder, type ForwarderOptions } from '../../../gateway/runtime/forwarder.ts';
import { encodeResults } from '../../../gateway/runtime/result-codec.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { alarm } from '../sinks/results.ts';

const never = new AbortController().signal;

/** The error of a sink that cannot be reached. */
export const AWAY = new SinkError('connect ECONNREFUSED', { kind: 'transient' });

/** The window that begins at `start`. */
export function aggregate(start: number, revision = 0): Aggregate {
  const series = { key: 'd/m', device: 'd', metric: 'm', tags: {} };
  return { kind: 'aggregate', series, window: 'w', start, end: start + 1, revision, fields: { count: 1 }, good: 1 };
}

/** A forwarder between logs in memory and a sink that a test commands. */
export class ForwarderRig {
  readonly clock = new ManualClock();
  alarmOutbox = new MemoryLog();
  outbox = new MemoryLog();
  deadLetterLog = new MemoryLog();
  /** What the sink was given and took, batch by batch. */
  readonly batches: (readonly Result[])[] = [];
  /** What the sink answers to every batch while it is set. */
  fail: Error | undefined;
  /** Why the sink refuses a result for ever. */
  refuse: (result: Result) => string | undefined = () => undefined;
  forwarder!: Forwarder;
  readonly #options: ForwarderOptions;

  constructor(change: Partial<ForwarderOptions> = {}) {
    const catchUp = { order: 'newest-first', maxPerSecond: 1_000 } as const;
    this.#options = { maxItems: 100, lingerMs: 0, catchUp, ...change };
  }

  get deadLetters(): DeadLetters {
    return new DeadLetters(this.deadLetterLog, this.clock);
  }

  /** A forwarder for what lies in the logs, started. */
  async boot(): Promise<void> {
    const { alarmOutbox, outbox, deadLetters, clock } = this;
    const parts = { sink: this.#sink(), alarmOutbox, outbox, deadLetters, clock, random: () => 0.5 };
    this.forwarder = new Forwarder({ ...parts, logger: recordingLogger() }, this.#options);
    await this.forwarder.start(never);
    await settle();
  }

  /** The process ends at once, and another one takes over what is durable. */
  async crash(): Promise<void> {
    this.alarmOutbox = this.alarmOutbox.afterCrash();
    this.outbox = this.outbox.afterCrash();
    this.deadLetterLog = this.deadLetterLog.afterCrash();
    await this.boot();
  }

  async stop(): Promise<void> {
    await this.forwarder.stop(never);
  }

  /** Appends a record with the first revisions of windows. */
  async put(...starts: number[]): Promise<void> {
    await this.putResults(...starts.map((start) => aggregate(start)));
  }

  /** Appends a record of results. */
  async putResults(...results: Result[]): Promise<void> {
    this.outbox.append(encodeResults(results), results.length);
    await this.outbox.commit();
    await settle();
  }

  /** Appends `count` records, each of one window, from `from` on. */
  async putMany(from: number, count: number): Promise<void> {
    for (let start = from; start < from + count; start++) this.outbox.append(encodeResults([aggregate(start)]), 1);
    await this.outbox.commit();
    await settle();
  }

  /** Appends an alarm to their outbox. */
  async putAlarm(raisedAt: number): Promise<void> {
    this.alarmOutbox.append(encodeResults([alarm({ raisedAt })]), 1);
    await this.alarmOutbox.commit();
    await settle();
  }

  /** The sink is back, and has just taken the first batch. */
  async comeBack(): Promise<void> {
    this.fail = undefined;
    const before = this.batches.length;
    for (let round = 0; round < 1_000 && this.batches.length === before; round++) await this.clock.advance(100);
  }

  /** Starts of the windows that the sink took, in order; times of alarms, negative. */
  taken(): number[] {
    return this.batches.flat().map((result) => (result.kind === 'aggregate' ? result.start : -result.time));
  }

  #sink(): Sink {
    const mine = this.outbox;
    return {
      name: 'influx',
      type: 'test',
      start: async () => {},
      stop: async () => {},
      stores: (result) => result.kind === 'aggregate' || result.state !== 'acknowledged',
      write: async (batch) => {
        // What a process that crashed had still under way must not come back.
        if (mine !== this.outbox) throw AWAY;
        if (this.fail !== undefined) throw this.fail;
        this.batches.push(batch);
        return batch.flatMap((result): Rejection[] => {
          const reason = this.refuse(result);
          return reason === undefined ? [] : [{ result, reason }];
        });
      },
    };
  }
}

/** A rig with a forwarder that runs. */
export async function startRig(change: Partial<ForwarderOptions> = {}): Promise<ForwarderRig> {
  const rig = new ForwarderRig(change);
  await rig.boot();
  return rig;
}

/** Lets the readers of a log fail for as long as `refuses` is set. */
export function refusingReads(log: MemoryLog): { refuses: boolean } {
  const disk = { refuses: false };
  const reader = log.reader.bind(log);
  log.reader = (from) => {
    const healthy = reader(from);
    const read = healthy.read.bind(healthy);
    healthy.read = async (maxBytes) => {
      if (disk.refuses) throw new Error('EIO: i/o error, read');
      return await read(maxBytes);
    };
    return healthy;
  };
  return disk;
}
