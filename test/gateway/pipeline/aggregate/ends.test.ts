import { expect, test } from 'vitest';
import { Ends } from '../../../../gateway/pipeline/aggregate/ends.ts';
import { throughDisk } from '../make-reading.ts';

function endsOf(...values: [value: number, time: number][]): Ends {
  const ends = new Ends();
  for (const [value, time] of values) ends.add(value, time);
  return ends;
}

const both = ({ first, last }: Ends) => [first, last];

test('first and last go by source time, not by arrival', () => {
  expect(both(endsOf([1, 200], [2, 300], [3, 100]))).toEqual([3, 2]);
});

test('of equal source times the first is what arrived first, the last what arrived last', () => {
  expect(both(endsOf([1, 100], [2, 100], [3, 100]))).toEqual([1, 3]);
});

test('merging a later part keeps both rules', () => {
  const merged = endsOf([1, 100], [2, 200]);
  merged.merge(endsOf([3, 100], [4, 200]));
  expect(both(merged)).toEqual([1, 4]);
  merged.merge(endsOf([5, 50], [6, 150]));
  expect(both(merged)).toEqual([5, 4]);
  merged.merge(new Ends());
  expect(both(merged)).toEqual([5, 4]);
});

test('restored ends go on equally', () => {
  const resumed = new Ends();
  resumed.restore(throughDisk(endsOf([1, 100], [2, 200]).snapshot()));
  resumed.add(3, 150);
  resumed.add(4, 200);
  expect(both(resumed)).toEqual([1, 4]);
});
