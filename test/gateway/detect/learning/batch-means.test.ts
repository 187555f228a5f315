import { expect, test } from 'vitest';
import {
  addToBatch,
  BATCH_NUMBERS,
  BATCHES,
  batchMean,
  batchSize,
  keepBatch,
  learnBatches,
} from '../../../../gateway/detect/learning/batch-means.ts';
import { seededRandom } from '../seeded-random.ts';

/** Feeds values until there is enough to learn from; the means that are learnt, and of how many readings each is. */
function learnt(next: () => number, most = 1_000_000, isLong = () => true): { means: number[]; size: number } {
  const numbers = new Float64Array(BATCH_NUMBERS);
  const means: number[] = [];
  for (let i = 0; i < most; i++) {
    if (!addToBatch(numbers, 0, next()) || !keepBatch(numbers, 0, isLong())) continue;
    learnBatches(numbers, 0, (mean) => means.push(mean));
    break;
  }
  return { means, size: batchSize(numbers, 0) };
}

test('of independent values the smallest batches do, and their means are the means', () => {
  const random = seededRandom(1);
  const values: number[] = [];
  const { means, size } = learnt(() => {
    values.push(random());
    return values.at(-1)!;
  });
  expect(size).toBe(8);
  expect(means.length).toBe(BATCHES);
  means.forEach((mean, i) => {
    const batch = values.slice(8 * i, 8 * i + 8);
    expect(mean).toBeCloseTo(batch.reduce((sum, value) => sum + value, 0) / 8, 12);
  });
});

test('of values that wander for a hundred readings, or swing over a thousand, batches become longer than that', () => {
  const random = seededRandom(2);
  let strayed = 0;
  const wander = learnt(() => {
    strayed = 0.99 * strayed + random() - 0.5;
    return strayed;
  });
  expect(wander.size).toBeGreaterThanOrEqual(128);
  expect(wander.size).toBeLessThanOrEqual(2048);
  let i = 0;
  const swing = learnt(() => Math.sin((i++ / 1000) * 2 * Math.PI) + 0.1 * random());
  expect(swing.size).toBeGreaterThanOrEqual(256);
  expect(swing.size).toBeLessThanOrEqual(1024);
});

test('what drifts on and on is never learnt', () => {
  let i = 0;
  expect(learnt(() => i++, 300_000).means).toEqual([]);
});

test('where it is too early batches only become longer', () => {
  const random = seededRandom(3);
  let asked = 0;
  const { size } = learnt(random, 1_000_000, () => ++asked > 100);
  expect(size).toBe(128);
});

test('constant, huge and tiny values are learnt as they are', () => {
  expect(learnt(() => 7).means).toEqual(new Array(BATCHES).fill(7));
  const random = seededRandom(4);
  for (const scale of [1e307, 5e-324]) {
    for (const mean of learnt(() => (random() < 0.5 ? -scale : scale)).means) expect(Number.isFinite(mean)).toBe(true);
  }
});

test('the mean of a batch is told until the next value begins another', () => {
  const numbers = new Float64Array(BATCH_NUMBERS);
  const completed = [1, 2, 3, 4, 5, 6, 7, 8].map((value) => addToBatch(numbers, 0, value));
  expect(completed).toEqual([...new Array(7).fill(false), true]);
  expect(batchMean(numbers, 0)).toBe(4.5);
  addToBatch(numbers, 0, 20);
  expect(batchMean(numbers, 0)).toBe(20);
});
