import { expect, test } from 'vitest';
import { RangeReader } from '../../../gateway/runtime/range-reader.ts';
import { MemoryLog } from '../../memory-log.ts';

async function logOf(records: number): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.start();
  for (let i = 0; i < records; i++) log.append(Buffer.from(String(i)), 2);
  await log.commit();
  return log;
}

test('records come in portions of so many items, one record at least, and none at or behind the end of the range', async () => {
  const reader = new RangeReader(await logOf(6), 1);
  const offsets = async (maxItems: number) => (await reader.take(maxItems, 5)).map(({ offset }) => offset);
  expect(reader.position).toBe(1);
  expect(await offsets(1)).toEqual([1]);
  expect(reader.position).toBe(2);
  expect(await offsets(5)).toEqual([2, 3]);
  expect(await offsets(100)).toEqual([4]);
  expect(await offsets(100)).toEqual([]);
});

test('a read that fails takes nothing with it: the next one gives what was read before', async () => {
  const log = await logOf(4);
  const reads = [() => log.reader(0).read(1), () => Promise.reject(new Error('EIO')), () => log.reader(1).read(1_000)];
  const failing = Object.create(log, {
    reader: { value: () => ({ read: () => reads.shift()?.() ?? Promise.resolve([]) }) },
  }) as MemoryLog;
  const reader = new RangeReader(failing, 0);
  await expect(reader.take(100, 4)).rejects.toThrow('EIO');
  expect((await reader.take(100, 4)).map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
});
