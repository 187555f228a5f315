import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TimeServiceAnswer } from '../../../gateway/base/time-service.ts';
import type { Aggregate } from '../../../gateway/core/result.ts';
import { RELEASED } from '../../../gateway/runtime/clock-keeper.ts';
import { imbalance } from '../../../gateway/runtime/ledger.ts';
import { ManualClock } from '../../manual-clock.ts';
import { type Box, CHECKPOINT_EVERY_MS, newBox, START } from './box.ts';

/** The true time when a box without a clock is switched on. */
const TRUTH = START;
const UNSYNCHRONISED: TimeServiceAnswer = { state: 'unsynchronised', source: 'timedatectl' };
const UNKNOWN: TimeServiceAnswer = { state: 'unknown', source: 'nobody' };
const SYNCHRONISED: TimeServiceAnswer = { state: 'synchronised', source: 'timedatectl' };

/** A box that was switched on at `TRUTH`, twenty seconds ago, and thinks that it is 1970. */
async function clocklessBox(answer = UNSYNCHRONISED): Promise<Box> {
  const box = await newBox();
  box.clock = new ManualClock(20_000, 20_000);
  box.ask = async () => answer;
  return box;
}

/** The time service sets the clock right, and the gateway learns of it. */
async function setRight(box: Box): Promise<void> {
  box.clock.jump(TRUTH + box.clock.monotonicMs() - box.clock.now());
  box.ask = async () => SYNCHRONISED;
  await box.clock.advance(21_000);
}

async function send(box: Box, value: number, time?: number, metric = 'b'): Promise<void> {
  box.send({ metric, value, time });
  await box.acknowledged();
}

/** A reading every second; the value is the true second since the box was switched on. */
async function sendFor(box: Box, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    await send(box, box.clock.monotonicMs() / 1_000);
    await box.clock.advance(1_000);
  }
}

/** What every minute holds: the last value, and how many. */
function minutes(box: Box): unknown[] {
  const latest = new Map<number, unknown>();
  for (const result of box.stored()) {
    if (result.kind !== 'aggregate' || result.window !== 'm') continue;
    const { start, fields, good } = result as Aggregate;
    latest.set(start, { minute: (start - TRUTH) / 60_000, count: fields['count'], last: fields['last'], good });
  }
  return [...latest.values()];
}

async function stop(box: Box): Promise<void> {
  expect(imbalance(box.gateway.status().ledger)).toBe(0);
  await box.stop();
}

test('readings without a time are acknowledged, shown and kept aside, and have their true times once those are known', async () => {
  const box = await clocklessBox();
  await box.boot();
  await sendFor(box, 30);
  const status = box.gateway.status();
  expect(status.clock).toMatchObject({ state: 'unset', provisionalReadings: 30, markedTotal: 0 });
  expect(status.ledger).toMatchObject({ received: 30, inFlight: 30 });
  expect(box.gateway.readings({ series: 'd/b', limit: 100 })).toHaveLength(30);
  expect(minutes(box)).toEqual([]);
  await setRight(box);
  await box.clock.advance(120_000);
  expect(minutes(box)).toEqual([{ minute: 0, count: 30, last: 49, good: 1 }]);
  expect(box.gateway.readings({ series: 'd/b', limit: 1 })).toMatchObject([
    { sourceTime: TRUTH + 49_000, quality: 'good' },
  ]);
  const after = box.gateway.status();
  expect(after.clock).toMatchObject({ state: 'synchronised', provisionalReadings: 0, markedTotal: 0 });
  expect(after.ledger).toMatchObject({ received: 30, aggregated: 30, inFlight: 0 });
  await stop(box);
});

