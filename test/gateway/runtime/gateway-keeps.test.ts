import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { settle } from '../../manual-clock.ts';
import { bootedBox, CHECKPOINT_EVERY_MS, type Sent, START } from './box.ts';

test('an acknowledgement waits until the journal has the reading', async () => {
  const box = await bootedBox();
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

test('an acknowledged alarm stays acknowledged after a crash', async () => {
  const box = await bootedBox();
  box.send({ metric: 'a', value: 500, time: START });
  await box.acknowledged();
  await box.clock.advance(0);
  const raised = box.stored().find((result) => result.kind === 'alarm')!;
  expect(raised).toMatchObject({ state: 'raised', detector: 'range' });
  const id = raised.kind === 'alarm' ? raised.id : '';
  const { operations } = box.gateway;
  expect(await operations.acknowledge('another', 'me')).toBeUndefined();
  const acknowledgement = { acknowledgedAt: box.clock.now(), acknowledgedBy: 'me', state: 'acknowledged' };
  expect(await operations.acknowledge(id, 'me')).toMatchObject(acknowledgement);
  expect(operations.alarms({ limit: 9 })).toMatchObject([acknowledgement]);
  await box.crash();
  await box.clock.advance(0);
  expect(box.gateway.operations.alarms({ limit: 9 })).toMatchObject([acknowledgement]);
  const steps = [...box.latest().keys()].filter((id) => id.startsWith('range@'));
  expect(steps).toEqual([`${id}@acknowledged`, `${id}@raised`]);
  await box.stop();
});

test('what operators do to alarms is so after a crash, too, and comes out once', async () => {
  const box = await bootedBox();
  for (const metric of ['a', 'b', 'c']) box.send({ metric, value: 500, time: START });
  await box.acknowledged();
  const [c, b, a] = box.gateway.operations
    .alarms({ state: 'open', limit: 9 })
    .map(({ id }) => id)
    .sort()
    .reverse() as [string, string, string];
  await box.gateway.operations.shelve(a, { by: 'Ada', reason: 'loose', forMs: 60_000 });
  await box.gateway.operations.dismiss(b, 'Ada', 'a test run');
  await expect(box.gateway.operations.shelve(c, { by: 'Ada', reason: 'x', forMs: 1e12 })).rejects.toThrow(
    'Cannot shelve',
  );
  expect(await box.gateway.operations.unshelve(c, 'Ada')).toBeUndefined();
  const states = () =>
    box.gateway.operations
      .alarms({ state: 'open', limit: 9 })
      .map(({ id, state }) => [id, state])
      .sort();
  const expected = [
    [a, 'shelved'],
    [c, 'unacknowledged'],
  ];
  expect(states()).toEqual(expected);
  await box.crash();
  expect(states()).toEqual(expected);
  await box.untilCheckpoint();
  await box.crash();
  expect(states()).toEqual(expected);
  await box.clock.advance(61_000);
  await vi.waitUntil(() => states()[0]?.[1] === 'unacknowledged', { timeout: 5_000 });
  expect(states()).toEqual([
    [a, 'unacknowledged'],
    [c, 'unacknowledged'],
  ]);
  await box.crash();
  expect(states()).toEqual([
    [a, 'unacknowledged'],
    [c, 'unacknowledged'],
  ]);
  await box.clock.advance(0);
  const steps = [...box.latest().keys()].filter((id) => id.startsWith('range@')).map((id) => id.split('@')[3]);
  expect(steps.sort()).toEqual(['acknowledged', 'cleared', 'raised', 'raised', 'raised', 'shelved', 'unshelved']);
  await box.stop();
});

test('a maintenance that was started is on after a crash, too, and over when it is stopped', async () => {
  const box = await bootedBox();
  const started = await box.gateway.operations.startMaintenance('d/*', {
    by: 'Ada',
    reason: 'new oil',
    forMs: 600_000,
  });
  const tooLong = box.gateway.operations.startMaintenance('d/*', { by: 'Ada', reason: 'x', forMs: 1e12 });
  await expect(tooLong).rejects.toThrow('Cannot start a maintenance');
  await box.crash();
  await box.untilCheckpoint();
  await box.crash();
  box.send({ metric: 'a', value: 500, time: box.clock.now() });
  await box.acknowledged();
  expect(box.gateway.status()).toMatchObject({ activeAlarms: 0, maintenance: [{ id: started.id, by: 'Ada' }] });
  expect(await box.gateway.operations.stopMaintenance('other', 'Ada')).toBe(false);
  expect(await box.gateway.operations.stopMaintenance(started.id!, 'Ada')).toBe(true);
  await box.crash();
  await box.clock.advance(10);
  box.send({ metric: 'a', value: 500, time: box.clock.now() });
  await box.acknowledged();
  expect(box.gateway.status()).toMatchObject({ activeAlarms: 1, maintenance: [] });
  await box.stop();
});

test('what a start had to replay the next one need not, however soon it crashes again', async () => {
  const box = await bootedBox();
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
  const box = await bootedBox();
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
  const box = await bootedBox();
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
