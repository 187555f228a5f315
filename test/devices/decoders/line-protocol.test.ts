import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineProtocolDecoder } from '../../../devices/decoders/line-protocol.ts';
import { decode } from './decode.ts';

const decoder = lineProtocolDecoder();

describe('what is read', () => {
  test('measurement, tags, fields and time', () => {
    expect(decode(decoder, 'cpu,host=box-1,site=plant usage=12.5,value=3i 1700000000000000000')).toEqual({
      values: [
        { value: 12.5, time: 1700000000000, metric: 'cpu_usage', device: 'box-1', tags: { site: 'plant' } },
        { value: 3, time: 1700000000000, metric: 'cpu', device: 'box-1', tags: { site: 'plant' } },
      ],
      reasons: [],
    });
  });

  test('the tag device goes before host, and without either the measurement is the device', () => {
    expect(decode(decoder, 'm,host=h,device=d value=1').values[0]).toMatchObject({ device: 'd', tags: { host: 'h' } });
    expect(decode(decoder, 'm value=1').values).toEqual([{ value: 1, metric: 'm', device: 'm' }]);
  });

  test('escapes', () => {
    const line = String.raw`a\,b\ c,device=p\=1\,\ x f\=1="say \"hi\", \\ C:\n" 5`;
    expect(decode(decoder, line).values).toEqual([
      { value: String.raw`say "hi", \ C:\n`, time: 5e-6, metric: 'a,b c_f=1', device: 'p=1, x' },
    ]);
  });

  test.each([
    ['1', 1],
    ['1.5e3', 1500],
    ['-7i', -7],
    ['7u', 7],
    ['t', true],
    ['FALSE', false],
    ['"a\nb"', 'a\nb'],
  ])('the field value %j', (text, value) => {
    expect(decode(decoder, `m value=${text}`).values).toMatchObject([{ value }]);
  });

  test('comments, empty lines and Windows line ends', () => {
    expect(decode(decoder, '# hello\r\n\r\nm value=1\r\n  \nm value=2\n').values.map(({ value }) => value)).toEqual([
      1, 2,
    ]);
  });

  test('the precision of timestamps', () => {
    expect(decode(lineProtocolDecoder({ precision: 's' }), 'm value=1 1700000000').values).toMatchObject([
      { time: 1700000000000 },
    ]);
  });
});

describe('what is refused', () => {
  test.each([
    ['m', /no fields/],
    ['m ', /no fields/],
    [',a=b value=1', /measurement is empty/],
    ['m,a value=1', /tag "a" has no value/],
    ['m,a= value=1', /tag "a" is empty/],
    ['m,a=1,a=2 value=1', /given twice/],
    ['m value', /field "value" has no value/],
    ['m value=', /has the value ""/],
    ['m value=abc', /has the value "abc"/],
    ['m value=NaN', /has the value "NaN"/],
    ['m value=-7u x', /.*/],
    ['m value=9007199254740993i', /past ±2\^53/],
    ['m value=1e999', /too large/],
    ['m value="open', /no closing quote/],
    ['m value=1 tomorrow', /timestamp "tomorrow"/],
    ['m value=1 5 6', /after the timestamp/],
  ])('%j', (line, reason) => {
    const { values, reasons } = decode(decoder, line);
    expect(values).toEqual([]);
    expect(reasons).toEqual([expect.stringMatching(reason)]);
    expect(reasons[0]).toMatch(/^line 1: /);
  });

  test.each(['m value=abc', 'm', 'm,a value=1', 'm value="open', 'm value=1 2 3', ',', '"'])(
    'the bad line %j is refused by its number and spoils no neighbour',
    (bad) => {
      const { values, reasons } = decode(decoder, `# one\na value=1\n${bad}\nb value=2\nm value=x`);
      expect(values.map(({ device }) => device)).toEqual(['a', 'b']);
      expect(reasons.map((reason) => reason.slice(0, 7))).toEqual(['line 3:', 'line 5:']);
    },
  );

  test('a tag named __proto__ is a tag', () => {
    const { values } = decode(decoder, 'm,__proto__=x value=1');
    expect(Object.entries(values[0]!['tags'] as object)).toEqual([['__proto__', 'x']]);
  });
});

test('whatever the bytes, it ends and never throws', () => {
  const text = fc.array(fc.constantFrom(...'ma,= \\"\n1i#t'), { maxLength: 60 }).map((parts) => parts.join(''));
  fc.assert(fc.property(text, (line) => void decode(decoder, line)));
});
