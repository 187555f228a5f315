import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Checkpoint, CheckpointStore } from '../../../gateway/runtime/checkpoint.ts';
import { recordingLogger } from '../../recording-logger.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-checkpoint-'));
});
afterEach(() => rm(folder, { recursive: true }));

function checkpoint(journalOffset: number): Checkpoint {
  return {
    takenAt: 1,
    journalOffset,
    remember: { offset: 0, skip: 0 },
    deadLetterOffset: 0,
    receiveTime: 2,
    series: [{ device: 'd', metric: 'm', tags: { site: 's' }, unit: undefined }],
    ledger: {},
    stages: { windows: new Map([['d/m', new Float64Array([1, 2])]]) },
  };
}

test('the newest of two checkpoints comes first, with maps and typed arrays whole', async () => {
  const store = new CheckpointStore(folder, recordingLogger());
  for (const offset of [10, 20, 30]) await store.write(checkpoint(offset));
  const found = await new CheckpointStore(folder, recordingLogger()).read();
  expect(found).toEqual([checkpoint(30), checkpoint(20)]);
});

test('a new store overwrites the older one, so the newest is never at risk', async () => {
  const store = new CheckpointStore(folder, recordingLogger());
  for (const offset of [10, 20]) await store.write(checkpoint(offset));
  const next = new CheckpointStore(folder, recordingLogger());
  await next.read();
  await next.write(checkpoint(30));
  expect((await next.read()).map(({ journalOffset }) => journalOffset)).toEqual([30, 20]);
});

test('of two checkpoints of one journal offset the one with more dead letters is the newer', async () => {
  const store = new CheckpointStore(folder, recordingLogger());
  for (const deadLetterOffset of [1, 2, 3]) {
    await store.write({ ...checkpoint(10), deadLetterOffset });
    const [newest] = await new CheckpointStore(folder, recordingLogger()).read();
    expect(newest?.deadLetterOffset).toBe(deadLetterOffset);
  }
});

test('a checkpoint damaged at any byte falls back to the one before, and the log says so', async () => {
  const store = new CheckpointStore(folder, recordingLogger());
  for (const offset of [10, 20]) await store.write(checkpoint(offset));
  const newest = join(folder, (await readdir(folder)).sort()[1]!);
  const bytes = await readFile(newest);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x55;
    await writeFile(newest, damaged);
    const logger = recordingLogger();
    const found = await new CheckpointStore(folder, logger).read();
    expect(found.map(({ journalOffset }) => journalOffset)).toEqual([10]);
    expect(logger.lines.map(({ message }) => message)).toEqual(['checkpoint passed over: it cannot be read']);
  }
});

test('a folder without checkpoints gives none', async () => {
  expect(await new CheckpointStore(folder, recordingLogger()).read()).toEqual([]);
});
