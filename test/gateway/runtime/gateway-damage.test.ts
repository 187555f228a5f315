import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemDisk } from '../../../gateway/base/system-disk.ts';
import { CheckpointStore } from '../../../gateway/runtime/checkpoint.ts';
import { imbalance } from '../../../gateway/runtime/ledger.ts';
import { settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { bootedBox, START } from './box.ts';

test('what damage takes from the journal is received and dropped, reading by reading; what a checkpoint covers is not lost', async () => {
  const box = await bootedBox();
  let sent = 0;
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) box.send({ metric: 'b', value: 1, time: START + 1000 * sent++ });
    await box.acknowledged();
    return box.journal.records.findLast(({ items }) => items > 0)!.offset;
  };
  const covered = await send(7);
  await box.untilCheckpoint();
  await send(3);
  const middle = await send(4);
  await send(2);
  const last = await send(5);
  await settle();
  for (const offset of [covered, middle, last]) box.journal.damage(offset);
  await box.crash();
  const { total, sources } = box.gateway.ledgerReport(9);
  expect(total).toMatchObject({ received: 21, aggregated: 12, dropped: 9, inFlight: 0, imbalance: 0 });
  expect(sources.find(({ name }) => name === '(journal)')).toMatchObject({ received: 9, dropped: 9 });
  expect(box.logLines()).toContainEqual(expect.stringContaining('journaled readings were lost'));
  await box.stop();
  // They are in the checkpoint now, and not counted a second time.
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 21, dropped: 9 });
  await box.stop();
});

test('a start goes on where the disk refuses parts of its journal and of its dead letters: they are counted as lost', async () => {
  const box = await bootedBox();
  for (let i = 0; i < 3; i++) {
    box.send({ metric: 'b', value: 1, time: START + 1000 * i });
    box.intake.reject('sensors/x', 'the payload is not JSON', Buffer.from('{'));
    await box.acknowledged();
  }
  const { offset } = box.journal.records.filter(({ items }) => items > 0)[1]!;
  await box.die();
  box.journal.refused.add(offset);
  box.deadLetters.refused.add(1);
  let booted = false;
  const booting = box.boot().then(() => {
    booted = true;
  });
  while (!booted) await box.clock.advance(500);
  await booting;
  expect(box.gateway.ledgerReport(9)).toMatchObject({
    total: { received: 6, aggregated: 2, dropped: 1, rejected: 3, imbalance: 0 },
  });
  await box.stop();
});

test('a dead letter that cannot be understood rejects no start: it is counted as refused, of an unknown source', async () => {
  const box = await bootedBox();
  box.intake.reject('sensors/x', 'the payload is not JSON', Buffer.from('{'));
  await box.acknowledged();
  for (const broken of ['no letter', '\x04\0\0\0null']) box.deadLetters.append(Buffer.from(broken), 3);
  await box.deadLetters.commit();
  await box.crash();
  expect(box.gateway.ledgerReport(9)).toMatchObject({
    total: { received: 7, rejected: 7, imbalance: 0 },
    sources: [
      { name: 'floor', rejected: 1 },
      { name: '(dead letters)', rejected: 6 },
    ],
  });
  expect(box.logLines()).toContain('dead letter passed over: it cannot be understood');
  await box.stop();
});

test('a journal record that cannot be understood is received and dropped', async () => {
  const box = await bootedBox();
  for (const value of [1, 2, 3]) box.send({ metric: 'b', value, time: START + 1000 * value });
  await box.acknowledged();
  box.journal.append(Uint8Array.of(99, 1, 2), 6);
  await box.journal.commit();
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 9, aggregated: 3, dropped: 6 });
  expect(imbalance(box.gateway.status().ledger)).toBe(0);
  await box.stop();
});

test('what comes in after the journal was lost outlives a crash, although the checkpoint is from before', async () => {
  const box = await bootedBox();
  for (let i = 0; i < 5; i++) {
    box.send({ metric: 'b', value: i, time: START + i * 1000 });
    await box.acknowledged();
  }
  await box.stop();
  box.journal = new MemoryLog();
  await box.boot();
  expect(box.logLines()).toContainEqual(expect.stringContaining('the journal ends before the checkpoint'));
  for (let i = 5; i < 8; i++) {
    box.send({ metric: 'b', value: i, time: START + i * 1000 });
    await box.acknowledged();
  }
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 8, aggregated: 8 });
  await box.stop();
});

test('a start that has to write its checkpoints anew ends also where a full outbox waits for the sinks', async () => {
  const box = await bootedBox();
  box.send({ metric: 'b', value: 1, time: START });
  await box.acknowledged();
  await box.stop();
  box.journal = new MemoryLog();
  const { outbox } = box;
  // As a full one that blocks: nothing becomes durable before something is freed.
  outbox.stuck = true;
  const trim = outbox.trim.bind(outbox);
  outbox.trim = async (before) => {
    outbox.stuck = false;
    await trim(before);
  };
  let booted = false;
  const booting = box.boot().then(() => {
    booted = true;
  });
  while (!booted) await box.clock.advance(500);
  await booting;
  await box.stop();
});

test('a damaged newest checkpoint loses nothing, however many readings came after the one before', async () => {
  const box = await bootedBox();
  const count = 50;
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < count; i++) {
      box.send({ metric: 'b', value: i, time: START + (round * count + i) * 100 });
      await box.acknowledged();
    }
    await box.untilCheckpoint();
  }
  expect(box.journal.status().firstOffset).toBeGreaterThan(0);
  // The third was written over the first.
  await writeFile(join(box.folder, 'checkpoint-0'), 'damaged');
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3 * count, aggregated: 3 * count, late: 0 });
  await box.stop();
});

test('a checkpoint whose detectors cannot be restored leaves nothing of its windows behind', async () => {
  const box = await bootedBox();
  const store = new CheckpointStore(systemDisk, box.folder, recordingLogger(), box.clock);
  for (let i = 0; i < 3; i++) {
    box.send({ metric: 'b', value: i, time: START + i * 100 });
    await box.acknowledged();
    await box.untilCheckpoint();
  }
  const [newest, older] = await store.read();
  // Each goes over its own slot.
  await store.write(older!);
  await store.write({ ...newest!, stages: { ...newest!.stages, detection: 'of another release' } });
  expect(older!.journalOffset).toBeLessThan(newest!.journalOffset);
  await box.crash();
  expect(box.logLines()).toContain('checkpoint passed over: it cannot be restored');
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, aggregated: 3 });
  await box.clock.advance(180_000);
  expect([...box.latest().values()]).toMatchObject([{ fields: { count: 3, last: 2 } }]);
  await box.stop();
});

test('a start that finds no checkpoint says what is lost', async () => {
  const box = await bootedBox();
  box.send({ metric: 'b', value: 1, time: START });
  await box.acknowledged();
  await box.stop();
  await box.journal.trim(1);
  for (const slot of [0, 1]) await rm(join(box.folder, `checkpoint-${slot}`), { force: true });
  await box.boot();
  expect(box.logLines()).toContainEqual(expect.stringContaining('no checkpoint can be read'));
  await box.stop();
});
