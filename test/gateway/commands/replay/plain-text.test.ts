import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTime } from '../../../../gateway/base/parse-time.ts';
import { numberIn, timeIn } from '../../../../gateway/commands/replay/plain-text.ts';

const number = (text: string) => numberIn(Buffer.from(`,${text},`), 1, 1 + Buffer.byteLength(text));
const time = (text: string) => timeIn(Buffer.from(`,${text},`), 1, 1 + Buffer.byteLength(text));

const decimal = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.stringMatching(/^\d{0,18}$/),
    fc.constantFrom('', '.'),
    fc.stringMatching(/^\d{0,18}$/),
  )
  .map((parts) => parts.join(''))
  .filter((text) => text !== '');

const calendar = fc
  .tuple(
    fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
    fc.constantFrom('T', ' ', 't'),
    fc.constantFrom('', 'Z', 'z', '.5', '+02:00'),
  )
  .map(([date, between, end]) => date.toISOString().slice(0, 19).replace('T', between) + end);

/** A text with one of its characters replaced. */
const damaged = (texts: fc.Arbitrary<string>) =>
  fc
    .tuple(texts, fc.nat(), fc.constantFrom('x', '-', '.', '9', ' ', 'é'))
    .map(([text, at, by]) => text.slice(0, at % text.length) + by + text.slice((at % text.length) + 1));

describe('numbers', () => {
  test('are those that Number reads', () => {
    const others = fc.oneof(
      fc.double().map(String),
      fc.string({ minLength: 1 }).map((text) => text.trim() || '0'),
    );
    fc.assert(
      fc.property(fc.oneof(decimal, damaged(decimal), others), (text) => {
        expect(number(text)).toBe(Number(Buffer.from(text).toString('latin1')));
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ['20.359842585899997', 20.359842585899997],
    ['-0', -0],
    ['.5', 0.5],
    ['5.', 5],
    ['.', Number.NaN],
    ['1.2.3', Number.NaN],
    ['0x10', 16],
    ['1e3', 1000],
    ['999999999999999', 999_999_999_999_999],
    ['9007199254740993', 9_007_199_254_740_992],
  ])('%s is %d', (text, value) => expect(number(text)).toBe(value));
});

describe('times', () => {
  test('are those that parseTime reads', () => {
    const milliseconds = fc.nat({ max: 2 ** 45 }).map(String);
    const texts = fc.oneof(calendar, damaged(calendar), milliseconds, damaged(milliseconds), fc.string());
    fc.assert(
      fc.property(texts, (text) => {
        expect(time(text)).toBe(parseTime(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    '2026-02-28 23:59:59',
    '2026-02-29 00:00:00',
    '2024-02-29 00:00:00',
    '2026-04-31 00:00:00',
    '2026-01-01 24:00:00',
  ])('%s is no exception', (text) => expect(time(text)).toBe(parseTime(text)));
});