test('an estimated time is never before the latest that was known, nor 1970', async () => {
  const box = await clocklessBox();
  await box.boot();
  await send(box, 1);
  const [first] = box.gateway.readings({ series: 'd/b', limit: 1 })!;
  expect(first!.sourceTime).toBe(RELEASED);
  await setRight(box);
  await send(box, 2);
  const { sourceTime: known } = box.gateway.readings({ series: 'd/b', limit: 1 })![0]!;
  // Switched off and on: the box has no battery.
  await box.die(3_000);
  box.clock = new ManualClock(3_000, 3_000);
  box.bootId = 'second boot';
  box.ask = async () => UNSYNCHRONISED;
  await box.boot();
  await send(box, 3);
  expect(box.gateway.readings({ series: 'd/b', limit: 1 })![0]!.sourceTime).toBe(known);
  await stop(box);
});

test('readings with a time of their own do not wait, and their windows close', async () => {
  const box = await clocklessBox();
  await box.boot();
  for (let second = 0; second < 130; second++) await send(box, second, TRUTH + second * 1_000);
  await box.clock.advance(1_000);
  expect(minutes(box)).toMatchObject([
    { minute: 0, count: 60 },
    { minute: 1, count: 60 },
  ]);
  expect(box.gateway.status()).toMatchObject({ clock: { provisionalReadings: 0 }, ledger: { aggregated: 130 } });
  await stop(box);
});

test('56 years are no time: they end no window of a device that is at work', async () => {
  const box = await clocklessBox();
  await box.boot();
  for (let second = 0; second < 30; second++) {
    await send(box, second, TRUTH + second * 1_000);
    await box.clock.advance(1_000);
  }
  box.clock.jump(TRUTH + 50_000 - box.clock.now());
  box.ask = async () => SYNCHRONISED;
  for (let second = 30; second < 55; second++) {
    await send(box, second, TRUTH + second * 1_000);
    await box.clock.advance(1_000);
  }
  expect(box.gateway.status().clock.state).toBe('synchronised');
  expect(minutes(box)).toEqual([]);
  await stop(box);
});

test.each(['with a checkpoint', 'without'])(
  'a crash in between, %s, loses none, and the boot they share puts all right',
  async (how) => {
    const box = await clocklessBox();
    await box.boot();
    await sendFor(box, 15);
    if (how === 'with a checkpoint') await box.untilCheckpoint();
    else await box.clock.advance(CHECKPOINT_EVERY_MS / 2);
    await sendFor(box, 5);
    const begun = box.clock.monotonicMs() / 1_000;
    await box.crash();
    expect(box.gateway.status()).toMatchObject({
      clock: { provisionalReadings: 20 },
      ledger: { received: 20, inFlight: 20 },
    });
    expect(box.gateway.readings({ series: 'd/b', limit: 100 })).toHaveLength(20);
    await sendFor(box, 5);
    await setRight(box);
    await box.crash();
    await box.clock.advance(120_000);
    const values = [...Array(15).keys()].map((i) => 20 + i).concat([...Array(5).keys()].map((i) => begun - 5 + i));
    expect(minutes(box)).toEqual(expectedMinutes([...values, ...[...Array(5).keys()].map((i) => begun + i)]));
    const { ledger, clock } = box.gateway.status();
    expect(ledger).toMatchObject({ received: 25, aggregated: 25, inFlight: 0 });
    expect(clock.markedTotal).toBe(0);
    await stop(box);
  },
);

/** Of values that are the second of their reading. */
function expectedMinutes(values: readonly number[]): unknown[] {
  const minutes = Map.groupBy(values, (value) => Math.floor(value / 60));
  return [...minutes].map(([minute, seconds]) => ({ minute, count: seconds.length, last: seconds.at(-1), good: 1 }));
}

