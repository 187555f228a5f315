import { expect, test } from 'vitest';
import { sumOfLines } from '../../../../gateway/detect/learning/lines.ts';

test('one value of each line is read, the last line too where it is not full', () => {
  const block = Float64Array.from({ length: 20 }, (_, i) => 2 ** i);
  expect(sumOfLines(block)).toBe(2 ** 0 + 2 ** 8 + 2 ** 16);
  expect(sumOfLines(new Float64Array(0))).toBe(0);
});
