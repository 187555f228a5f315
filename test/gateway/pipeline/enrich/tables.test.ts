import { expect, test } from 'vitest';
import type { TableContent } from '../../../../gateway/core/table.ts';
import { type TableSettings, Tables } from '../../../../gateway/pipeline/enrich/tables.ts';
import { throughDisk } from '../make-reading.ts';

const CONTENT: TableContent = {
  columns: { hall: 'string', area: 'double' },
  rows: [
    ['d', ['A', 1]],
    ['toString', ['B', null]],
  ],
};
const SETTINGS: TableSettings = { name: 't', key: 'device', tags: ['hall'], content: CONTENT };

function tagsOf(tables: Tables, device: string, tags: Record<string, string> = {}): unknown {
  const series = { key: `${device}/m`, device, metric: 'm', tags };
  const result = {
    kind: 'aggregate',
    series,
    window: 'w',
    start: 0,
    end: 1,
    revision: 0,
    fields: {},
    good: 1,
  } as const;
  return tables.tagged(result).series.tags;
}

test('a tag of the series itself stays, a cell that is not there gives none, and a table is asked for a device or a tag', () => {
  const tables = new Tables([SETTINGS, { ...SETTINGS, name: 'u', key: 'line', tags: ['area'] }]);
  expect(tagsOf(tables, 'd')).toEqual({ hall: 'A' });
  expect(tagsOf(tables, 'd', { hall: 'Z', line: 'd' })).toEqual({ hall: 'Z', line: 'd', area: '1' });
  expect(tagsOf(tables, 'e', { line: 'toString' })).toEqual({ line: 'toString' });
  expect(tagsOf(tables, 'constructor')).toEqual({});
});

test('a snapshot has what was told, and takes it up again where the table is the same', () => {
  const tables = new Tables([SETTINGS]);
  const restored = (settings: TableSettings, from: Tables) => {
    const made = new Tables([settings]);
    made.restore(throughDisk(from.snapshot()));
    return tagsOf(made, 'd');
  };
  expect(restored({ ...SETTINGS, content: { ...CONTENT, rows: [] } }, tables)).toEqual({});
  tables.replace('t', { ...CONTENT, rows: [['d', ['B', null]]] });
  expect(restored(SETTINGS, tables)).toEqual({ hall: 'B' });
  expect(restored({ ...SETTINGS, key: 'line' }, tables)).toEqual({});
  // Expressions are typed for another column now.
  expect(restored({ ...SETTINGS, content: { columns: { hall: 'string', area: 'string' }, rows: [] } }, tables)).toEqual(
    {},
  );
  expect(restored({ ...SETTINGS, name: 'other' }, tables)).toEqual({ hall: 'A' });
  for (const damaged of [null, { version: 2 }, { version: 1, tables: [['t', 'device', 7]] }]) {
    expect(() => new Tables([SETTINGS]).restore(damaged)).toThrow('Cannot restore the tables');
  }
});
