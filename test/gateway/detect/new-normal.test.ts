import { expect, test } from 'vitest';
import { isNewNormal, isUntroubled, NEW_NORMAL_NUMBERS } from '../../../gateway/detect/new-normal.ts';

const HOUR = 3_600_000;

/** The times, in minutes, at which a new normal was known, of judgements every `stepMs`. */
function newNormals(isAnomaly: (i: number) => boolean, count: number, stepMs = 60_000): number[] {
  const numbers = new Float64Array(NEW_NORMAL_NUMBERS);
  return Array.from({ length: count }, (_, i) => i).filter((i) =>
    isNewNormal(numbers, 0, isAnomaly(i), 1.7e12 + i * stepMs, HOUR),
  );
}

test('anomalies that last for the time are the new normal, and then it begins anew', () => {
  expect(newNormals((i) => i >= 100, 230)).toEqual([159, 219]);
});

test('what is strange for less than a tenth of the time never is', () => {
  expect(newNormals((i) => i % 12 === 0, 20_000)).toEqual([]);
});

test('a level that is within the old bounds at every other reading is the new normal in little more than twice the time', () => {
  const [first] = newNormals((i) => i % 2 === 0, 1000);
  expect(first).toBeGreaterThan(120);
  expect(first).toBeLessThan(140);
});

test('a gap of days proves nothing: it takes twenty readings at least', () => {
  expect(newNormals((i) => i >= 10, 40, 86_400_000)).toEqual([29]);
});

test('it is untroubled again when ten times as long was calm', () => {
  const numbers = new Float64Array(NEW_NORMAL_NUMBERS);
  const untroubled = Array.from({ length: 60 }, (_, i) => {
    isNewNormal(numbers, 0, i >= 10 && i < 13, i * 60_000, HOUR);
    return isUntroubled(numbers, 0);
  });
  expect(untroubled.indexOf(false)).toBe(10);
  expect(untroubled.lastIndexOf(false)).toBe(13 + 29 - 1);
});
