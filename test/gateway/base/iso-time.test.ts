import { expect, test } from 'vitest';
import { isoTime } from '../../../gateway/base/iso-time.ts';

test('a time is shown as ISO 8601 in UTC', () => {
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
});

test('a time that no calendar reaches is shown as a number', () => {
  expect(isoTime(1e300)).toBe('1e+300 ms since 1970');
  expect(isoTime(Number.NaN)).toBe('NaN ms since 1970');
});
