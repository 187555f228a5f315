import { expect, test } from 'vitest';
import { checkedCount } from '../../../../gateway/pipeline/windows/count-windows.ts';

test('windows begin where the one before has ended, unless it is said how often one begins', () => {
  expect(checkedCount({ count: 100 })).toEqual({ count: 100, every: 100 });
  expect(checkedCount({ count: 100, every: 1 })).toEqual({ count: 100, every: 1 });
});

test.each([0, -1, 1.5, 1_000_001, Number.NaN])('windows of %s readings are refused', (count) => {
  expect(() => checkedCount({ count })).toThrow(`Cannot make windows of ${count} readings`);
});

test.each([
  { count: 10, every: 11 },
  { count: 10, every: 0 },
  { count: 10, every: 2.5 },
  { count: 1290, every: 10 },
])('windows of $count readings that begin with every $every of them are refused', (shape) => {
  expect(() => checkedCount(shape)).toThrow('Cannot begin windows of');
});
