import { expect, test } from 'vitest';
import { Ends } from '../../../../gateway/pipeline/aggregate/ends.ts';

const ends = new Ends(1);

function numbersOf(...values: [value: number, time: number][]): number[] {
  const numbers = [7, ...ends.initial];
  for (const [value, time] of values) ends.add(numbers, value, time);
  return numbers;
}

const both = (numbers: number[]) => [ends.first(numbers), ends.last(numbers)];

test('first and last go by source time, not by arrival', () => {
  expect(both(numbersOf([1, 200], [2, 300], [3, 100]))).toEqual([3, 2]);
});

test('of equal source times the first is what arrived first, the last what arrived last', () => {
  expect(both(numbersOf([1, 100], [2, 100], [3, 100]))).toEqual([1, 3]);
});

test('merging a later part keeps both rules', () => {
  const merged = numbersOf([1, 100], [2, 200]);
  ends.merge(merged, numbersOf([3, 100], [4, 200]), ends.at);
  expect(both(merged)).toEqual([1, 4]);
  ends.merge(merged, numbersOf([5, 50], [6, 150]), ends.at);
  expect(both(merged)).toEqual([5, 4]);
  ends.merge(merged, numbersOf(), ends.at);
  expect(both(merged)).toEqual([5, 4]);
});

test('the ends keep to their own numbers', () => {
  expect(numbersOf([1, 100])).toEqual([7, 1, 100, 1, 100]);
});
