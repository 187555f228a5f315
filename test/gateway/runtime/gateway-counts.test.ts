import { expect, test } from 'vitest';
import { bootedBox, START } from './box.ts';

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
