import { expect, test } from 'vitest';
import { OTHERS, SeriesCounts } from '../../../gateway/buffer/series-counts.ts';

test('counts of series add up, and survive being saved', () => {
  const counts = new SeriesCounts();
  counts.add(new Map([['a', 2]]));
  counts.add(
    new Map([
      ['a', 3],
      ['__proto__', 1],
    ]),
  );
  const copy = new SeriesCounts();
  copy.load(JSON.parse(JSON.stringify(counts.entries())));
  expect(Object.entries(copy.toRecord(6))).toEqual([
    ['a', 5],
    ['__proto__', 1],
  ]);
});

test('what is counted for no series is that of the others', () => {
  const counts = new SeriesCounts();
  counts.add(new Map([['a', 2]]));
  expect(counts.toRecord(10)).toEqual({ a: 2, [OTHERS]: 8 });
});

test('no more than a thousand series are told apart, and a thousand long keys fit into the state', () => {
  const counts = new SeriesCounts();
  counts.add(new Map(Array.from({ length: 3000 }, (_, n) => [`series ${n}`, 1])));
  expect(Object.keys(counts.toRecord(3000))).toHaveLength(1001);
  expect(counts.toRecord(3000)[OTHERS]).toBe(2000);
  const long = new SeriesCounts();
  long.add(new Map(Array.from({ length: 1000 }, (_, n) => [`${n}`.padEnd(1000, 'x'), 1])));
  expect(JSON.stringify(long.entries()).length).toBeLessThan(100_000);
});

test('nonsense in a file is no count', () => {
  const counts = new SeriesCounts();
  for (const nonsense of [undefined, 7, {}, [1, ['a'], ['b', -1], ['c', 'x'], [3, 4]]]) counts.load(nonsense);
  expect(counts.toRecord(0)).toEqual({});
});
