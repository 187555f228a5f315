import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Columns, PortionWriter, ROUND_READINGS } from '../../../../gateway/commands/replay/portion.ts';
import { Quality } from '../../../../gateway/core/quality.ts';

const reading = fc.record({
  series: fc.nat(),
  value: fc.oneof(fc.double(), fc.boolean(), fc.string()),
  quality: fc.constantFrom(Quality.good, Quality.uncertain, Quality.bad),
  time: fc.double({ noNaN: true }),
});

test('readings come out of a portion as they went in, also where its buffer was used before', () => {
  const writer = new PortionWriter();
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 50 }), (readings) => {
      for (const [place, { series, value, quality, time }] of readings.entries()) {
        writer.add(series, 2 * place, value, quality, time);
      }
      const { buffer, count, texts, before } = writer.take(1_000)!;
      const columns = new Columns(buffer);
      let text = 0;
      const found = Array.from({ length: count }, (_, i) => ({
        series: columns.series(i),
        value: columns.isText(i) ? texts[text++] : columns.value(i),
        quality: columns.quality(i),
        time: columns.time(i),
      }));
      expect(found).toEqual(readings);
      expect(columns.place(count - 1)).toBe(2 * (count - 1));
      expect(before).toBe(1_000);
      writer.recycle(buffer);
    }),
  );
});

test('a series is introduced once, with the portion in which it appears first', () => {
  const writer = new PortionWriter();
  const series = { device: 'd', metric: 'm', unit: undefined, group: 3 };
  expect([writer.introduce(series), writer.introduce({ ...series, metric: 'n' })]).toEqual([0, 1]);
  writer.add(0, 0, 1, Quality.good, 0);
  expect(writer.take(0)?.newSeries).toEqual([series, { ...series, metric: 'n' }]);
  expect(writer.take(0)).toBeUndefined();
  writer.add(1, 0, 1, Quality.good, 0);
  expect(writer.take(0)?.newSeries).toEqual([]);
});

test('a round has an end', () => {
  const writer = new PortionWriter();
  for (let i = 0; i < ROUND_READINGS; i++) writer.add(0, i, i, Quality.good, i);
  expect(() => writer.add(0, ROUND_READINGS, 1, Quality.good, 1)).toThrow('the round is over');
});
