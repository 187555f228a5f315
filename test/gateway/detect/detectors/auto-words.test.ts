import { expect, test } from 'vitest';
import { expectedBy } from '../../../../gateway/detect/detectors/auto-words.ts';

test('each kind of member says what it held for normal, in the unit of the series', () => {
  expect(expectedBy({ kind: 'value', window: 10 }, 20, 1, -2, 3)).toBe('between 18 and 23');
  expect(expectedBy({ kind: 'value', window: 10 }, 20, 1, 0, 0)).toBe('20');
  expect(expectedBy({ kind: 'lowest', window: 100 }, 0, 1, 4, 5)).toBe(
    'a lowest of the last 100 readings between 4 and 5',
  );
  expect(expectedBy({ kind: 'day', window: 1 }, 20, 2, -1, 1)).toBe('between 18 and 22 at this time of the day');
  expect(expectedBy({ kind: 'week', window: 1 }, 20, 2, -1, 1)).toBe('between 18 and 22 at this time of the week');
  expect(expectedBy({ kind: 'spread', window: 25 }, 0, 2, Math.log(0.6 / 1.1), Math.log(2.1 / 1.1))).toBe(
    'a spread between 1 and 4 over about 25 readings',
  );
  expect(expectedBy({ kind: 'step', window: 25 }, 0, 2, -9, Math.log(0.6 / 1.1))).toBe(
    'a mean step between 0 and 1 over about 25 readings',
  );
});

test('no words come out that are no numbers', () => {
  expect(expectedBy({ kind: 'value', window: 10 }, 1e308, 64, -1e308, 1e308)).not.toMatch(/NaN|Infinity/);
});
