import { expect, test } from 'vitest';
import { FateMemory } from '../../../gateway/runtime/fate-memory.ts';
import { Plant } from '../pipeline/make-reading.ts';

const plant = new Plant();

test('what did not go through everything is known by series and time', () => {
  const memory = new FateMemory();
  const late = plant.reading('a/x', 1, 1000);
  const other = plant.reading('b/x', 1, 1000);
  memory.late(late, 5000);
  memory.reduced(plant.reading('a/x', 1, 2000));
  memory.duplicate(late);
  memory.duplicate(late);
  expect(memory.of(late.series, 1000)).toEqual({ lateAt: 5000, isReduced: false, duplicates: 2 });
  expect(memory.of(late.series, 2000)).toEqual({ lateAt: undefined, isReduced: true, duplicates: 0 });
  expect(memory.of(other.series, 1000)).toEqual({ lateAt: undefined, isReduced: false, duplicates: 0 });
});

test('of each kind the last 4 096 are known, and it is told how many are not any more', () => {
  const memory = new FateMemory();
  const first = plant.reading('a/x', 1, 0);
  memory.reduced(first);
  for (let time = 0; time < 5000; time++) memory.late(plant.reading('a/x', 1, time), 9000);
  expect(memory.of(first.series, 903).lateAt).toBeUndefined();
  expect(memory.of(first.series, 904).lateAt).toBe(9000);
  expect(memory.of(first.series, 4999).lateAt).toBe(9000);
  expect(memory.of(first.series, 0)).toMatchObject({ isReduced: true });
  expect(memory.forgotten).toBe(904);
  expect(memory.bounds()).toEqual([{ name: 'fates remembered', used: 4097, max: 12_288, unit: 'readings' }]);
});
