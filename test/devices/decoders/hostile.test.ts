import { describe, expect, test } from 'vitest';
import { jsonDecoder } from '../../../devices/decoders/json.ts';
import { lineProtocolDecoder } from '../../../devices/decoders/line-protocol.ts';
import { plainDecoder } from '../../../devices/decoders/plain.ts';
import { decode } from './decode.ts';

const decoders = {
  json: jsonDecoder(),
  values: jsonDecoder({ values: '.' }),
  line: lineProtocolDecoder(),
  plain: plainDecoder(),
};
const SIZE = 1024 * 1024;
/** On a machine of its own each takes a fraction of 50 ms; what grows with the square of the size takes seconds. */
const MAX_MS = 400;

function filled(unit: (i: number) => string, open: string, close: string, separator: string): string {
  let text = open;
  for (let i = 0; text.length < SIZE - 100; i++) text += (i > 0 ? separator : '') + unit(i);
  return text + close;
}

const members = (unit: (i: number) => string) => filled((i) => `"k${i}":${unit(i)}`, '{', '}', ',');

/** Payloads of nearly a megabyte, each made to be as much work as it can. */
const PAYLOADS: Readonly<Record<string, string>> = {
  'arrays that are never closed': '['.repeat(SIZE),
  'objects that are never closed': '{"a":'.repeat(SIZE / 5),
  'arrays half a megabyte deep': '['.repeat(SIZE / 2) + ']'.repeat(SIZE / 2),
  'brackets in a text': JSON.stringify('['.repeat(SIZE - 10)),
  'many empty arrays': filled(() => '[]', '[', ']', ','),
  'many values': members(() => '1'),
  'one name many times': filled(() => '"a":1', '{', '}', ','),
  'many nulls': members(() => 'null'),
  'many texts': members(() => '"x"'),
  'many whole numbers past 2^53': members(() => '9'.repeat(20)),
  'many numbers past 1.8e308': members(() => '1e400'),
  'many fractions past 2^53': members(() => '1e20'),
  'few enough fractions past 2^53': `{${Array.from({ length: 9_999 }, (_, i) => `"k${i}":1e20`).join()},"pad":"${'9'.repeat(SIZE / 2)}"}`,
  'one long number': '1'.repeat(SIZE),
  'a long exponent': `1e${'9'.repeat(SIZE - 2)}`,
  escapes: `{"value":1,"pad":"${'\\u0041'.repeat(SIZE / 6 - 10)}"}`,
  blanks: `${' '.repeat(SIZE - 1)}1`,
  'a long name': `{"${'x'.repeat(SIZE - 10)}":1}`,
  zeros: '\0'.repeat(SIZE),
  commas: ','.repeat(SIZE),
  'many good lines': filled((i) => `m,device=d${i} v=1`, '', '', '\n'),
  'many bad lines': filled(() => 'm v=', '', '', '\n'),
  'many short lines': filled(() => 'm', '', '', '\n'),
  'many fields': filled((i) => `f${i}=1`, 'm ', '', ','),
  'many tags': filled((i) => `t${i}=1`, 'm,', ' v=1', ','),
  'texts that are never closed': filled(() => 'a b="', '', '', '\n'),
  'a name of escapes': `m${'\\,'.repeat(SIZE / 2 - 10)} v=1`,
  'a text of escapes': `m v="${'\\"'.repeat(SIZE / 2 - 10)}"`,
};

describe.each(Object.entries(decoders))('%s', (_name, decoder) => {
  test.each(Object.keys(PAYLOADS))('decides soon about %s, and says at most ten thousand things of it', (name) => {
    const payload = Buffer.from(PAYLOADS[name]!);
    expect(payload.length).toBeLessThanOrEqual(SIZE);
    let bestMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3 && bestMs > MAX_MS / 8; round++) {
      const begun = performance.now();
      const { values, reasons } = decode(decoder, payload);
      bestMs = Math.min(bestMs, performance.now() - begun);
      expect(values.length + reasons.length).toBeGreaterThan(0);
      expect(values.length + reasons.length).toBeLessThanOrEqual(10_001);
    }
    expect(bestMs).toBeLessThan(MAX_MS);
  });
});

test('what is too much is named', () => {
  const tooMany = `{${Array.from({ length: 10_001 }, (_, i) => `"k${i}":1`).join()}}`;
  expect(decode(decoders.json, tooMany)).toEqual({
    values: [],
    reasons: ['the payload has 10001 values; at most 10000 are taken'],
  });
  const parts = `{"value":1,"wave":[${'0,'.repeat(50_000)}0]}`;
  expect(decode(decoders.json, parts).reasons).toEqual(['the JSON has more than 50000 members and elements']);
  expect(decode(decoders.json, `{"value":1,"wave":[${'0,'.repeat(40_000)}0]}`).values).toEqual([{ value: 1 }]);
  const lines = Array.from({ length: 6_000 }, (_, i) => `m,device=d v=${i}`).join('\n');
  const { values, reasons } = decode(decoders.line, lines);
  expect(values).toHaveLength(5_000);
  expect(reasons).toEqual([
    'the payload has more than 10000 lines and values: it was read before line 5001, no further',
  ]);
});
