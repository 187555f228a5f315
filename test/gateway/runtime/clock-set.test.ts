import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Aggregate } from '../../../gateway/core/result.ts';
import { imbalance } from '../../../gateway/runtime/ledger.ts';
import { settle } from '../../manual-clock.ts';
import { type Box, bootedBox, CHECKPOINT_EVERY_MS, newBox, START } from './box.ts';

const HOUR_MS = 3_600_000;
/** When a box is switched on. */
const ON = START + 600_000;
/** By then a gateway that has got something has written its first checkpoint. */
const FIRST_CHECKPOINT_MS = CHECKPOINT_EVERY_MS + 2_100;

/** A reading a second of a device without a clock, while the clock goes on. */
async function sendFor(box: Box, seconds: number, metric = 'b'): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    box.send({ metric, value: 1, time: undefined });
    await box.acknowledged();
    await box.clock.advance(1_000);
  }
}

function minutes(box: Box): Aggregate[] {
  return box.stored().filter((result): result is Aggregate => result.kind === 'aggregate' && result.window === 'm');
}

/** Readings by the window they were counted in, as a sink has them at the end. */
function counted(box: Box): Map<number, number> {
  return new Map(minutes(box).map(({ start, fields }) => [start, fields['count']!]));
}

function sum(counts: Iterable<number>): number {
  return [...counts].reduce((total, count) => total + count, 0);
}

describe('a clock that is set while the gateway runs', () => {
  test.each([2 * HOUR_MS, -2 * HOUR_MS])('by %s ms is followed, counted, and told', async (byMs) => {
    const box = await bootedBox();
    await sendFor(box, 10);
    box.clock.jump(byMs);
    await sendFor(box, 10);
    expect(box.steady.now()).toBe(box.clock.now());
    const { clock } = box.gateway.status();
    expect(clock).toMatchObject({ state: 'believed', steppedTotal: 1, lastStepMs: byMs });
    expect(box.logLines()).toContain('the clock was set');
    await box.stop();
  });

  test('back while a reading waits at a swinging door leaves nothing late', async () => {
    const box = await newBox();
    box.reduce = [{ series: '*', swingingDoor: 0.5 }];
    await box.boot();
    await sendFor(box, 3);
    expect(box.gateway.status().ledger).toMatchObject({ inFlight: 1, aggregated: 1 });
    box.clock.jump(-2 * HOUR_MS);
    await sendFor(box, 10);
    await box.clock.advance(90_000);
    expect(box.gateway.status().ledger).toMatchObject({ received: 13, inFlight: 0, late: 0 });
    await box.stop();
  });

  test('by less than the time services turn it at once is no step', async () => {
    const box = await bootedBox();
    for (const byMs of [40, -40, 50]) {
      box.clock.jump(byMs);
      await box.clock.advance(1_000);
      expect(box.steady.now()).toBe(box.clock.now());
    }
    expect(box.gateway.status().clock).toMatchObject({ steppedTotal: 0, lastStepMs: null });
    await box.stop();
  });

  test('between two looks at it has no part in the times of readings', async () => {
    const box = await bootedBox();
    await box.clock.advance(500);
    box.clock.jump(HOUR_MS);
    box.send({ metric: 'b', value: 1, time: undefined });
    await box.acknowledged();
    const [reading] = box.gateway.readings({ series: 'd/b', limit: 1 })!;
    expect(reading!.sourceTime).toBe(ON + 500);
    await box.stop();
  });

  test('two hours ahead gives no window of a device that is at work before its end', async () => {
    const box = await bootedBox();
    let sent = 0;
    const send = async (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        box.send({ metric: 'b', value: 1, time: ON + sent++ * 1_000 });
        await box.acknowledged();
        await box.clock.advance(1_000);
      }
    };
    await send(30);
    box.clock.jump(2 * HOUR_MS);
    await send(40);
    // The first minute is complete, and was given once.
    expect(minutes(box).map(({ start, revision, fields }) => [start, revision, fields['count']])).toEqual([
      [ON, 0, 60],
    ]);
    await box.stop();
  });

  test('two hours back lets the windows of a device without a clock go on closing, at the new time', async () => {
    const box = await bootedBox();
    await sendFor(box, 130);
    box.clock.jump(-2 * HOUR_MS);
    await sendFor(box, 130);
    const results = minutes(box);
    expect(results.some(({ start }) => start < ON - HOUR_MS)).toBe(true);
    await box.clock.advance(60_000);
    expect(sum(counted(box).values())).toBe(260);
    expect(box.gateway.status().ledger).toMatchObject({ received: 260, aggregated: 260, late: 0 });
    await box.stop();
  });

  test('ahead and back again loses nothing: the times between have not been', async () => {
    const box = await bootedBox();
    await sendFor(box, 70);
    box.clock.jump(2 * HOUR_MS);
    await sendFor(box, 70);
    box.clock.jump(-2 * HOUR_MS);
    await sendFor(box, 200);
    await box.clock.advance(60_000);
    const { ledger } = box.gateway.status();
    expect(ledger).toMatchObject({ received: 340, aggregated: 340, late: 0 });
    // Only the window in which it was set ahead was given before the readings of the other 70 seconds.
    expect(sum(counted(box).values())).toBe(340);
    await box.stop();
  });

  test('back gives what a silent device has, which else would wait for two hours', async () => {
    const box = await bootedBox();
    await sendFor(box, 30);
    await box.clock.advance(10_000);
    expect(minutes(box)).toEqual([]);
    box.clock.jump(-2 * HOUR_MS);
    await box.clock.advance(2_000);
    expect(minutes(box).map(({ start }) => start)).toEqual([ON]);
    await box.stop();
  });

  test('back lets an alarm of a series without a clock end, and be raised anew where the trouble goes on', async () => {
    const box = await bootedBox();
    box.send({ metric: 'b', value: 500, time: undefined });
    await box.acknowledged();
    box.clock.jump(-2 * HOUR_MS);
    await box.clock.advance(1_000);
    box.send({ metric: 'b', value: 500, time: undefined });
    await box.acknowledged();
    await box.clock.advance(1_000);
    const alarms = box.stored().flatMap((result) => (result.kind === 'alarm' ? [[result.state, result.time]] : []));
    expect(alarms).toEqual([
      ['raised', ON],
      ['cleared', ON + 1],
      ['raised', ON - 2 * HOUR_MS + 1_000],
    ]);
    await box.stop();
  });

  test('back a little lets nothing be counted twice: a part of a window does not replace the whole', async () => {
    const box = await bootedBox();
    await sendFor(box, 100);
    box.clock.jump(-75_000);
    await sendFor(box, 100);
    await box.clock.advance(60_000);
    const first = minutes(box).filter(({ start }) => start === ON);
    expect(Math.max(...first.map(({ fields }) => fields['count']!))).toBe(first.at(-1)!.fields['count']);
    expect(imbalance(box.gateway.status().ledger)).toBe(0);
    await box.stop();
  });

  test('changes no age: that of the checkpoint goes on evenly', async () => {
    const box = await bootedBox();
    await sendFor(box, 1);
    await box.untilCheckpoint();
    const age = box.gateway.status().checkpoint.ageMs!;
    box.clock.jump(-2 * HOUR_MS);
    await box.clock.advance(3_000);
    expect(box.gateway.status().checkpoint.ageMs).toBe(age + 3_000);
    await box.stop();
  });

  test('to 1970 is not followed: the gateway knows better', async () => {
    const box = await bootedBox();
    box.clock.jump(-box.clock.now());
    await sendFor(box, 3);
    expect(box.steady.now()).toBe(ON + 3_000);
    expect(box.gateway.status()).toMatchObject({ clock: { state: 'unset', steppedTotal: 0, provisionalReadings: 0 } });
    await box.stop();
  });
});

