import { expect, test } from 'vitest';
import { Layout } from '../../../../gateway/pipeline/aggregate/layout.ts';

const NOTHING = { sum: false, spread: false, extent: false, ends: false, quantiles: false, timeline: undefined };

test('the parts that are needed lie side by side behind the counts, and no others', () => {
  const { sum, spread, extent, ends, initial } = new Layout({ ...NOTHING, sum: true, extent: true });
  expect([spread, ends]).toEqual([undefined, undefined]);
  expect(sum?.at).toBe(3);
  expect(extent?.at).toBe(3 + sum!.initial.length);
  expect(initial).toEqual([0, 0, 0, ...sum!.initial, ...extent!.initial]);
});

test('an accumulator of counts only has three numbers', () => {
  expect(new Layout(NOTHING).initial).toEqual([0, 0, 0]);
});
