import { expect, test } from 'vitest';
import { boundNursery, LARGE_NURSERY_BYTES, nurseryOfProcess } from '../../../gateway/commands/nursery.ts';
import { ManualClock } from '../../manual-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';

test('the nursery grows until it is large, no further, and again after it has shrunk', async () => {
  const clock = new ManualClock();
  const ending = new AbortController();
  const growth: number[] = [];
  let sizeBytes = 1024 * 1024;
  const nursery = { sizeBytes: () => sizeBytes, setGrowth: (factor: 1 | 2) => growth.push(factor) };
  const bounding = boundNursery(nursery, clock, recordingLogger(), ending.signal);
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
});

test('the nursery of this process has a size', () => {
  expect(nurseryOfProcess.sizeBytes()).toBeGreaterThan(100_000);
});