test('readings of another boot cannot be put right: they keep their estimates, and are uncertain and counted', async () => {
  const box = await clocklessBox();
  await box.boot();
  await sendFor(box, 5);
  await box.die(0);
  box.clock = new ManualClock(0, 0);
  box.bootId = 'second boot';
  await box.boot();
  await sendFor(box, 4);
  await setRight(box);
  await box.clock.advance(120_000);
  const { ledger, clock } = box.gateway.status();
  expect(clock).toMatchObject({ provisionalReadings: 0, markedTotal: 5 });
  expect(ledger).toMatchObject({ received: 9, aggregated: 9, inFlight: 0 });
  expect(minutes(box)).toMatchObject([
    { minute: (RELEASED - TRUTH) / 60_000, count: 5, good: 0 },
    { minute: 0, count: 4, good: 1 },
  ]);
  await stop(box);
});

test('readings of another boot whose estimates are ahead of the time that is known then hold up no window', async () => {
  const box = await newBox();
  box.clock = new ManualClock(TRUTH + 7_200_000, 0);
  box.ask = async () => UNKNOWN;
  await box.boot();
  await send(box, 1);
  // Somebody had set the clock two hours ahead, then the power failed twice.
  for (const bootId of ['second boot', 'third boot']) {
    await box.die(1_000);
    box.clock = new ManualClock(1_000, 1_000);
    box.bootId = bootId;
    box.ask = async () => UNSYNCHRONISED;
    await box.boot();
    await send(box, 2);
  }
  await setRight(box);
  expect(box.gateway.status().clock).toMatchObject({ state: 'synchronised', markedTotal: 1 });
  await send(box, 3, TRUTH + 30_000, 'a');
  await box.clock.advance(180_000);
  expect(minutes(box)).toContainEqual({ minute: 0, count: 1, last: 3, good: 1 });
  await stop(box);
});

test('a clock that is never set is waited for only so long: readings are uncertain then, and windows close', async () => {
  const box = await clocklessBox();
  await box.boot();
  await sendFor(box, 119);
  expect(minutes(box)).toEqual([]);
  await sendFor(box, 121);
  const { clock, ledger } = box.gateway.status();
  expect(clock).toMatchObject({ state: 'unset', provisionalReadings: 0, markedTotal: 240 });
  expect(ledger).toMatchObject({ received: 240, aggregated: 240 });
  expect(minutes(box)).toMatchObject([{ count: 60, good: 0 }, { count: 60 }, { count: 60 }]);
  expect(box.logLines()).toContainEqual(expect.stringContaining('are marked as uncertain'));
  // It comes late, but it comes.
  await setRight(box);
  await sendFor(box, 70);
  expect(box.gateway.status()).toMatchObject({
    clock: { state: 'synchronised', markedTotal: 240 },
    ledger: { late: 0 },
  });
  await stop(box);
});

test('a plausible clock that a time service is at work on is waited for, then believed', async () => {
  const box = await clocklessBox();
  box.clock = new ManualClock(TRUTH, 0);
  await box.boot();
  await sendFor(box, 100);
  expect(box.gateway.status().clock).toMatchObject({ state: 'waiting', provisionalReadings: 100 });
  await sendFor(box, 50);
  expect(box.gateway.status().clock).toMatchObject({ state: 'believed', provisionalReadings: 0, markedTotal: 0 });
  expect(box.gateway.status().ledger).toMatchObject({ aggregated: 150 });
  await stop(box);
});

test('a clock that has to be synchronised is waited for without end', async () => {
  const box = await clocklessBox({ state: 'unknown', source: 'nobody' });
  box.clock = new ManualClock(TRUTH, 0);
  box.sync = 'required';
  await box.boot();
  await sendFor(box, 130);
  expect(box.gateway.status().clock).toMatchObject({ state: 'waiting', provisionalReadings: 130 });
  await setRight(box);
  expect(box.gateway.status().clock).toMatchObject({ state: 'synchronised', provisionalReadings: 0 });
  await stop(box);
});

