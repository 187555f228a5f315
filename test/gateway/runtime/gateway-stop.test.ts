import { expect, test } from 'vitest';
import { settle } from '../../manual-clock.ts';
import { bootedBox, CHECKPOINT_EVERY_MS, START } from './box.ts';

test('a clean stop leaves nothing to replay', async () => {
  const box = await bootedBox();
  box.send({ metric: 'a', value: 1, time: START });
  await box.stop();
  await box.boot();
  expect(box.gateway.status().ledger).toMatchObject({ received: 1, aggregated: 1, inFlight: 0 });
  expect(box.logLines()).not.toContain('journal replayed');
  await box.stop();
});

test('a stop while memory is critical brings everything to the disk', async () => {
  const box = await bootedBox();
  box.send({ metric: 'a', value: 0, time: START });
  await box.acknowledged();
  box.memory = { ...box.memory, heapUsedBytes: box.memory.heapLimitBytes };
  await box.clock.advance(1_000);
  for (let i = 1; i < 3; i++) {
    box.send({ metric: 'a', value: i, time: START + i });
    await settle();
  }
  await box.stop();
  expect(box.gateway.hasHung).toBe(false);
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, aggregated: 3 });
  await box.stop();
});

test('a stop ends when its time is over, even where the outbox takes nothing', async () => {
  const box = await bootedBox();
  box.outbox.stuck = true;
  box.send({ metric: 'a', value: 500, time: START });
  await box.acknowledged();
  await box.clock.advance(CHECKPOINT_EVERY_MS);
  const time = new AbortController();
  const stopped = box.gateway.stop(time.signal);
  await settle();
  time.abort();
  await box.clock.advance(1_000);
  await stopped;
  expect(box.gateway.status().state).toBe('stopped');
  expect(box.logLines()).toContainEqual(expect.stringContaining('cannot carry everything to the disk in time'));
});
