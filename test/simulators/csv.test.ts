import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type CsvOptions, type CsvRow, openCsv, parseCell, parseTime } from '../../simulators/csv.ts';
import { temporaryFolder } from '../temporary-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

async function read(text: string, options: Omit<CsvOptions, 'file'> = {}) {
  const file = join(folder, 'valve.csv');
  await writeFile(file, text);
  const table = await openCsv({ file, ...options });
  const rows: CsvRow[] = [];
  for await (const row of table.rows()) rows.push(row);
  return { device: table.device, metrics: table.metrics, rows };
}

test('a time and a value: the file is the device, the header the metric, and a time without zone is UTC', async () => {
  const { device, metrics, rows } = await read(
    'timestamp,value\n2013-12-02 21:15:00,73.96732207\n2013-12-02 21:20:00,-1e-3\n',
  );
  expect([device, metrics]).toEqual(['valve', ['value']]);
  expect(rows).toEqual([
    { index: 0, timeMs: Date.parse('2013-12-02T21:15:00Z'), values: [73.96732207] },
    { index: 1, timeMs: Date.parse('2013-12-02T21:20:00Z'), values: [-0.001] },
  ]);
});

test('semicolons are recognised, and a comma inside a cell is then a decimal comma', async () => {
  const { metrics, rows } = await read('datetime;a;b\n2020-03-09 10:14:33;1,5;text, more\n');
  expect(metrics).toEqual(['a', 'b']);
  expect(rows[0]?.values).toEqual([1.5, 'text, more']);
});

test('columns are picked and renamed; the time column may stand anywhere', async () => {
  const text = 'a,when,b\n1,1700000000,2\n';
  expect((await read(text, { timeColumn: 'when', columns: ['b'] })).metrics).toEqual(['b']);
  const renamed = await read(text, { timeColumn: 'when', columns: { b: 'flow', a: 'current' }, device: 'pump' });
  expect(renamed).toEqual({
    device: 'pump',
    metrics: ['flow', 'current'],
    rows: [{ index: 0, timeMs: 1_700_000_000_000, values: [2, 1] }],
  });
});

test('a missing column and an unreadable time are told with what there is', async () => {
  await expect(read('time,a\n', { columns: ['b'] })).rejects.toThrow('Cannot find the column "b"');
  await expect(read('time,a\nyesterday,1\n')).rejects.toThrow('Cannot read the time of row 1');
  await expect(read('')).rejects.toThrow('it has no header line');
});

describe('times', () => {
  test.each([
    ['2020-03-09 10:14:33', Date.UTC(2020, 2, 9, 10, 14, 33)],
    ['2020-03-09T10:14:33.25Z', Date.UTC(2020, 2, 9, 10, 14, 33, 250)],
    ['2020-03-09T10:14:33+02:00', Date.UTC(2020, 2, 9, 8, 14, 33)],
    ['2020-03-09', Date.UTC(2020, 2, 9)],
    ['1583748873', 1_583_748_873_000],
    ['1583748873123', 1_583_748_873_123],
    ['2020-04-31 00:00:00', undefined],
    ['', undefined],
    ['noon', undefined],
  ])('%s', (text, expected) => {
    expect(parseTime(text)).toBe(expected);
  });

  test('decimals beyond a millisecond are kept', () => {
    expect(parseTime('2020-03-09 10:14:33.0001234')).toBeCloseTo(Date.UTC(2020, 2, 9, 10, 14, 33) + 0.1234, 3);
  });
});

test.each([
  ['1', 1],
  ['true', true],
  ['', undefined],
  ['NaN', undefined],
  ['-inf', undefined],
  ['1e400', undefined],
  ['open', 'open'],
])('the cell %j says %j', (cell, expected) => {
  expect(parseCell(cell)).toBe(expected);
});
