import { expect, test } from 'vitest';
import { Quality } from '../../../../gateway/core/quality.ts';
import { MAX_QUEUED, ReadingQueue, ReadingTally } from '../../../../gateway/pipeline/windows/reading-queue.ts';
import { throughDisk } from '../make-reading.ts';

function makeWaiting(tally = new ReadingTally(1_000_000)) {
  const waiting = new ReadingQueue(tally);
  const take = () => {
    const { time, value } = waiting;
    waiting.shift();
    return [time, value];
  };
  return { waiting, take };
}

test('they come out in the order of time, equal ones in the order of arrival', () => {
  const { waiting, take } = makeWaiting();
  [5, 3, 5, 4, 3].forEach((time, value) => {
    waiting.add(value, Quality.good, time);
  });
  expect([take(), take(), take(), take(), take()]).toEqual([
    [3, 1],
    [3, 4],
    [4, 3],
    [5, 0],
    [5, 2],
  ]);
  expect(waiting.time).toBe(Number.POSITIVE_INFINITY);
});

test('nothing comes in front of what has left, and the order holds through thousands', () => {
  const { waiting, take } = makeWaiting();
  let last = -1;
  for (let i = 0; i < 20_000; i++) {
    waiting.add(i, Quality.good, i ^ 1);
    if (i % 3 === 0) continue;
    const [time] = take();
    expect(time).toBeGreaterThanOrEqual(last - 1);
    last = time!;
  }
  expect(waiting.count).toBe(Math.ceil(20_000 / 3));
});

test('too many are too many for a series, and where those of all are, for one that has more than one', () => {
  const { waiting } = makeWaiting();
  for (let i = 0; i < MAX_QUEUED; i++) waiting.add(0, Quality.good, i);
  expect(waiting.isOverfull).toBe(false);
  waiting.add(0, Quality.good, 0);
  expect(waiting.isOverfull).toBe(true);
  const tally = new ReadingTally(1);
  const [one, other] = [makeWaiting(tally).waiting, makeWaiting(tally).waiting];
  one.add(0, Quality.good, 0);
  one.add(0, Quality.good, 1);
  other.add(0, Quality.good, 0);
  expect([one.isOverfull, other.isOverfull, tally.count]).toEqual([true, false, 3]);
  one.shift();
  one.shift();
  expect([one.isOverfull, tally.count]).toEqual([false, 1]);
});

test('a snapshot holds what is in it, and not what has left', () => {
  const { waiting, take } = makeWaiting();
  waiting.add(1, Quality.bad, 1);
  waiting.add(2, Quality.uncertain, 2);
  take();
  const tally = new ReadingTally(10);
  const restored = new ReadingQueue(tally);
  restored.restore(throughDisk(waiting.snapshot()));
  expect([restored.count, tally.count, restored.time, restored.value, restored.quality]).toEqual([1, 1, 2, 2, 1]);
  expect(() => new ReadingQueue(tally).restore([[1], [1], []])).toThrow('Cannot restore readings in the order of time');
  expect(() => new ReadingQueue(tally).restore([new Array(5000).fill(0), [], []])).toThrow('Cannot restore');
});
