import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import {
  boundHeap,
  type Heap,
  heapOfProcess,
  LARGE_NURSERY_BYTES,
  OLD_GROWTH_PERCENT,
} from '../../../gateway/commands/heap-bounds.ts';
import { ManualClock } from '../../manual-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';

test('what lives long grows by a bounded share, the nursery until it is large, no further, and again after it has shrunk', async () => {
  const clock = new ManualClock();
  const ending = new AbortController();
  const growth: number[] = [];
  let sizeBytes = 1024 * 1024;
  const oldGrowth: number[] = [];
  const heap: Heap = {
    nurseryBytes: () => sizeBytes,
    setNurseryGrowth: (factor) => growth.push(factor),
    setOldGrowth: (percent) => oldGrowth.push(percent),
  };
  const bounding = boundHeap(heap, clock, recordingLogger(), ending.signal);
  await clock.advance(1_000);
  expect(growth).toEqual([2]);
  sizeBytes = LARGE_NURSERY_BYTES;
  await clock.advance(1_000);
  expect(growth).toEqual([2, 1]);
  sizeBytes = LARGE_NURSERY_BYTES / 4;
  await clock.advance(1_000);
  expect(growth).toEqual([2, 1, 2]);
  ending.abort();
  await bounding;
  expect(oldGrowth).toEqual([OLD_GROWTH_PERCENT]);
});

test('the nursery of this process has a size', () => {
  expect(heapOfProcess.nurseryBytes()).toBeGreaterThan(100_000);
});

test('the V8 of this Node knows how growth is set', () => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  expect(known).toContain('--semi-space-growth-factor');
  expect(known).toContain('--heap-growing-percent');
});
