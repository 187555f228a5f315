import { totalmem } from 'node:os';
import { expect, test } from 'vitest';
import { oldGenerationLimit, parseAvailable, rssLimit, systemMemory } from '../../../gateway/base/system-memory.ts';

const MIB = 1024 * 1024;

test('the memory of this process is told', () => {
  const { rssBytes, rssLimitBytes, heapUsedBytes, heapLimitBytes } = systemMemory('').read();
  expect(heapUsedBytes).toBeGreaterThan(MIB);
  expect(rssBytes).toBeGreaterThan(heapUsedBytes / 2);
  expect(heapLimitBytes).toBeGreaterThan(heapUsedBytes);
  if (process.platform === 'linux') expect(rssLimitBytes).toBeGreaterThan(rssBytes);
});

test('what the box has left is read as Linux tells it', () => {
  expect(parseAvailable('MemTotal: 948116 kB\nMemFree: 1 kB\nMemAvailable:     512 kB\n')).toBe(512 * 1024);
  expect(parseAvailable('MemTotal: 948116 kB\n')).toBeUndefined();
});

test.each([
  { cgroup: 0, available: undefined, limit: null },
  { cgroup: 2 ** 63, available: undefined, limit: null },
  { cgroup: totalmem(), available: undefined, limit: null },
  { cgroup: 256 * MIB, available: undefined, limit: 256 * MIB },
  { cgroup: 0, available: 50 * MIB, limit: 150 * MIB },
  { cgroup: 256 * MIB, available: 50 * MIB, limit: 150 * MIB },
  { cgroup: 120 * MIB, available: 50 * MIB, limit: 120 * MIB },
])('with a cgroup of $cgroup and $available left, 100 MiB may become $limit', ({ cgroup, available, limit }) => {
  expect(rssLimit(100 * MIB, cgroup, available)).toBe(limit);
});

test('the limit of the old generation is what Node was told, else nearly all of the heap', () => {
  expect(oldGenerationLimit('--max-old-space-size=72', 264 * MIB)).toBe(72 * MIB);
  expect(oldGenerationLimit('--max_old_space_size 72 --enable-source-maps --max-old-space-size=96', 264 * MIB)).toBe(
    96 * MIB,
  );
  expect(oldGenerationLimit('--enable-source-maps', 4288 * MIB)).toBe(4096 * MIB);
});

test('a collection takes what nobody holds any more', async () => {
  const memory = systemMemory('');
  const made = (() => new WeakRef({ held: 'by nobody' }))();
  // What a WeakRef was just made of is held until the event loop turns.
  await new Promise((resolve) => setImmediate(resolve));
  expect(made.deref()).toBeDefined();
  await new Promise((resolve) => setImmediate(resolve));
  memory.collect();
  expect(made.deref()).toBeUndefined();
});
