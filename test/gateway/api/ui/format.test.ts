import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatCompact,
  formatDuration,
  formatMoment,
  formatRate,
  formatValue,
} from '../../../../gateway/api/ui/format.ts';

describe('format', () => {
  test.each([
    [null, '–'],
    [undefined, '–'],
    [true, 'on'],
    ['open', 'open'],
    [0, '0.000'],
    [-7.12345, '-7.123'],
    [46.05, '46.05'],
    [182.34, '182.3'],
    [12_345_678, '1.23e+7'],
    [0.000_012, '1.20e-5'],
  ])('a value %s reads %s', (value, text) => expect(formatValue(value)).toBe(text));

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [2 * 1024 ** 3, '2.0 GiB'],
    [500 * 1024 ** 2, '500 MiB'],
  ])('%s bytes read %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [-5, '0 s'],
    [59_999, '59 s'],
    [93_000, '1 min 33 s'],
    [3_725_000, '1 h 2 min'],
    [4 * 86_400_000, '4 d 0 h'],
    [12 * 365.25 * 86_400_000, '12.0 years'],
  ])('%s ms last %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  test('counts in little room and rates stay short', () => {
    expect(formatCompact(9_999)).toBe('9,999');
    expect(formatCompact(1_234_567)).toBe('1.2M');
    expect([0.25, 12.4, 12_345].map(formatRate)).toEqual(['0.3/s', '12/s', '12,345/s']);
  });

  test('a moment names its day only when that is another one', () => {
    const noon = new Date(2026, 0, 7, 12, 0, 5).getTime();
    expect(formatMoment(noon, noon + 1000)).toBe('12:00:05');
    expect(formatMoment(noon, noon + 86_400_000)).toBe('7 Jan 2026, 12:00:05');
  });
});
