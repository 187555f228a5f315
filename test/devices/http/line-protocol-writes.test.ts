import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type LineProtocolWriteLimits, LineProtocolWrites } from '../../../devices/http/line-protocol-writes.ts';
import type { LineWrite } from '../../../gateway/core/line-writes.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { RecordingIntake } from '../recording-intake.ts';

const never = new AbortController().signal;
const KIB = 1024;

async function started(limits: Partial<LineProtocolWriteLimits> = {}, intake = new RecordingIntake()) {
  const writes = new LineProtocolWrites('http', intake, new ManualClock(1000), limits);
  await writes.start(never);
  return { writes, intake };
}

function request(body: string | Uint8Array, more: Partial<LineWrite> = {}): LineWrite {
  const bytes = Buffer.from(body as string);
  return { body: chunked(bytes), announcedBytes: undefined, encoding: 'identity', precision: 'ns', ...more };
}

async function* chunked(bytes: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

const DURABLE = { kind: 'durable', refused: 0, reason: undefined };

test('a request is answered when its readings are durable, and not before', async () => {
  const { writes, intake } = await started();
  intake.hold = true;
  let answered = false;
  const writing = writes.write(request('cpu,host=box usage=1 2000000')).then((outcome) => {
    answered = true;
    return outcome;
  });
  await settle();
  expect(intake.summary()).toEqual(['box/cpu_usage=1']);
  expect(intake.readings[0]).toMatchObject({ sourceTime: 2, receiveTime: 1000 });
  expect(answered).toBe(false);
  expect(writes.status().numbers).toMatchObject({ requestsInProgress: 1, inFlightBytes: 28 });
  intake.release();
  expect(await writing).toEqual(DURABLE);
  expect(writes.status().numbers).toMatchObject({ requestsInProgress: 0, requestsTotal: 1, inFlightBytes: 0 });
});

test('good lines are kept and durable where others cannot be read; those are dead letters with their text', async () => {
  const { writes, intake } = await started();
  const outcome = await writes.write(request('a v=1\nb v=\nc v=3\nd v=x,w=4\n'));
  expect(intake.summary()).toEqual(['a/a_v=1', 'c/c_v=3']);
  expect(outcome).toEqual({ kind: 'durable', refused: 2, reason: expect.stringMatching(/^line 2: the field "v"/) });
  expect(intake.rejections.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['b v=\n', 'd v=x,w=4\n']);
});

test('values that the gateway refuses, and series there is no room for, count as refused', async () => {
  const { writes, intake } = await started({}, new RecordingIntake(2));
  intake.judge = (value) => (value === 7 ? 'seven is too many' : undefined);
  const outcome = await writes.write(request('a v=7\na w=1\nb v=1\na v=2'));
  expect(outcome).toEqual({ kind: 'durable', refused: 2, reason: 'seven is too many' });
  expect(intake.summary()).toEqual(['a/a_w=1', 'a/a_v=2']);
  expect(intake.rejections.map(({ reason }) => reason)).toEqual([
    'seven is too many',
    expect.stringContaining('no room for another series'),
  ]);
});

test('invalid UTF-8 costs its own line only', async () => {
  const { writes, intake } = await started();
  const body = Buffer.concat([Buffer.from('a v=1\nb\xff v=2\n', 'latin1'), Buffer.from('ü v=3')]);
  expect(await writes.write(request(body))).toMatchObject({ refused: 1, reason: expect.stringContaining('UTF-8') });
  expect(intake.summary()).toEqual(['a/a_v=1', 'ü/ü_v=3']);
});

test('gzip is inflated, and what is no gzip is refused whole', async () => {
  const { writes, intake } = await started();
  expect(await writes.write(request(gzipSync('a v=1'), { encoding: 'gzip' }))).toEqual(DURABLE);
  expect(intake.summary()).toEqual(['a/a_v=1']);
  for (const bad of [Buffer.from('a v=2'), gzipSync('a v=2').subarray(0, 15)]) {
    expect(await writes.write(request(bad, { encoding: 'gzip' }))).toMatchObject({ kind: 'unreadable' });
  }
  expect(intake.readings).toHaveLength(1);
  expect(writes.status().numbers).toMatchObject({ inFlightBytes: 0, refusedRequestsTotal: 2 });
});

test('a body that is too large is refused when that shows: by its announcement, as it comes, or as it inflates', async () => {
  const { writes, intake } = await started({ maxBytes: 2 * KIB, maxInflatedBytes: 8 * KIB });
  const line = `a v=1\n`;
  const cases: [Uint8Array, Partial<LineWrite>][] = [
    [Buffer.from(line), { announcedBytes: 2 * KIB + 1 }],
    [Buffer.from(line.repeat(400)), {}],
    [gzipSync(line.repeat(10_000)), { encoding: 'gzip' }],
  ];
  for (const [body, more] of cases) {
    expect(await writes.write(request(body, more))).toMatchObject({ kind: 'too-large' });
  }
  expect(intake.readings).toHaveLength(0);
  expect(await writes.write(request(gzipSync(line.repeat(1000)), { encoding: 'gzip' }))).toEqual(DURABLE);
});

test('a request of more values than are recognised when it is sent again is refused before any of it is taken', async () => {
  const { writes, intake } = await started({ maxValues: 1_000 });
  const values = (count: number) => Array.from({ length: count }, (_, i) => `a,tag=x v${i}=${i} 1\n`).join('');
  const pairs = (count: number) => Array.from({ length: count }, (_, i) => `a v=1,w=2 ${i}\n`).join('');
  for (const body of [values(1_001), pairs(501)]) {
    expect(await writes.write(request(body))).toEqual({
      kind: 'too-large',
      detail: expect.stringMatching(
        `^the body of ${body.length} bytes has more than 1000 values; at most 1000 are taken`,
      ),
    });
  }
  expect(intake.readings).toHaveLength(0);
  expect(intake.rejections).toHaveLength(0);
  // What is no value, a comment or a line that cannot be read, does not count.
  const body = `${values(1_000)}${'# v=1,w=2\n'.repeat(500)}b v=?\n`;
  expect(await writes.write(request(body))).toMatchObject({
    kind: 'durable',
    refused: 1,
    reason: expect.stringMatching(/^line 1501: /),
  });
  expect(intake.readings).toHaveLength(1_000);
});

test('what all requests hold is bounded, and free again afterwards', async () => {
  const { writes, intake } = await started({ maxHeldBytes: 5 * KIB, maxRequests: 3 });
  intake.hold = true;
  const body = 'a v=1\n'.repeat(400);
  const first = [writes.write(request(body)), writes.write(request(body))];
  await settle();
  expect(await writes.write(request(body))).toMatchObject({ kind: 'busy' });
  const third = writes.write(request('a v=1'));
  await settle();
  expect(await writes.write(request('a v=1'))).toMatchObject({ kind: 'busy' });
  intake.release();
  for (const writing of [...first, third]) expect(await writing).toEqual(DURABLE);
  expect(await writes.write(request(body))).toEqual(DURABLE);
});

test('a large body goes in slice by slice, each when the one before is durable', async () => {
  const { writes, intake } = await started();
  intake.hold = true;
  const lines = 30_000;
  const writing = writes.write(request(Array.from({ length: lines }, (_, i) => `a v=${i} ${i}\n`).join('')));
  await settle();
  expect(intake.readings.length).toBeLessThan(lines / 2);
  intake.release();
  expect(await writing).toEqual(DURABLE);
  expect(intake.readings.map(({ value }) => value)).toEqual(Array.from({ length: lines }, (_, i) => i));
});

test('nothing is taken before the start nor after the stop, not even the rest of a body under way', async () => {
  const intake = new RecordingIntake();
  const writes = new LineProtocolWrites('http', intake, new ManualClock(1000));
  expect(await writes.write(request('a v=1'))).toMatchObject({ kind: 'busy' });
  await writes.start(never);
  intake.hold = true;
  const writing = writes.write(request('a v=1\n'.repeat(30_000)));
  await settle();
  const taken = intake.readings.length;
  await writes.stop(never);
  intake.release();
  expect(await writing).toMatchObject({ kind: 'busy' });
  expect(intake.readings).toHaveLength(taken);
});

test('a body that breaks off leaves nothing behind', async () => {
  const { writes, intake } = await started();
  async function* broken(): AsyncIterable<Uint8Array> {
    yield Buffer.from('a v=1\n');
    throw new Error('the connection is gone');
  }
  await expect(writes.write(request('', { body: broken() }))).rejects.toThrow('the connection is gone');
  expect(intake.readings).toHaveLength(0);
  expect(writes.status().numbers).toMatchObject({ requestsInProgress: 0, inFlightBytes: 0 });
});
