import { beforeEach, expect, test } from 'vitest';
import { Backfill } from '../../../../gateway/commands/replay/backfill.ts';
import type { Clock } from '../../../../gateway/core/clock.ts';
import { type Result, resultId } from '../../../../gateway/core/result.ts';
import { type Rejection, type Sink, SinkError } from '../../../../gateway/core/sink.ts';
import { aggregate, alarm, T0 } from '../../sinks/results.ts';

/** Each sleep is over at once; what it was long counts. */
class LeapingClock implements Clock {
  sleptMs: number[] = [];
  now(): number {
    return T0 + this.monotonicMs();
  }
  monotonicMs(): number {
    return this.sleptMs.reduce((sum, ms) => sum + ms, 0);
  }
  async sleep(ms: number): Promise<void> {
    this.sleptMs.push(ms);
  }
}

let clock: LeapingClock;
let told: string[];
let batches: (readonly Result[])[];
let answer: (batch: readonly Result[]) => readonly Rejection[];

beforeEach(() => {
  clock = new LeapingClock();
  [told, batches] = [[], []];
  answer = () => [];
});

const sink: Sink = {
  name: 'influx',
  type: 'influxdb',
  stores: (result) => result.kind === 'aggregate' || result.state !== 'acknowledged',
  start: async () => undefined,
  stop: async () => undefined,
  write: async (batch) => {
    batches.push(batch);
    return answer(batch);
  },
};
const transient = () => new SinkError('nobody answers', { kind: 'transient' });
const results = (count: number) => Array.from({ length: count }, (_, i) => aggregate({ start: T0 + i * 60_000 }));

function backfill(signal = new AbortController().signal): Backfill {
  const parts = { clock, random: () => 0.5, tell: (line: string) => told.push(line), signal };
  return new Backfill({ sink, options: { maxItems: 10, lingerMs: 0 } }, parts);
}

test('results go in order, in batches', async () => {
  const filling = backfill();
  await filling.write(results(7));
  await filling.write(results(25).slice(7));
  await filling.finish();
  expect(batches.map((batch) => batch.length)).toEqual([10, 10, 5]);
  expect(batches.flat()).toEqual(results(25));
  expect(filling.summary()).toBe('influx: 25 results stored, 0 refused');
});

test('a sink that is away is waited for, in smaller batches until it is back, and told of once', async () => {
  let failures = 3;
  answer = () => {
    if (failures-- > 0) throw transient();
    return [];
  };
  const filling = backfill();
  await filling.write(results(10));
  await filling.finish();
  expect(batches.map((batch) => batch.length)).toEqual([10, 5, 2, 1, 2, 4, 3]);
  expect(batches.slice(3).flat()).toEqual(results(10));
  expect(clock.sleptMs).toEqual([250, 500, 1000]);
  expect(told).toEqual(['influx: nobody answers; trying again']);
  expect(filling.stored).toBe(10);
});

test('a wait that the sink asks for is kept', async () => {
  let failures = 1;
  answer = () => {
    if (failures-- > 0) throw new SinkError('busy', { kind: 'transient', retryAfterMs: 7_000 });
    return [];
  };
  const filling = backfill();
  await filling.write(results(10));
  await filling.finish();
  expect(clock.sleptMs).toEqual([7_000]);
});

test('what is refused for ever is counted and named, the first ten of them', async () => {
  answer = (batch) => batch.slice(0, 4).map((result) => ({ result, reason: 'of another type' }));
  const filling = backfill();
  await filling.write(results(30));
  await filling.finish();
  expect(filling.refused).toBe(12);
  const [counts, first, ...others] = filling.summary().split('\n');
  expect(counts).toBe('influx: 18 results stored, 12 refused');
  expect(first).toBe(`${resultId(results(1)[0]!)}: of another type`);
  expect(others).toHaveLength(10);
  expect(others.at(-1)).toBe('and 2 more');
});

test('what has no place in the sink is not sent', async () => {
  const filling = backfill();
  await filling.write([aggregate(), alarm({ state: 'acknowledged' })]);
  await filling.finish();
  expect(filling.summary()).toBe('influx: 1 result stored, 0 refused, 1 that it does not store');
});

test('what a person must mend ends it, with how far it came', async () => {
  answer = () => {
    if (batches.length > 1) throw new SinkError('no database "plant"', { kind: 'configuration' });
    return [];
  };
  const filling = backfill();
  await filling.write(results(20));
  await expect(filling.finish()).rejects.toMatchObject({
    message: 'Cannot write to influx: no database "plant"',
    hint: expect.stringContaining('10 results stored'),
  });
  expect(clock.sleptMs).toEqual([]);
});

test('a sink that is away for ten minutes ends it', async () => {
  answer = () => {
    throw transient();
  };
  const filling = backfill();
  await filling.write(results(10));
  await expect(filling.finish()).rejects.toThrow('Cannot write to influx: nobody answers');
  expect(clock.monotonicMs()).toBeGreaterThan(600_000);
  expect(clock.monotonicMs()).toBeLessThan(660_000);
});

test('a fault of ours is not taken for one of the sink', async () => {
  const fault = new TypeError('x is not a function');
  answer = () => {
    throw fault;
  };
  const filling = backfill();
  await filling.write(results(10));
  await expect(filling.finish()).rejects.toBe(fault);
});

test('who asks it to end waits for no sink', async () => {
  const controller = new AbortController();
  answer = () => {
    controller.abort();
    throw transient();
  };
  const filling = backfill(controller.signal);
  await filling.write(results(30));
  await filling.finish();
  expect(batches).toHaveLength(1);
  expect(filling.stored).toBe(0);
});
