import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTime } from '../../../../gateway/base/parse-time.ts';
import { CsvReader } from '../../../../gateway/commands/replay/csv-reader.ts';
import { readInPieces, recordedCalls } from './recorded-calls.ts';

function read(text: string, sizes: readonly number[] = [1 << 20]): readonly string[] {
  const target = recordedCalls();
  readInPieces(new CsvReader('d', target), text, sizes);
  return target.calls;
}

/** What the cells say, as an independent parser takes them apart. */
function expected(text: string): readonly string[] {
  const [head, ...rows] = parse(text, {
    bom: true,
    delimiter: [',', ';'],
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  }) as string[][];
  return rows.flatMap(([first = '', ...cells]) => {
    const time = parseTime(first);
    if (time === undefined) return [`time ${first}`];
    return cells.flatMap((cell, i) => {
      const metric = head?.[i + 1];
      if (metric === undefined || cell === '') return [];
      return [Number.isFinite(Number(cell)) ? `d/${metric} ${Number(cell)} ${time}` : `value ${cell}`];
    });
  });
}

const cell = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map(String),
  fc.constantFrom('', ' 7 ', '"8"', ' "9" ', '"1,5"', '"x""y"', '"two\nlines"', 'three', '5x'),
);
const row = fc
  .tuple(
    fc.constantFrom('2026-01-05 06:00:00', '1767592800000', '"2026-01-05T06:00:01Z"', 'never'),
    fc.array(cell, { maxLength: 4 }),
  )
  .map(([time, cells]) => [time, ...cells].join(','));

test('a CSV says what an independent parser finds in it, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: row }, fc.constantFrom('', '\r')), { maxLength: 30 }),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      (rows, end, sizes) => {
        const text = ['time,a,b,c', ...rows].join(end);
        const told = read(text, sizes).map((call) =>
          call
            .replace(/^line \d+: the time (".*") cannot be read$/s, (_, quoted) => `time ${JSON.parse(quoted)}`)
            .replace(
              /^line \d+: the value (".*") of . is not a finite number$/s,
              (_, quoted) => `value ${JSON.parse(quoted)}`,
            ),
        );
        expect(told).toEqual(expected(text));
      },
    ),
    { numRuns: 1_000 },
  );
});

test('a refused row is named with the line that it begins in', () => {
  const text = '\ufefftime;a\n\n"2026-01-05T06:00:00Z";"1\n2"\nnever;1\n2026-01-05T06:00:00Z;three';
  expect(read(text)).toEqual([
    'line 3: the value "1\\n2" of a is not a finite number',
    'line 5: the time "never" cannot be read',
    'line 6: the value "three" of a is not a finite number',
  ]);
});

test('a column whose name cannot be that of a metric refuses its values, not those of the others', () => {
  expect(read('time,,b\n2026-01-05T06:00:00Z,1,2')).toEqual(['d/: the metric is empty', 'd/b 2 1767592800000']);
});

test('a quote that is never closed takes the rest of the file with it, and is told', () => {
  const calls = read('time,a\n2026-01-05T06:00:00Z,"1\n2026-01-05T06:00:01Z,2\n');
  expect(calls).toEqual(['line 2: the value "1\\n2026-01-05T06:00:01Z,2" of a is not a finite number']);
});
