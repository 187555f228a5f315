import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentMap } from '../../../gateway/base/recent-map.ts';

test('what was used last is there, and always with its newest value', () => {
  const use = fc.record({ key: fc.integer({ min: 0, max: 20 }), value: fc.option(fc.integer()) });
  fc.assert(
    fc.property(fc.array(use, { maxLength: 200 }), fc.integer({ min: 1, max: 6 }), (uses, max) => {
      const map = new RecentMap<number, number>(max);
      const newest = new Map<number, number>();
      // The keys that were used, the last one at the end.
      let order: number[] = [];
      for (const { key, value } of uses) {
        if (value === null) {
          const found = map.get(key);
          const rank = order.length - order.indexOf(key);
          if (order.includes(key) && rank <= max) expect(found).toBe(newest.get(key));
          if (found !== undefined) expect(found).toBe(newest.get(key));
          if (found === undefined) order = order.filter((other) => other !== key);
          else order = [...order.filter((other) => other !== key), key];
        } else {
          map.set(key, value);
          newest.set(key, value);
          order = [...order.filter((other) => other !== key), key];
        }
      }
    }),
  );
});

test('a flood of keys leaves no more than two generations', () => {
  const map = new RecentMap<number, number>(10);
  for (let key = 0; key < 1000; key++) map.set(key, key);
  const held = Array.from({ length: 1000 }, (_, key) => key).filter((key) => key < 980 && map.get(key) !== undefined);
  expect(held).toEqual([]);
  expect(map.get(999)).toBe(999);
});
