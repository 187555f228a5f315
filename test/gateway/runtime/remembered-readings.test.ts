import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settle } from '../../manual-clock.ts';
import { Box, CHECKPOINT_EVERY_MS, START } from './box.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-remembered-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Sends the readings from `from` up to before `to`, eight a record. @returns how many more count as duplicates */
async function send(box: Box, from: number, to: number): Promise<number> {
  const duplicates = () => box.gateway.status().ledger.duplicate;
  const before = duplicates();
  for (let i = from; i < to; i++) {
    box.send({ metric: 'a', value: i, time: START + 600_000 + i });
    if (i % 8 === 7) await box.acknowledged();
  }
  await box.acknowledged();
  await settle();
  return duplicates() - before;
}

/** Writes a checkpoint, dies and starts with another capacity. */
async function restart(box: Box, rememberedReadings: number): Promise<void> {
  await box.clock.advance(2 * CHECKPOINT_EVERY_MS);
  box.rememberedReadings = rememberedReadings;
  await box.crash();
}

test('a capacity that was raised keeps what was remembered, and remembers more from then on', async () => {
  const box = new Box(folder);
  await box.boot();
  await send(box, 0, 100);
  await restart(box, 64);
  expect(await send(box, 84, 100)).toBe(16);
  expect(await send(box, 100, 148)).toBe(0);
  await restart(box, 64);
  expect(await send(box, 84, 148)).toBe(64);
  await box.stop();
});

test('a capacity that was lowered recognises as many as it says, and no more than twice as many', async () => {
  const box = new Box(folder);
  box.rememberedReadings = 64;
  await box.boot();
  await send(box, 0, 100);
  await restart(box, 8);
  expect(await send(box, 92, 100)).toBe(8);
  await restart(box, 8);
  expect(await send(box, 92, 100)).toBe(8);
  expect(await send(box, 0, 72)).toBe(0);
  await box.stop();
});

test('a time of its own that is the very millisecond of receiving it is one: the reading is recognised, before and after a restart', async () => {
  const box = new Box(folder);
  await box.boot();
  const own = { metric: 'a', value: 1, time: box.clock.now() };
  const none = { metric: 'b', value: 1, time: undefined };
  for (const reading of [own, none, own, none]) box.send(reading);
  await box.acknowledged();
  await settle();
  expect(box.gateway.status().ledger).toMatchObject({ received: 4, duplicate: 1 });
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 4, duplicate: 1 });
  box.send(own);
  await box.acknowledged();
  await settle();
  expect(box.gateway.status().ledger).toMatchObject({ received: 5, duplicate: 2 });
  await box.stop();
});