describe('a crash', () => {
  test('after the clock was set finds the same results again, under the same identities', async () => {
    const box = await bootedBox();
    await sendFor(box, 70);
    box.clock.jump(2 * HOUR_MS);
    await sendFor(box, 70);
    box.clock.jump(-2 * HOUR_MS);
    await sendFor(box, 70);
    const before = identities(box);
    await box.crash();
    await box.clock.advance(1_000);
    expect(before.size).toBeGreaterThan(2);
    for (const [identity, content] of identities(box)) expect([content]).toContain(before.get(identity) ?? content);
    expect(imbalance(box.gateway.status().ledger)).toBe(0);
    await box.stop();
  });

  test.each([2 * HOUR_MS, -2 * HOUR_MS])(
    'and a clock set by %s ms meanwhile, is no time: nobody has been silent for it',
    async (byMs) => {
      const box = await bootedBox();
      for (let second = 0; second < 15; second++) {
        box.send({ metric: 'b', value: 1, time: ON + second * 1_000 + 300 });
        await box.acknowledged();
        await box.clock.advance(1_000);
      }
      await vi.waitUntil(() => box.gateway.status().checkpoint.at !== null, { timeout: 5_000 });
      await settle();
      await box.die();
      box.clock.jump(byMs);
      await box.boot();
      expect(box.gateway.status().clock).toMatchObject({ state: 'believed', steppedTotal: 1, lastStepMs: byMs });
      for (let second = 15; second < 70; second++) {
        box.send({ metric: 'b', value: 1, time: ON + second * 1_000 + 300 });
        await box.acknowledged();
        await box.clock.advance(1_000);
      }
      expect(minutes(box).map(({ start, revision, fields }) => [start, revision, fields['count']])).toEqual([
        [ON, 0, 60],
      ]);
      await box.stop();
    },
  );

  test('before any checkpoint, and a clock set back meanwhile, moves nothing that silence had led to', async () => {
    const box = await bootedBox();
    box.sync = 'ignore';
    box.send({ metric: 'b', value: 1, time: ON - 300_000 });
    await box.acknowledged();
    // Silent for long enough: its window, which has ended, is given.
    await box.clock.advance(8_000);
    expect(minutes(box)).toMatchObject([{ start: ON - 300_000, revision: 0, fields: { count: 1 } }]);
    expect(box.gateway.status().checkpoint.at).toBeNull();
    await box.die();
    box.clock.jump(-60_000);
    await box.boot();
    box.send({ metric: 'b', value: 1, time: ON - 299_000 });
    await box.acknowledged();
    await box.clock.advance(8_000);
    expect(new Set(minutes(box).map(({ revision, fields }) => `${revision}: ${fields['count']}`))).toEqual(
      new Set(['0: 1', '1: 2']),
    );
    await box.stop();
  });
});

