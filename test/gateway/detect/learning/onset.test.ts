import { expect, test } from 'vitest';
import { ONSET_NUMBERS, onsetScore } from '../../../../gateway/detect/learning/onset.ts';

test('after an onset only a higher score counts, until it has been quiet for long enough since the highest', () => {
  const numbers = new Float64Array(ONSET_NUMBERS);
  const told = [2, 1, 3, 3, 0, 2.9, 1].map((score) => onsetScore(numbers, 0, score, 3));
  expect(told).toEqual([2, 0, 3, 0, 0, 0, 1]);
});

test('without quiet every score counts', () => {
  const numbers = new Float64Array(ONSET_NUMBERS);
  expect([2, 1, 0, 1].map((score) => onsetScore(numbers, 0, score, 0))).toEqual([2, 1, 0, 1]);
});