test('where nobody is asked, a clock that may be right is believed, even behind what was known', async () => {
  const box = await clocklessBox();
  box.clock = new ManualClock(TRUTH, 0);
  box.sync = 'ignore';
  await box.boot();
  await sendFor(box, 5);
  await box.die();
  box.clock.jump(-3_600_000);
  await box.boot();
  expect(box.gateway.status().clock).toMatchObject({ state: 'believed', steppedTotal: 1, provisionalReadings: 0 });
  await stop(box);
});

test('a clock behind what was known before the restart is not believed before a time service has set it', async () => {
  const box = await clocklessBox({ state: 'unknown', source: 'nobody' });
  box.clock = new ManualClock(TRUTH, 0);
  await box.boot();
  await sendFor(box, 5);
  await box.die(0);
  box.bootId = 'second boot';
  box.clock.jump(-3_600_000);
  await box.boot();
  expect(box.gateway.status().clock).toMatchObject({ state: 'unset' });
  await send(box, 6);
  expect(box.gateway.readings({ series: 'd/b', limit: 1 })![0]!.sourceTime).toBeGreaterThanOrEqual(TRUTH + 4_000);
  box.ask = async () => SYNCHRONISED;
  await box.clock.advance(21_000);
  expect(box.gateway.status().clock).toMatchObject({ state: 'synchronised', provisionalReadings: 0 });
  await stop(box);
});

test('a question that is never answered holds nothing up', async () => {
  const box = await clocklessBox();
  box.clock = new ManualClock(TRUTH, 0);
  box.ask = (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(UNKNOWN)));
  await box.boot();
  expect(box.gateway.notReady()).toEqual([]);
  await send(box, 1);
  expect(box.gateway.status().clock).toMatchObject({ state: 'waiting', provisionalReadings: 1 });
  await box.clock.advance(121_000);
  expect(box.gateway.status().clock).toMatchObject({ state: 'believed', provisionalReadings: 0 });
  await stop(box);
});

test('a time ahead of the clock is judged only when the clock is known', async () => {
  const box = await clocklessBox();
  await box.boot();
  await send(box, 1, TRUTH);
  expect(box.gateway.status().deviceClocks).toMatchObject({ restampedTotal: 0 });
  await setRight(box);
  await send(box, 1, TRUTH + 365 * 86_400_000);
  expect(box.gateway.status().deviceClocks).toMatchObject({ restampedTotal: 1 });
  expect(box.gateway.status().ledger).toMatchObject({ received: 2, rejected: 0 });
  await stop(box);
});

type Step =
  | { readonly do: 'send'; readonly own: boolean; readonly metric: 'a' | 'b' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'set right' }
  | { readonly do: 'crash' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      own: fc.boolean(),
      metric: fc.constantFrom('a' as const, 'b' as const),
    }),
  },
  // No sum of these comes near the five seconds after which a series is silent.
  { weight: 4, arbitrary: fc.constantFrom(1_100, 3_300, 12_100).map((ms) => ({ do: 'wait', ms }) as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'set right' } as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'crash' } as const) },
);

test('crashes at any point of a boot without a clock change no window, no alarm and no count', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (plan) => {
      const whole = await run(plan.filter((one) => one.do !== 'crash'));
      const crashed = await run(plan);
      expect(crashed).toEqual(whole);
    }),
    { numRuns: 40 },
  );
});

async function run(plan: readonly Step[]) {
  const box = await clocklessBox();
  await box.boot();
  let sent = 0;
  for (const one of plan) {
    if (one.do === 'wait') await box.clock.advance(one.ms);
    else if (one.do === 'crash') await box.crash();
    else if (one.do === 'set right') await setRight(box);
    else await send(box, sent++ * 11, one.own ? TRUTH + box.clock.monotonicMs() : undefined, one.metric);
  }
  await setRight(box);
  await box.clock.advance(120_000);
  const { ledger, clock } = box.gateway.status();
  await stop(box);
  const { provisionalReadings, markedTotal } = clock;
  return { results: box.latest(), ledger, provisionalReadings, markedTotal };
}
