import { expect, test, vi } from 'vitest';
import { settle } from '../../manual-clock.ts';
import { bootedBox, CHECKPOINT_EVERY_MS, newBox, START } from './box.ts';

test('what is refused is counted, kept with its reason, and acknowledged after it is durable', async () => {
  const box = await bootedBox();
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
  const box = await bootedBox();
  await box.untilCheckpoint();
  for (let i = 0; i < 3; i++) box.intake.reject('sensors/x', 'the payload is not JSON', Buffer.from('{'));
  await box.acknowledged();
  await box.untilCheckpoint();
  await box.deadLetters.trim(3);
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, rejected: 3 });
  await box.stop();
});

test('refusals that no checkpoint has, and whose dead letters were dropped, are counted after a crash, of an unknown source; those of a sink are not', async () => {
  const box = await bootedBox();
  const refuse = async (count: number) => {
    for (let i = 0; i < count; i++) box.intake.reject('sensors/x', 'the payload is not JSON', Buffer.from('{'));
    await box.acknowledged();
  };
  await refuse(2);
  await box.stop();
  await box.boot();
  await refuse(3);
  box.refuse = () => 'field type conflict';
  box.send({ metric: 'a', value: 500, time: START });
  await box.acknowledged();
  await vi.waitUntil(() => box.gateway.status().sinks[0]!.rejectedTotal > 0, { timeout: 5_000 });
  // More of one kind in one moment than are kept for themselves.
  await refuse(150);
  await settle();
  // All but what the last moment has brought.
  box.deadLetters.drop(box.deadLetters.records.length - 21);
  await box.crash();
  const { total, sources } = box.gateway.ledgerReport(9);
  expect(total).toMatchObject({ received: 156, rejected: 155, imbalance: 0 });
  expect(sources).toMatchObject([
    { name: 'floor', rejected: 2 + 20 + 50 },
    { name: '(dead letters)', received: 83, rejected: 83 },
  ]);
  await box.stop();
  // They are in the checkpoint now, and not counted a second time.
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 156, rejected: 155 });
  await box.stop();
});

test('readings without a time of their own count as often as they are sent, also twice in a millisecond and after the clock was set back', async () => {
  const box = await bootedBox();
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

test('what a rule keeps back is counted as filtered, and reaches no window; after a crash the rule goes on from the last that went on', async () => {
  const box = await newBox();
  box.reduce = [{ series: 'd/a', deadband: 1 }];
  await box.boot();
  const send = async (from: number, ...values: number[]) => {
    values.forEach((value, i) => {
      box.send({ metric: 'a', value, time: START + (from + i) * 1000 });
    });
    await box.acknowledged();
  };
  await send(0, 10, 10.5, 12);
  await box.untilCheckpoint();
  await send(3, 12.5, 14);
  await box.crash();
  await send(5, 14.5, 16, 20, 25);
  expect(box.gateway.status()).toMatchObject({
    ledger: { received: 9, aggregated: 6, filtered: 3 },
    reduction: [{ series: 'd/a', passed: 6, filtered: 3 }],
  });
  await box.clock.advance(90_000);
  const sums = box
    .stored()
    .flatMap((result) => (result.kind === 'aggregate' && result.window === 's' ? [result.fields] : []));
  expect(sums.at(-1)).toEqual({ sum: 10 + 12 + 14 + 16 + 20 + 25, first: 10 });
  await box.stop();
});

test('what a swinging door lets wait is in flight, also after a crash, and goes on before its series is idle and its window closes', async () => {
  const box = await newBox();
  box.reduce = [{ series: 'd/a', swingingDoor: 1 }];
  await box.boot();
  const send = async (from: number, ...values: number[]) => {
    values.forEach((value, i) => {
      box.send({ metric: 'a', value, time: START + (from + i) * 1000 });
    });
    await box.acknowledged();
  };
  await box.clock.advance(CHECKPOINT_EVERY_MS - 1000);
  await send(0, 10, 11, 12);
  await box.untilCheckpoint(1000);
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, inFlight: 1, aggregated: 1, filtered: 1 });
  await send(3, 13, 20);
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 5, inFlight: 1, aggregated: 2, filtered: 2 });
  await box.clock.advance(90_000);
  expect(box.gateway.status()).toMatchObject({
    ledger: { received: 5, inFlight: 0, aggregated: 3, filtered: 2, late: 0 },
    reduction: [{ series: 'd/a', passed: 3, filtered: 2 }],
  });
  const sums = box
    .stored()
    .flatMap((result) => (result.kind === 'aggregate' && result.window === 's' ? [result.fields] : []));
  expect(sums).toContainEqual({ sum: 10 + 13 + 20, first: 10 });
  await box.stop();
});

test('what a restart finds in the journal is no rate, what comes afterwards is', async () => {
  const box = await bootedBox();
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
