import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemDisk } from '../../../gateway/base/system-disk.ts';
import { type Checkpoint, CheckpointStore } from '../../../gateway/runtime/checkpoint.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { LeapingClock } from '../../model/leaping-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';

const clock = new LeapingClock();
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
  const store = new CheckpointStore(systemDisk, folder, recordingLogger(), clock);
  for (const offset of [10, 20, 30]) await store.write(checkpoint(offset));
  const found = await new CheckpointStore(systemDisk, folder, recordingLogger(), clock).read();
  expect(found).toEqual([checkpoint(30), checkpoint(20)]);
});

test('a new store overwrites the older one, so the newest is never at risk', async () => {
  const store = new CheckpointStore(systemDisk, folder, recordingLogger(), clock);
  for (const offset of [10, 20]) await store.write(checkpoint(offset));
  const next = new CheckpointStore(systemDisk, folder, recordingLogger(), clock);
  await next.read();
  await next.write(checkpoint(30));
  expect((await next.read()).map(({ journalOffset }) => journalOffset)).toEqual([30, 20]);
});

test('of two checkpoints of one journal offset the one with more dead letters is the newer', async () => {
  const store = new CheckpointStore(systemDisk, folder, recordingLogger(), clock);
  for (const deadLetterOffset of [1, 2, 3]) {
    await store.write({ ...checkpoint(10), deadLetterOffset });
    const [newest] = await new CheckpointStore(systemDisk, folder, recordingLogger(), clock).read();
    expect(newest?.deadLetterOffset).toBe(deadLetterOffset);
  }
});

test('a checkpoint damaged at any byte falls back to the one before, and the log says so', async () => {
  const store = new CheckpointStore(systemDisk, folder, recordingLogger(), clock);
  for (const offset of [10, 20]) await store.write(checkpoint(offset));
  const newest = join(folder, (await readdir(folder)).sort()[1]!);
  const bytes = await readFile(newest);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x55;
    await writeFile(newest, damaged);
    const logger = recordingLogger();
    const found = await new CheckpointStore(systemDisk, folder, logger, clock).read();
    expect(found.map(({ journalOffset }) => journalOffset)).toEqual([10]);
    expect(logger.lines.map(({ message }) => message)).toEqual(['checkpoint passed over: it cannot be read']);
  }
});

test('a checkpoint that the disk refuses to read for a second is read all the same', async () => {
  const disk = new FaultyDisk(seededRandom(1));
  await new CheckpointStore(disk.mount(), '/box', recordingLogger(), clock).write(checkpoint(10));
  const untilMs = clock.monotonicMs() + 1_000;
  disk.fault = () => (clock.monotonicMs() < untilMs ? 'EIO' : undefined);
  const logger = recordingLogger();
  expect(await new CheckpointStore(disk.mount(), '/box', logger, clock).read()).toEqual([checkpoint(10)]);
  expect(logger.lines).toEqual([]);
});

test('a folder without checkpoints gives none', async () => {
  expect(await new CheckpointStore(systemDisk, folder, recordingLogger(), clock).read()).toEqual([]);
});

test('a checkpoint of version 1 is read, as an encoder of its own wrote it', async () => {
  const written = {
    takenAt: 1.5,
    journalOffset: 30,
    remember: { offset: 7, skip: 2 },
    deadLetterOffset: 4,
    receiveTime: 1_767_225_600_000,
    series: [{ device: 'd', metric: 'm', tags: { site: 'hall' } }],
    ledger: { floor: { received: 3, inFlight: 0 } },
    stages: { windows: { version: 1 }, detection: { version: 1 } },
  };
  await writeFile(join(folder, 'checkpoint-0'), versionOne(written));
  const logger = recordingLogger();
  expect(await new CheckpointStore(systemDisk, folder, logger, clock).read()).toEqual([written]);
  expect(logger.lines).toEqual([]);
});

test.each([
  { what: 'a later version', bytes: () => versionOne({}, 2), reason: 'its version is 2; this release reads 1' },
  { what: 'a body without its parts', bytes: () => versionOne({ takenAt: 1 }), reason: 'a part of it is missing' },
])('$what is passed over with the reason', async ({ bytes, reason }) => {
  await writeFile(join(folder, 'checkpoint-0'), bytes());
  const logger = recordingLogger();
  expect(await new CheckpointStore(systemDisk, folder, logger, clock).read()).toEqual([]);
  expect(logger.lines).toMatchObject([{ details: { reason } }]);
});

test('a power cut at any call while a checkpoint is written leaves the one before or the new one', async () => {
  for (let call = 0; ; call++) {
    const disk = new FaultyDisk(seededRandom(call));
    const store = new CheckpointStore(disk.mount(), '/box', recordingLogger(), clock);
    await store.write(checkpoint(10));
    let calls = 0;
    disk.delay = async () => {
      if (calls++ === call) disk.cutPower();
    };
    const finished = await store.write(checkpoint(20)).then(
      () => true,
      () => false,
    );
    disk.delay = () => Promise.resolve();
    const found = await new CheckpointStore(disk.mount(), '/box', recordingLogger(), clock).read();
    const offsets = found.map(({ journalOffset }) => journalOffset);
    expect([[20, 10], finished ? [] : [10]], `cut at call ${call}`).toContainEqual(offsets);
    if (finished) break;
  }
});

/** A checkpoint file, written as version 1 was defined and without the gateway's code: header, then the format of V8's serializer. */
function versionOne(value: object, version = 1): Buffer {
  const body = Buffer.concat([Buffer.of(0xff, 15), encoded(value)]);
  const header = Buffer.alloc(12);
  header.write('HGCP', 0, 'latin1');
  header.writeUInt32LE(version, 4);
  header.writeUInt32LE(crcOf(body), 8);
  return Buffer.concat([header, body]);
}

function encoded(value: unknown): Buffer {
  if (typeof value === 'number') {
    const double = Buffer.alloc(9, 'N');
    double.writeDoubleLE(value, 1);
    return double;
  }
  if (typeof value === 'string') return Buffer.concat([Buffer.of(0x22, value.length), Buffer.from(value, 'latin1')]);
  if (Array.isArray(value)) {
    return Buffer.concat([Buffer.of(0x41, value.length), ...value.map(encoded), Buffer.of(0x24, 0, value.length)]);
  }
  const entries = Object.entries(value as object);
  return Buffer.concat([Buffer.from('o'), ...entries.flat().map(encoded), Buffer.of(0x7b, entries.length)]);
}

/** CRC-32 (ISO-HDLC), bit by bit. */
function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
