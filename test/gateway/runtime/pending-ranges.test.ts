import { expect, test } from 'vitest';
import { PendingRanges } from '../../../gateway/runtime/pending-ranges.ts';

/** `[0, 10)`, of which nothing is delivered, and from 10 on, of which two records are. */
function twoRanges(): PendingRanges {
  const ranges = new PendingRanges(0, 0);
  ranges.split(10, 100);
  ranges.advance(ranges.newest, 12, 120);
  return ranges;
}

test('what was delivered before its turn lies between the ranges', () => {
  expect(twoRanges().outOfOrder()).toEqual([{ from: 10, to: 12 }]);
});

test('a note brings the same ranges back', () => {
  const note = JSON.parse(JSON.stringify(twoRanges().note()));
  expect(PendingRanges.restore(note)?.oldestFirst()).toEqual(twoRanges().oldestFirst());
});

test.each([
  [undefined],
  [[]],
  [[[0, 5, 0, 50]]],
  [
    [
      [0, null, 0, null],
      [5, null, 50, null],
    ],
  ],
  [
    [
      [0, 10, 0, 100],
      [5, null, 50, null],
    ],
  ],
  [
    [
      [5, 3, 0, 1],
      [9, null, 50, null],
    ],
  ],
  [[[-1, null, 0, null]]],
  [[['0', null, 0, null]]],
  [[[0, null, null, null]]],
])('what is no note is told from one: %j', (note) => {
  expect(PendingRanges.restore(note)).toBeUndefined();
});

test('a log that has lost its end takes with it what the ranges say of later records', () => {
  const ranges = twoRanges();
  ranges.endAt(8, 80);
  expect(ranges.note()).toEqual([[0, null, 0, null]]);
  ranges.advance(ranges.newest, 9, 90);
  ranges.endAt(8, 80);
  expect(ranges.note()).toEqual([[8, null, 80, null]]);
});

test('only a range that has an end can be finished', () => {
  const ranges = twoRanges();
  ranges.finish(ranges.newest);
  expect(ranges.count).toBe(2);
  ranges.finish(ranges.oldest);
  expect(ranges.note()).toEqual([[12, null, 120, null]]);
});
