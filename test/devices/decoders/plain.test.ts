import { expect, test } from 'vitest';
import { plainDecoder } from '../../../devices/decoders/plain.ts';
import { decode } from './decode.ts';

test.each([
  ['21.5', 21.5],
  [' -3 \n', -3],
  ['+1e-3', 0.001],
  ['.5', 0.5],
  ['-0', 0],
  ['true', true],
  ['False', false],
])('%j is read', (payload, value) => {
  expect(decode(plainDecoder(), payload)).toEqual({ values: [{ value }], reasons: [] });
});

test.each([
  '',
  ' ',
  'NaN',
  'Infinity',
  '-Infinity',
  '0x10',
  '1,5',
  '1e400',
  '12 C',
  'on',
  '9007199254740993',
  'null',
  '1'.repeat(200),
])('%j is refused', (payload) => {
  const { values, reasons } = decode(plainDecoder(), payload);
  expect(values).toEqual([]);
  expect(reasons).toHaveLength(1);
});
