import { expect, test } from 'vitest';
import { durationInWords, numberInWords } from '../../../gateway/detect/words.ts';

test('numbers keep six significant digits and lose the noise of floating point', () => {
  expect(numberInWords(0.1 + 0.2)).toBe('0.3');
  expect(numberInWords(1234.5678)).toBe('1234.57');
  expect(numberInWords(-0)).toBe('0');
  expect(numberInWords(1e308)).toBe('1e+308');
  expect(numberInWords(70)).toBe('70');
});

test('durations are said in the largest unit that fits', () => {
  expect(durationInWords(250)).toBe('250 ms');
  expect(durationInWords(1500)).toBe('1.5 s');
  expect(durationInWords(600_000)).toBe('10 min');
  expect(durationInWords(3_600_000)).toBe('1 h');
  expect(durationInWords(129_600_000)).toBe('36 h');
  expect(durationInWords(259_200_000)).toBe('3 days');
});
