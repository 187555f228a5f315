import { expect, test } from 'vitest';
import { type Sink, SinkError } from '../../../gateway/core/sink.ts';
import { DeadLetters } from '../../../gateway/runtime/dead-letters.ts';
import { Forwarder } from '../../../gateway/runtime/forwarder.ts';
import { encodeResults } from '../../../gateway/runtime/result-codec.ts';
import { ManualClock } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { seededRandom } from '../detect/seeded-random.ts';
import { aggregate } from './forwarder-rig.ts';

const never = new AbortController().signal;
const GATEWAYS = 100;
const seed = Math.floor(Math.random() * 2 ** 31);

interface Attempt {
  readonly atMs: number;
  readonly gateway: number;
}

/** A hundred gateways that lose one server at the same moment, and find it again at the same moment. */
class Fleet {
  readonly clock = new ManualClock();
  readonly attempts: Attempt[] = [];
  /** What the server answers while it is set. */
  answer: SinkError | undefined;
  readonly #forwarders: Forwarder[] = [];
  readonly #outboxes: MemoryLog[] = [];

  async start(): Promise<void> {
    for (let gateway = 0; gateway < GATEWAYS; gateway++) {
      const outbox = new MemoryLog();
      const parts = {
        sink: this.#sink(gateway),
        alarmOutbox: new MemoryLog(),
        outbox,
        deadLetters: new DeadLetters(new MemoryLog(), this.clock),
        clock: this.clock,
        random: seededRandom(seed + gateway),
        logger: recordingLogger(),
      };
      const catchUp = { order: 'newest-first', maxPerSecond: 20_000 } as const;
      const forwarder = new Forwarder(parts, { maxItems: 5_000, lingerMs: 0, catchUp });
      this.#outboxes.push(outbox);
      this.#forwarders.push(forwarder);
      await forwarder.start(never);
    }
  }

  /** Every gateway has something to send, at the very same moment. */
  async produce(start: number): Promise<void> {
    for (const outbox of this.#outboxes) {
      outbox.append(encodeResults([aggregate(start)]), 1);
      await outbox.commit();
    }
    await this.clock.advance(0);
  }

  async stop(): Promise<void> {
    for (const forwarder of this.#forwarders) await forwarder.stop(never);
  }

  get pending(): number {
    return this.#forwarders.reduce((sum, forwarder) => sum + forwarder.status().ledger.pending, 0);
  }

  /** The most attempts in any span of so many milliseconds, of those from a time on. */
  most(spanMs: number, fromMs: number): number {
    const times = this.attempts.map(({ atMs }) => atMs).filter((atMs) => atMs >= fromMs);
    return Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + spanMs).length));
  }

  #sink(gateway: number): Sink {
    return {
      name: 'influx',
      type: 'test',
      start: async () => {},
      stop: async () => {},
      write: async () => {
        this.attempts.push({ atMs: this.clock.monotonicMs(), gateway });
        if (this.answer !== undefined) throw this.answer;
        return [];
      },
    };
  }
}

test.each([
  ['cannot be reached', new SinkError('ECONNREFUSED', { kind: 'transient' }), 300_000],
  ['asks all for the same patience', new SinkError('429', { kind: 'transient', retryAfterMs: 60_000 }), 61_000],
  ['had the wrong password', new SinkError('401', { kind: 'configuration' }), 100_000],
])('a hundred gateways return to a server that %s, and never all at once', async (_, answer, outageMs) => {
  const fleet = new Fleet();
  await fleet.start();
  fleet.answer = answer;
  await fleet.produce(0);
  expect(fleet.attempts, `seed ${seed}`).toHaveLength(GATEWAYS);
  await fleet.clock.advance(outageMs - 1_000);
  const backMs = fleet.clock.monotonicMs();
  fleet.answer = undefined;
  await fleet.clock.advance(100_000);
  expect(fleet.pending).toBe(0);
  // Spread evenly over at least ten seconds these are ten a second; thirty are less likely than once in a hundred thousand.
  expect(fleet.most(1_000, backMs), `seed ${seed}`).toBeLessThan(30);
  await fleet.stop();
});

test('while a server is away each gateway tries it about every fifteen seconds, no more', async () => {
  const fleet = new Fleet();
  await fleet.start();
  fleet.answer = new SinkError('ECONNREFUSED', { kind: 'transient' });
  await fleet.produce(0);
  await fleet.clock.advance(60_000);
  const before = fleet.attempts.length;
  await fleet.clock.advance(600_000);
  expect((fleet.attempts.length - before) / GATEWAYS, `seed ${seed}`).toBeLessThan(60);
  expect((fleet.attempts.length - before) / GATEWAYS, `seed ${seed}`).toBeGreaterThan(25);
  await fleet.stop();
});
