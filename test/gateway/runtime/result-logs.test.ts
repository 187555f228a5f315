import { expect, test } from 'vitest';
import { decodeResults } from '../../../gateway/runtime/result-codec.ts';
import { ResultLogs } from '../../../gateway/runtime/result-logs.ts';
import { settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { aggregate, alarm } from '../sinks/results.ts';

function rig(maxBytes?: number) {
  const alarmOutbox = new MemoryLog();
  const outbox = new MemoryLog();
  if (maxBytes !== undefined) outbox.maxBytes = maxBytes;
  const failures: unknown[] = [];
  const logs = new ResultLogs({ alarmOutbox, outbox, failed: (error) => failures.push(error) });
  return { alarmOutbox, outbox, logs, failures };
}

test('alarms go to a log of their own, and everything becomes durable by itself', async () => {
  const { alarmOutbox, outbox, logs } = rig();
  logs.append([aggregate(), alarm(), aggregate({ start: 60_000 })]);
  await settle();
  expect(outbox.records.map(({ payload }) => decodeResults(payload).map(({ kind }) => kind))).toEqual([
    ['aggregate', 'aggregate'],
  ]);
  expect(alarmOutbox.records.map(({ payload }) => decodeResults(payload).map(({ kind }) => kind))).toEqual([['alarm']]);
  expect([outbox, alarmOutbox].map((log) => log.status().durableOffset)).toEqual([1, 1]);
});

test('many results become several records', () => {
  const { outbox, logs } = rig();
  logs.append(Array.from({ length: 1_200 }, (_, minute) => aggregate({ start: minute * 60_000 })));
  expect(outbox.records.map(({ items }) => items)).toEqual([500, 500, 200]);
});

test('a record is no larger than a small log takes', () => {
  const { outbox, logs } = rig(64 * 1024);
  logs.append(Array.from({ length: 300 }, (_, minute) => aggregate({ start: minute * 60_000 })));
  expect(outbox.records.reduce((sum, { items }) => sum + items, 0)).toBe(300);
  expect(Math.max(...outbox.records.map(({ payload }) => payload.length))).toBeLessThanOrEqual(8 * 1024);
});

test('results with long names become so many records that a small log takes each', () => {
  const { outbox, logs } = rig();
  const tags = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`tag-${i}`, 'x'.repeat(256)]));
  const results = Array.from({ length: 500 }, (_, minute) => {
    const result = aggregate({ start: minute * 60_000 });
    return { ...result, series: { ...result.series, tags } };
  });
  logs.append(results);
  expect(Math.max(...outbox.records.map(({ payload }) => payload.length))).toBeLessThan(256 * 1024);
  expect(outbox.records.flatMap(({ payload }) => decodeResults(payload))).toEqual(results);
  expect(outbox.records.map(({ items }) => items).reduce((sum, items) => sum + items)).toBe(500);
});

test.each(['alarmOutbox', 'outbox'] as const)('a sync waits for both logs: %s', async (late) => {
  const box = rig();
  box[late].stuck = true;
  box.logs.append([aggregate(), alarm()]);
  let done = false;
  const synced = box.logs.sync().then(() => {
    done = true;
  });
  await settle();
  expect(done).toBe(false);
  box[late].stuck = false;
  await synced;
});

test('back-pressure begins with many results that are not durable, and ends when they are', async () => {
  const { outbox, logs } = rig();
  outbox.stuck = true;
  logs.append([aggregate()]);
  expect(logs.backPressure).toBeUndefined();
  logs.append(Array.from({ length: 20_000 }, (_, minute) => aggregate({ start: minute * 60_000 })));
  expect(logs.backPressure).toBeInstanceOf(Promise);
  outbox.stuck = false;
  await settle();
  expect(logs.backPressure).toBeUndefined();
});

test('only what every sink has taken is freed, in both logs', async () => {
  const { alarmOutbox, outbox, logs } = rig();
  for (let i = 0; i < 5; i++) logs.append([aggregate(), alarm()]);
  await logs.sync();
  await logs.trim([]);
  expect(outbox.status().firstOffset).toBe(0);
  await logs.trim([
    { alarms: 4, others: 2 },
    { alarms: 1, others: 5 },
  ]);
  expect([alarmOutbox.status().firstOffset, outbox.status().firstOffset]).toEqual([1, 2]);
});

test('a log that is stopped meanwhile is told', async () => {
  const { outbox, logs, failures } = rig();
  await outbox.stop();
  outbox.append = () => 0;
  logs.append([aggregate()]);
  await settle();
  expect(failures).toHaveLength(1);
});
