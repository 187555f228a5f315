import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type MarkChange, MarkTable } from '../../../gateway/base/mark-table.ts';

const change: fc.Arbitrary<MarkChange> = fc.record({
  peer: fc.constantFrom('a', 'b', '__proto__', 'constructor'),
  id: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined, freq: 20 }),
  value: fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { nil: undefined }),
});

function entries(table: MarkTable): ReadonlyMap<string, number> {
  return new Map(
    table.snapshot().flatMap(([peer, marks]) => marks.map(([id, value]) => [`${peer} ${id}`, value] as const)),
  );
}

test('a table with room holds what a map of pairs would', () => {
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const table = new MarkTable({ maxMarks: 100, maxMarksPerPeer: 100 });
      const model = new Map<string, number>();
      for (const { peer, id, value } of changes) {
        table.apply({ peer, id, value });
        if (id === undefined) for (const key of model.keys()) if (key.startsWith(`${peer} `)) model.delete(key);
        if (id !== undefined && value === undefined) model.delete(`${peer} ${id}`);
        if (id !== undefined && value !== undefined) model.set(`${peer} ${id}`, value);
      }
      expect(new Map([...entries(table)].sort())).toEqual(new Map([...model].sort()));
      expect(table.count).toBe(model.size);
      for (const peer of ['a', 'b']) expect(table.has(peer)).toBe([...model.keys()].some((key) => key[0] === peer));
    }),
  );
});

test('where room ends, bounds hold, what was set last is there, and equal changes after a restart leave equal tables', () => {
  fc.assert(
    fc.property(fc.array(change), fc.array(change), (before, after) => {
      const limits = { maxMarks: 7, maxMarksPerPeer: 3 };
      const table = new MarkTable(limits);
      for (const one of before) table.apply(one);
      const restored = new MarkTable(limits);
      restored.restore(structuredClone(table.snapshot()));
      for (const one of after) {
        for (const each of [table, restored]) each.apply(one);
        if (one.id !== undefined) expect(table.get(one.peer, one.id)).toBe(one.value);
        expect(table.count).toBeLessThanOrEqual(7);
        for (const [, marks] of table.snapshot()) expect(marks.length).toBeLessThanOrEqual(3);
      }
      expect(restored.snapshot()).toEqual(table.snapshot());
    }),
  );
});

test('the first to go are the oldest of the same peer, else all of the peer that has had some for longest', () => {
  const table = new MarkTable({ maxMarks: 4, maxMarksPerPeer: 2 });
  for (const [peer, id] of [
    ['a', 1],
    ['b', 1],
    ['b', 2],
    ['b', 3],
    ['c', 1],
    ['d', 1],
  ] as const)
    table.set(peer, id, 9);
  expect([...entries(table).keys()]).toEqual(['b 2', 'b 3', 'c 1', 'd 1']);
});
