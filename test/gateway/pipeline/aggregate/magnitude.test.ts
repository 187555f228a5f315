import { expect, test } from 'vitest';
import { DOWNSCALE, LARGE, representable } from '../../../../gateway/pipeline/aggregate/magnitude.ts';

test('scaled down, even the largest doubles can be squared and added up by the billion', () => {
  expect((Number.MAX_VALUE * DOWNSCALE) ** 2 * 1e12).toBeLessThan(Number.MAX_VALUE);
  expect(LARGE ** 2 * 1e12).toBeLessThan(Number.MAX_VALUE);
});

test('scaling down and up again loses nothing of a large value', () => {
  expect((1.2345e200 * DOWNSCALE) / DOWNSCALE).toBe(1.2345e200);
});

test('what a double cannot hold is undefined', () => {
  expect(representable(1e308)).toBe(1e308);
  expect(representable(1e308 * 10)).toBeUndefined();
  expect(representable(Number.NaN)).toBeUndefined();
});
