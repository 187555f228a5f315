import { expect, test } from 'vitest';
import { conditionOf, MAX_SHELVED, Shelf } from '../../../../gateway/detect/alarms/shelf.ts';
import { raise } from './alarm-steps.ts';

const one = (device: string, until: number) => ({ raised: raise(device, 1), by: 'Ada', reason: 'loose', until });

test('a condition is a rule on a series, whenever its alarms were raised', () => {
  expect(conditionOf(raise('a@b', 1.5).id)).toBe('range@a@b/load');
  const shelf = new Shelf();
  shelf.put(one('press-1', 100));
  expect(shelf.get(raise('press-1', 77).id)).toMatchObject({ by: 'Ada' });
  expect(shelf.get(raise('press-2', 1).id)).toBeUndefined();
});

test('they come due in order of their times, which a clock that is set moves', () => {
  const shelf = new Shelf();
  for (const [device, until] of [
    ['a', 300],
    ['b', 100],
    ['c', 200],
  ] as const)
    shelf.put(one(device, until));
  shelf.step(1000);
  expect(shelf.nextDue).toBe(1100);
  expect(shelf.takeDue(1099)).toBeUndefined();
  expect([1, 2, 3].map(() => shelf.takeDue(1200)?.raised.series.device)).toEqual(['b', 'c', undefined]);
  expect(shelf.nextDue).toBe(1300);
});

test('there is room for so many, and one that is there may be prolonged', () => {
  const shelf = new Shelf();
  for (let i = 0; i < MAX_SHELVED; i++) expect(shelf.put(one(`d${i}`, 100))).toBe(true);
  expect(shelf.put(one('further', 100))).toBe(false);
  expect(shelf.put(one('d7', 500))).toBe(true);
  const resumed = new Shelf();
  resumed.restore(structuredClone(shelf.snapshot()));
  expect(resumed.list()).toEqual(shelf.list());
  expect(() => resumed.restore({})).toThrow('Cannot restore what is shelved');
});
