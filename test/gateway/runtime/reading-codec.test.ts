import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Reading, Series } from '../../../gateway/core/reading.ts';
import { decodeReadings, ReadingEncoder } from '../../../gateway/runtime/reading-codec.ts';

const name = fc.stringMatching(/^[ -~äöü°]{1,12}$/);
const arbitraryReading = fc
  .record({
    device: name,
    metric: name,
    tags: fc.dictionary(fc.constantFrom('site', 'line', '__proto__'), name, { maxKeys: 2 }),
    source: fc.constantFrom('floor', 'press'),
    value: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.string({ maxLength: 30, unit: 'grapheme' }),
    ),
    quality: fc.constantFrom(Quality.good, Quality.uncertain, Quality.bad),
    // Its own time may be that of receiving it.
    sourceTime: fc.oneof(fc.double({ min: 0, max: 4e12, noNaN: true }), fc.constant(1.7e12)),
    receiveTime: fc.integer({ min: 1.7e12, max: 1.7e12 + 3 }),
    stamped: fc.boolean(),
    marked: fc.boolean(),
  })
  .map(({ marked, ...reading }) =>
    reading.stamped
      ? { ...reading, sourceTime: reading.receiveTime, ahead: false, provisional: marked }
      : { ...reading, ahead: marked, provisional: false },
  );

test('readings come back from a journal record as they were, whatever their names, values and times', () => {
  fc.assert(
    fc.property(fc.array(fc.array(arbitraryReading, { maxLength: 30 }), { maxLength: 4 }), (records) => {
      const registry = new SeriesRegistry();
      const encoder = new ReadingEncoder();
      for (const record of records) {
        const readings = record.map(({ device, metric, tags, ...rest }) => ({
          ...rest,
          series: registry.intern({ device, metric, tags }) as Series,
        }));
        for (const reading of readings) encoder.add(reading);
        expect(encoder.count).toBe(readings.length);
        // A new registry: the record must stand alone.
        const elsewhere = new SeriesRegistry();
        const decoded = decodeReadings(encoder.finish(), (identity, unit) => elsewhere.intern(identity, unit));
        expect(decoded.homeless).toEqual([]);
        expect(decoded.readings.map(plain)).toEqual(readings.map(plain));
      }
    }),
    { verbose: 1 },
  );
});

test('a reading of a known series takes at most 26 bytes in a record', () => {
  const series = new SeriesRegistry().intern({ device: 'press-1', metric: 'oil_temperature' }) as Series;
  const encoder = new ReadingEncoder();
  for (let i = 0; i < 1000; i++) {
    encoder.add({
      series,
      source: 'floor',
      value: 20 + i / 7,
      quality: Quality.good,
      sourceTime: i,
      receiveTime: 5_000 + i,
    });
  }
  expect(encoder.finish().length / 1000).toBeLessThan(26.1);
});

test('a record cut anywhere is refused with a sentence, never half read in silence', () => {
  const registry = new SeriesRegistry();
  const series = registry.intern({ device: 'd', metric: 'm' }) as Series;
  const encoder = new ReadingEncoder();
  encoder.add({ series, source: 's', value: 'text', quality: Quality.bad, sourceTime: 1, receiveTime: 2 });
  const whole = Uint8Array.from(encoder.finish());
  for (let length = 2; length < whole.length; length++) {
    expect(() => decodeReadings(whole.subarray(0, length), (identity) => registry.intern(identity))).toThrow(
      /^Cannot read journal record: /,
    );
  }
});

test('readings whose series finds no room any more are left out, and where they came from told', () => {
  const registry = new SeriesRegistry();
  const encoder = new ReadingEncoder();
  for (const device of ['a', 'b', 'b']) {
    const series = registry.intern({ device, metric: 'm' }) as Series;
    encoder.add({ series, source: 's', value: 1, quality: Quality.good, sourceTime: 1, receiveTime: 1 });
  }
  const small = new SeriesRegistry(1);
  const { readings, homeless } = decodeReadings(encoder.finish(), (identity) => small.intern(identity));
  expect(readings.map(({ series }) => series.device)).toEqual(['a']);
  expect(homeless).toMatchObject([
    { source: 's', device: 'b' },
    { source: 's', device: 'b' },
  ]);
});

function plain({ series, ...reading }: Reading) {
  return { ...reading, key: series.key, tags: { ...series.tags } };
}

const changes = fc.array(
  fc.record({
    peer: fc.string({ maxLength: 200, unit: 'grapheme' }),
    id: fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined }),
    value: fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 10 },
);

test('changes of marks come back in order, whatever readings lie between them', () => {
  fc.assert(
    fc.property(changes, fc.array(arbitraryReading, { maxLength: 10 }), (marks, readings) => {
      const registry = new SeriesRegistry();
      const encoder = new ReadingEncoder();
      const expected = marks.map(({ peer, id, value }) => ({ peer, id, value: id === undefined ? undefined : value }));
      const added = readings.map(({ device, metric, tags, ...rest }) => ({
        ...rest,
        series: registry.intern({ device, metric, tags }) as Series,
      }));
      for (let i = 0; i < Math.max(expected.length, added.length); i++) {
        if (i < added.length) encoder.add(added[i]!);
        if (i < expected.length) encoder.mark(expected[i]!);
      }
      const decoded = decodeReadings(encoder.finish(), (identity, unit) => registry.intern(identity, unit));
      expect(decoded.marks).toEqual(expected);
      expect(decoded.readings.map(plain)).toEqual(added.map(plain));
      expect(encoder.isEmpty).toBe(true);
      // A program that knows no marks must not take the next record for one that has some.
      encoder.add(added[0] ?? { ...readingOf(registry), value: 1 });
      expect(encoder.finish()[0]).toBe(1);
    }),
  );
});

function readingOf(registry: SeriesRegistry) {
  const series = registry.intern({ device: 'd', metric: 'm' }) as Series;
  return { series, source: 'floor', quality: Quality.good, sourceTime: 1, receiveTime: 1 };
}
