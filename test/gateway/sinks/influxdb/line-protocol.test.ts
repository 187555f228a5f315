import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodePoint,
  type FieldValue,
  type Point,
  Unwritable,
} from '../../../../gateway/sinks/influxdb/line-protocol.ts';
import { hostileText } from './hostile-text.ts';
import { type ParsedPoint, parseLines } from './parse-lines.ts';

/** Batches of twenty points of about six strings each; for a long run set the variable to a million strings or more. */
const STRINGS = Number(process.env['HEADGATE_PROPERTY_STRINGS'] ?? 20_000);

const point = (change: Partial<Point> = {}): Point => ({
  measurement: 'temperature',
  tags: { device: 'press-1' },
  fields: { mean: 21.5 },
  time: 1000,
  ...change,
});

describe('encodePoint', () => {
  it('writes measurement, tags in order of their names, fields and time', () => {
    const tags = { window: 'minute', device: 'press-1' };
    const fields = { active: true, score: 1, value: 2.5, message: 'all well' };
    expect(encodePoint(point({ tags, fields }))).toBe(
      'temperature,device=press-1,window=minute active=true,score=1,value=2.5,message="all well" 1000',
    );
  });

  it('escapes the characters that separate, each where it separates', () => {
    expect(
      encodePoint(point({ measurement: 'a,b=c d', tags: { 'k,=  ': 'v,= "' }, fields: { 'f,= ': 's,= "\\\n' } })),
    ).toBe('a\\,b=c\\ d,k\\,\\=\\ \\ =v\\,\\=\\ " f\\,\\=\\ ="s,= \\"\\\\\n" 1000');
  });

  it('leaves out empty tags', () => {
    expect(encodePoint(point({ tags: { device: '', site: 'x' } }))).toBe('temperature,site=x mean=21.5 1000');
  });

  it('writes every number as a float, and never a minus zero', () => {
    const numbers = [0, -0, 1, -1, 0.1, 1e21, 5e-324, 1.7976931348623157e308, 2 ** 53];
    for (const value of numbers) {
      const [parsed] = parseLines(encodePoint(point({ fields: { value } })) as string);
      expect(parsed?.fields['value']).toBe(value === 0 ? 0 : value);
    }
  });

  it('rounds a time with a fraction down, before 1970 too', () => {
    expect(encodePoint(point({ time: 1000.9 }))).toMatch(/ 1000$/);
    expect(encodePoint(point({ time: -0.5 }))).toMatch(/ -1$/);
    expect(encodePoint(point({ time: 0 }))).toMatch(/ 0$/);
  });

  it.each<[string, Partial<Point>, RegExp]>([
    ['a NaN', { fields: { mean: Number.NaN } }, /field "mean" is NaN; it must be finite/],
    ['an infinity', { fields: { mean: -Infinity } }, /field "mean" is -Infinity/],
    ['no field', { fields: {} }, /no fields/],
    ['a comment', { measurement: '#1' }, /begins with #/],
    ['an empty measurement', { measurement: '' }, /measurement is empty/],
    ['a newline in a name', { tags: { device: 'a\nb' } }, /tag "device" "a\\nb" has a control character/],
    ['a backslash at an end', { tags: { device: 'C:\\' } }, /backslash/],
    ['a backslash before a comma', { measurement: 'a\\,b' }, /backslash/],
    ['half a character', { tags: { device: 'a\ud800' } }, /not valid Unicode/],
    ['half a character in a string', { fields: { message: '\udc00' } }, /not valid Unicode/],
    ['a time beyond the year 2262', { time: 9.3e12 }, /time 9300000000000 ms is outside/],
    ['no time', { time: Number.NaN }, /time NaN ms is outside/],
  ])('refuses %s, and says why', (_, change, reason) => {
    const refused = encodePoint(point(change));
    expect(refused).toBeInstanceOf(Unwritable);
    expect((refused as Unwritable).reason).toMatch(reason);
  });

  it(`never lets a string become a point, a tag or a field of its own (${STRINGS} random strings)`, () => {
    const text = hostileText();
    const anyPoint = fc.record({
      measurement: text,
      tags: fc.dictionary(text, text, { maxKeys: 2 }),
      fields: fc.dictionary(text, fc.oneof(text, fc.double(), fc.boolean()), { minKeys: 1, maxKeys: 2 }),
      time: fc.integer(),
    });
    let written = 0;
    fc.assert(
      fc.property(fc.array(anyPoint, { minLength: 20, maxLength: 20 }), (points) => {
        const lines: string[] = [];
        const expected: ParsedPoint[] = [];
        for (const one of points) {
          const line = encodePoint(one);
          if (line instanceof Unwritable) continue;
          lines.push(line);
          expected.push(asRead(one));
        }
        written += lines.length;
        expect(parseLines(lines.join('\n'))).toEqual(expected);
      }),
      { numRuns: Math.ceil(STRINGS / 120) },
    );
    // A writer that refuses everything would inject nothing either.
    expect(written).toBeGreaterThan(STRINGS / 120);
  });
});

/** What a point should be read back as: empty tags are gone, minus zero is zero. */
function asRead({ measurement, tags, fields, time }: Point): ParsedPoint {
  const zero = (value: FieldValue): FieldValue => (value === 0 ? 0 : value);
  return {
    measurement,
    tags: bare(Object.entries(tags).filter(([, value]) => value !== '')),
    fields: bare(Object.entries(fields).map(([key, value]) => [key, zero(value)])),
    time,
  };
}

function bare<T>(entries: [string, T][]): Record<string, T> {
  const object: Record<string, T> = Object.create(null);
  for (const [key, value] of entries) object[key] = value;
  return object;
}
