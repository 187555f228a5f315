import { expect, test } from 'vitest';
import { parseTime } from '../../../gateway/base/parse-time.ts';

test('a calendar time is read with T or a space, with a zone or as UTC', () => {
  const expected = Date.UTC(2026, 10, 23, 8, 15, 30);
  for (const text of [
    '2026-11-23T08:15:30Z',
    '2026-11-23 08:15:30',
    ' 2026-11-23t08:15:30z ',
    '2026-11-23 10:15:30+02:00',
    '2026-11-23 08:15:30 Z',
  ]) {
    expect(parseTime(text), text).toBe(expected);
  }
  expect(parseTime('2026-11-23 08:15')).toBe(expected - 30_000);
  expect(parseTime('2026-11-23')).toBe(Date.UTC(2026, 10, 23));
  expect(parseTime('2026-11-23T08:15:30.25Z')).toBe(expected + 250);
});

test('a plain number is milliseconds since 1970', () => {
  expect(parseTime('1763885730000.5')).toBe(1_763_885_730_000.5);
  expect(parseTime('-1000')).toBe(-1000);
  expect(parseTime('0')).toBe(0);
});

test('anything else is no time', () => {
  for (const text of [
    '',
    'now',
    '23.11.2026',
    '2026-13-45',
    '2026-11-23T25:00:00Z',
    'NaN',
    'Infinity',
    '1e400',
    '9'.repeat(400),
  ]) {
    expect(parseTime(text), text).toBeUndefined();
  }
});