/** Results by series, window, start and revision; throws where one of them came with two contents. */
function identities(box: Box): Map<string, string> {
  const seen = new Map<string, string>();
  for (const { start, revision, fields } of minutes(box)) {
    const identity = `${start}#${revision}`;
    const content = JSON.stringify(fields);
    expect(seen.get(identity) ?? content).toBe(content);
    seen.set(identity, content);
  }
  return seen;
}

test.each([{ crashes: false }, { crashes: true }])(
  'a wall clock set back by ten minutes holds no window of a silent device open, crash: $crashes',
  async ({ crashes }) => {
    const box = await bootedBox();
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
  | { readonly do: 'send'; readonly metric: 'b' | 'c'; readonly behind: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'set'; readonly byMs: number }
  | { readonly do: 'crash' };

// Waits that no sum of which comes near the five seconds after which a series is silent: a clock is not exact.
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      metric: fc.constantFrom('b' as const, 'c' as const),
      behind: fc.integer({ min: 0, max: 40 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(1_100, 3_300, 12_100, 66_000).map((ms) => ({ do: 'wait', ms }) as const),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(2 * HOUR_MS, -2 * HOUR_MS, 300, -300, -ON).map((byMs) => ({ do: 'set', byMs }) as const),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'crash' } as const) },
);

test('a clock that drifts, jitters and is set changes no window of a device that has one of its own', {
  timeout: 180_000,
}, async () => {
  const plans = fc.array(step, { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(plans, fc.integer({ min: -200, max: 200 }), async (plan, driftPpm) => {
      const good = await run(
        plan.filter((one) => one.do === 'send' || one.do === 'wait'),
        0,
      );
      const bad = await run(plan, driftPpm);
      expect(bad.results).toEqual(good.results);
      expect(bad.ledger).toEqual(good.ledger);
      expect(imbalance(bad.ledger)).toBe(0);
    }),
    { numRuns: 40 },
  );
});

async function run(plan: readonly Step[], driftPpm: number) {
  const box = await bootedBox();
  box.clock.driftPpm = driftPpm;
  let look = 0;
  if (driftPpm !== 0) box.clock.jitterMs = () => (look++ % 5) - 2;
  // Where nothing was written yet, no later process can know that the clock was set.
  box.send({ metric: 'b', value: -1, time: ON });
  await box.acknowledged();
  await box.clock.advance(FIRST_CHECKPOINT_MS);
  await vi.waitUntil(() => box.gateway.status().checkpoint.at !== null, { timeout: 5_000 });
  let elapsedMs = FIRST_CHECKPOINT_MS;
  let sent = 0;
  for (const one of plan) {
    if (one.do === 'wait') {
      await box.clock.advance(one.ms);
      elapsedMs += one.ms;
    } else if (one.do === 'send') {
      box.send({ metric: one.metric, value: sent++, time: ON + elapsedMs - one.behind * 1_000 });
      await box.acknowledged();
    } else if (one.do === 'crash') {
      await box.crash();
    } else {
      box.clock.jump(one.byMs);
    }
  }
  // In the end it is set right, and everybody is silent for long enough that every window closes.
  box.clock.jump(ON + elapsedMs - box.clock.now());
  await box.clock.advance(120_000);
  const { ledger } = box.gateway.status();
  await box.stop();
  return { results: box.latest(), ledger };
}
