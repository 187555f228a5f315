import { describe, expect, test } from 'vitest';
import { MAX_TABLE_BYTES, MAX_TABLE_ROWS, parseTable } from '../../config/table-file.ts';

const csv = (text: string, key = 'device') => parseTable(text, '/t/machines.csv', key);
const yaml = (text: string) => parseTable(text, '/t/machines.yaml', 'device');

describe('a table', () => {
  test('in CSV has columns of numbers where all cells are, else of texts; an empty cell is not there', () => {
    const text = '\ufeffdevice, rated, hall, code, empty\n\npress-1, 5.5, A, 007, \npress-2,,B,12,\n"x, y",-1e3,,1,\n';
    expect(csv(text)).toEqual({
      columns: { rated: 'double', hall: 'string', code: 'string' },
      rows: [
        ['press-1', [5.5, 'A', '007']],
        ['press-2', [null, 'B', '12']],
        ['x, y', [-1000, null, '1']],
      ],
    });
  });

  test('in YAML has a group of cells under each key', () => {
    const text = 'press-1: { rated: 5.5, hall: A, code: "7" }\npress-2: &two { rated: 6 }\n3: *two\n';
    expect(yaml(text)).toEqual({
      columns: { rated: 'double', hall: 'string', code: 'double' },
      rows: [
        ['press-1', [5.5, 'A', 7]],
        ['press-2', [6, null, null]],
        ['3', [6, null, null]],
      ],
    });
  });

  test.each([
    ['name,rated\na,1\n', 'its first line has no column "device"', 'it has "name", "rated"'],
    ['', 'its first line has no column "device"', 'it has '],
    ['device,a,a\nx,1,2\n', 'its first line names "a" twice', undefined],
    ['device,a\nx,1\ny,2\nx,3\n', 'lines 2 and 4 are both of "x"', 'leave one out'],
    ['device,a\n,1\n', 'line 2 has no device', undefined],
    ['device,a\nx,1,2\n', 'it is not CSV, line 2: ', undefined],
    ['device,a\nx,"1\n', 'it is not CSV', undefined],
    ['device,rated power\nx,1\n', 'the column "rated power" cannot be named in an expression', 'letters, digits'],
    ['device,constructor\nx,1\n', 'the column "constructor" cannot be named', 'letters, digits'],
    ['device,__proto__\nx,1\n', 'the column "__proto__" cannot be named', 'letters, digits'],
    [`device,a\nx,${'y'.repeat(257)}\n`, 'a cell of a cannot be a tag: "yyy', 'at most 256 characters'],
    [
      `device,${Array.from({ length: 33 }, (_, i) => `c${i}`)}\nx,${'1,'.repeat(32)}1\n`,
      'it has 33 columns',
      undefined,
    ],
  ])('in CSV that cannot be one is refused: %j', (text, message, hint) => {
    let found: unknown;
    try {
      csv(text);
    } catch (error) {
      found = error;
    }
    expect(found).toMatchObject({ message: expect.stringContaining(message) });
    if (hint !== undefined) expect(found).toMatchObject({ hint: expect.stringContaining(hint) });
  });

  test.each([
    ['- a\n- b\n', 'it has no keys'],
    ['a: 1\n', '"a" has no group of cells'],
    ['a: { b: true }\n', 'a.b is true'],
    ['a: { b: .nan }\n', 'a.b is NaN'],
    ['a: { b: [1] }\n', 'a.b is [1]'],
    ['a: { b: 1 }\na: { b: 2 }\n', 'it is not YAML: Map keys must be unique'],
    ['a: { b: "x\\ny" }\n', 'a cell of b cannot be a tag'],
  ])('in YAML that cannot be one is refused: %j', (text, message) => {
    expect(() => yaml(text)).toThrow(message);
  });

  test('in YAML that unfolds without end is refused', () => {
    const aliases = Array.from({ length: 200 }, (_, i) => `k${i}: [*a, *a, *a]`);
    expect(() => yaml(['a: &a { b: 1 }', ...aliases].join('\n'))).toThrow('it cannot be unfolded: ');
  });

  test('of a million rows is refused, by its size before it is taken apart, or by its rows', () => {
    const rows = (count: number) => `device,a\n${Array.from({ length: count }, (_, i) => `d${i},1\n`).join('')}`;
    expect(() => csv(rows(1_000_000))).toThrow(`at most ${MAX_TABLE_BYTES} are read`);
    expect(() => csv(rows(MAX_TABLE_ROWS + 1))).toThrow('it has 10001 rows; at most 10000 are taken');
    expect(csv(rows(MAX_TABLE_ROWS)).rows).toHaveLength(MAX_TABLE_ROWS);
  });
});
