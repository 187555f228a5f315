import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Analysed } from '../../../../gateway/commands/replay/analyst.ts';
import { merge } from '../../../../gateway/commands/replay/merge.ts';

function analysed(results: readonly { readonly place: number; readonly lines: string }[]): Analysed {
  let end = 0;
  return {
    buffer: new ArrayBuffer(0),
    lines: new TextEncoder().encode(results.map(({ lines }) => lines).join('')),
    places: Uint32Array.from(results, ({ place }) => place),
    ends: Uint32Array.from(results, ({ lines }) => {
      end += lines.length;
      return end;
    }),
  };
}

test('results come in the order of the readings that gave them, whoever has analysed which', () => {
  const owners = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 3 })), { maxLength: 60 });
  fc.assert(
    fc.property(owners, (givers) => {
      const results = givers.map(([owner, count], place) => ({ owner, place, lines: `${place}\n`.repeat(count) }));
      const parts = [0, 1, 2, 3].map((owner) => analysed(results.filter((result) => result.owner === owner)));
      expect(new TextDecoder().decode(merge(parts))).toBe(results.map(({ lines }) => lines).join(''));
    }),
  );
});
