import { expect, test } from 'vitest';
import { boundedScore, MAX_SCORE, newVerdict } from '../../../gateway/detect/verdict.ts';

test('a score is never negative, infinite or not a number', () => {
  expect(boundedScore(0.25)).toBe(0.25);
  expect(boundedScore(-1)).toBe(0);
  expect(boundedScore(Number.NaN)).toBe(0);
  expect(boundedScore(Number.POSITIVE_INFINITY)).toBe(MAX_SCORE);
  expect(boundedScore(Number.NEGATIVE_INFINITY)).toBe(0);
});

test('a new verdict is learning and no anomaly', () => {
  expect(newVerdict()).toMatchObject({ anomaly: false, learning: true });
});
