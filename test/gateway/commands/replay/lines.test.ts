import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lines } from '../../../../gateway/commands/replay/lines.ts';
import { aggregate, alarm, seriesOf } from '../../sinks/results.ts';

test('results are lines of JSON in UTF-8, however many there are', () => {
  const lines = new Lines();
  const name = fc.string({ unit: 'grapheme', maxLength: 300 });
  fc.assert(
    fc.property(fc.array(name, { maxLength: 400, size: 'max' }), (names) => {
      const results = names.map((one) => aggregate({ series: seriesOf('d', 'm', { one }) }));
      lines.add([alarm()]);
      lines.add(results);
      const expected = [alarm(), ...results].map((result) => `${JSON.stringify(result)}\n`).join('');
      expect(lines.length).toBe(Buffer.byteLength(expected));
      expect(Buffer.from(lines.take()).toString()).toBe(expected);
      expect(lines.length).toBe(0);
    }),
    { numRuns: 30 },
  );
});
