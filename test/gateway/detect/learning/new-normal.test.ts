import { expect, test } from 'vitest';
import {
  endTrouble,
  isNewNormal,
  isTroubled,
  NEW_NORMAL_NUMBERS,
} from '../../../../gateway/detect/learning/new-normal.ts';

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

test('it is troubled until ten times as long was calm, or a person ends it', () => {
  const numbers = new Float64Array(NEW_NORMAL_NUMBERS);
  const troubled = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => {
      isNewNormal(numbers, 0, from + i >= 10 && from + i < 13, (from + i) * 60_000, HOUR);
      return isTroubled(numbers, 0);
    });
  const whole = troubled(0, 60);
  expect(whole.indexOf(true)).toBe(10);
  expect(whole.lastIndexOf(true)).toBe(13 + 29 - 1);
  isNewNormal(numbers, 0, true, 61 * 60_000, HOUR);
  expect([endTrouble(numbers, 0), isTroubled(numbers, 0), endTrouble(numbers, 0)]).toEqual([true, false, false]);
});
