import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonDecoder } from '../../../devices/decoders/json.ts';
import { decode } from './decode.ts';

describe('what is read', () => {
  test('one value with its time', () => {
    const decoder = jsonDecoder({ value: 'value', time: 'ts' });
    expect(decode(decoder, '{"value":21.5,"ts":1700000000000}')).toEqual({
      values: [{ value: 21.5, time: 1700000000000 }],
      reasons: [],
    });
  });

  test('paths go through objects and arrays', () => {
    const decoder = jsonDecoder({ value: 'a.0.v', device: 'id', metric: 'what', quality: 'q' });
    expect(decode(decoder, '{"a":[{"v":true}],"id":17,"what":"door","q":"uncertain"}').values).toEqual([
      { value: true, device: '17', metric: 'door', quality: 1 },
    ]);
  });

  test('an object of values, without the members that are time or names', () => {
    const decoder = jsonDecoder({ values: '', time: 'ts', device: 'id' });
    expect(decode(decoder, '{"ts":5,"id":"p1","t":20,"on":false}').values).toEqual([
      { value: 20, time: 5, metric: 't', device: 'p1' },
      { value: false, time: 5, metric: 'on', device: 'p1' },
    ]);
  });

  test.each([
    ['21.5', [{ value: 21.5 }]],
    ['true', [{ value: true }]],
    ['{"value":3,"unit":"C"}', [{ value: 3 }]],
    [
      '{"a":1,"b":2}',
      [
        { value: 1, metric: 'a' },
        { value: 2, metric: 'b' },
      ],
    ],
    ['\ufeff{"value":3}', [{ value: 3 }]],
    ['{"value":1,"value":2}', [{ value: 2 }]],
    ['{"value":-0}', [{ value: 0 }]],
    ['{"value":1e20}', [{ value: 1e20 }]],
    ['{"__proto__":1}', [{ value: 1, metric: '__proto__' }]],
    ['{"température":1}', [{ value: 1, metric: 'température' }]],
  ])('without options %s', (payload, values) => {
    expect(decode(jsonDecoder(), payload)).toEqual({ values, reasons: [] });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test.each([
    ['s', '1700000000.25', 1700000000250],
    ['us', '1700000000000500', 1700000000000.5],
    ['ns', '1700000000000000000', 1700000000000],
    ['iso', '"2023-11-14T22:13:20.5Z"', 1700000000500],
    ['ms', '"2023-11-14T23:13:20+01:00"', 1700000000000],
  ] as const)('a time in %s: %s', (timeUnit, time, expected) => {
    const decoder = jsonDecoder({ value: 'v', time: 't', timeUnit });
    expect(decode(decoder, `{"v":1,"t":${time}}`).values).toEqual([{ value: 1, time: expected }]);
  });

  test('text only where it is asked for', () => {
    expect(decode(jsonDecoder({ text: true }), '{"value":"idle"}').values).toEqual([{ value: 'idle' }]);
  });
});

describe('what is refused, with its reason', () => {
  test.each([
    ['{"value":"21.5"}', /is the string "21\.5"; send a JSON number/],
    ['{"value":null}', /is null/],
    ['{"value":{"a":1}}', /is an object/],
    ['{"value":1e400}', /too large/],
    ['{"value":9007199254740993}', /past ±2\^53/],
    ['{"value":NaN}', /not JSON/],
    ['{', /not JSON/],
    ['', /not JSON/],
    ['{}', /has none/],
    ['[1,2]', /expected an object of values, found an array/],
    [Buffer.from([0x22, 0xff, 0x22]), /not valid UTF-8/],
    ['\ufeff\ufeff1', /not JSON/],
    [`${'['.repeat(20_000)}${']'.repeat(20_000)}`, /nests deeper than 64/],
    [Buffer.alloc(1024 * 1024 + 1, 0x20), /1048577 bytes; at most 1048576/],
  ])('%s', (payload, reason) => {
    const { values, reasons } = decode(jsonDecoder(), payload);
    expect(values).toEqual([]);
    expect(reasons).toEqual([expect.stringMatching(reason)]);
  });

  test('one bad member is refused by its name, its neighbours are taken', () => {
    const { values, reasons } = decode(jsonDecoder({ values: '.' }), '{"a":1,"b":"2","c":[],"d":4}');
    expect(values.map(({ metric }) => metric)).toEqual(['a', 'd']);
    expect(reasons).toEqual([expect.stringContaining('"b"'), expect.stringContaining('"c"')]);
  });

  test.each(['"yesterday"', 'null', '1e999', '"2023-02-30T00:00:00Z"', '"2023-01-01T00:00:00"', '{}'])(
    'the time %s',
    (time) => {
      const { values, reasons } = decode(jsonDecoder({ value: 'v', time: 't' }), `{"v":1,"t":${time}}`);
      expect(values).toEqual([]);
      expect(reasons).toEqual([expect.stringMatching(/the time .* cannot be read/)]);
    },
  );

  test.each(['constructor', '__proto__', 'toString'])('the inherited name %s is not a value', (value) => {
    expect(decode(jsonDecoder({ value }), '{"x":1}').reasons).toHaveLength(1);
    expect(decode(jsonDecoder({ value }), `{"${value}":1}`).values).toEqual([{ value: 1 }]);
  });

  test('brackets in strings do not count as nesting', () => {
    expect(decode(jsonDecoder({ value: 'v' }), `{"v":1,"s":"${'[{'.repeat(500)}\\""}`).values).toEqual([{ value: 1 }]);
  });
});

test('whatever the bytes, it answers and never throws', () => {
  const decoders = [jsonDecoder(), jsonDecoder({ values: 'a', time: 't', metric: 'm', quality: 'q', text: true })];
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((json) => Buffer.from(json)),
      ),
      (payload) => {
        for (const decoder of decoders) {
          const { values, reasons } = decode(decoder, payload);
          expect(values.length + reasons.length).toBeGreaterThan(0);
          for (const { value } of values) expect(typeof value !== 'number' || Number.isFinite(value)).toBe(true);
        }
      },
    ),
  );
});
