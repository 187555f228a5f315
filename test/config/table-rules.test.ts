import { expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

const FILES: Readonly<Record<string, string>> = {
  '/etc/headgate/machines.csv': 'device,rated,hall\npress-1,5,A\n',
  '/etc/headgate/halls.yaml': 'A: { area: 120 }\n',
  '/etc/headgate/broken.csv': 'device,rated\npress-1,5\npress-1,6\n',
};

const readFile = (path: string) => {
  const text = FILES[path];
  if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
  return text;
};

test('a table is read when the configuration is loaded, and its columns are names in expressions', () => {
  const text = `tables:
  - { name: machines, file: machines.csv, tags: [hall] }
  - { name: halls, file: halls.yaml, key: site }
derive: [{ name: share, series: "*/power", value: value / machines.rated / halls.area }]
join: [{ name: x, left: "*/a", right: "*/b", asOf: 1m, value: "machines.hall == 'A' ? left : right" }]
`;
  const { tables } = configurationOf(text, { readFile });
  expect(tables).toEqual([
    {
      name: 'machines',
      path: '/etc/headgate/machines.csv',
      key: 'device',
      tags: ['hall'],
      content: { columns: { rated: 'double', hall: 'string' }, rows: [['press-1', [5, 'A']]] },
    },
    {
      name: 'halls',
      path: '/etc/headgate/halls.yaml',
      key: 'site',
      tags: [],
      content: { columns: { area: 'double' }, rows: [['A', [120]]] },
    },
  ]);
});

test('a table that cannot be taken, and an expression that names what it does not have, are refused at their places', () => {
  const text = `tables:
  - { name: machines, file: machines.csv, tags: [line] }
  - { name: value, file: machines.csv }
  - { name: a-b, file: machines.csv }
  - { name: gone, file: gone.csv }
  - { name: broken, file: broken.csv }
  - { name: machines, file: machines.csv }
derive: [{ name: share, series: "*/power", value: value / broken.rated }]
`;
  const problems = problemsOf(text, { readFile });
  expect(briefly(problems)).toEqual([
    '2:50 tables[0].tags[0]: the table has no column "line"',
    '3:13 tables[1].name: an expression cannot name a table "value"',
    '4:13 tables[2].name: an expression cannot name a table "a-b"',
    expect.stringMatching(/^5:25 tables\[3\]\.file: cannot take \/etc\/headgate\/gone\.csv: ENOENT/),
    '6:27 tables[4].file: cannot take /etc/headgate/broken.csv: lines 2 and 3 are both of "press-1"',
    '7:13 tables[5].name: the name "machines" is taken by tables[0]',
  ]);
  expect(problems[0]?.hint).toBe('it has rated, hall');
  const unnamed = problemsOf(
    `tables: [{ name: machines, file: machines.csv }]\nderive: [{ name: s, series: "*/p", value: value / machines.power + machines.hall }]`,
    { readFile },
  );
  expect(briefly(unnamed)).toEqual(['2:60 derive[0].value: there is no power']);
  expect(unnamed[0]?.hint).toContain('names: value, device, metric, tags.NAME, machines.rated, machines.hall; ');
  expect(briefly(problemsOf('tables: [{ name: machines, file: machines.csv }]'))).toEqual([
    '1:34 tables[0].file: cannot take /etc/headgate/machines.csv: files cannot be read here',
  ]);
});

test('a table by a tag that no source gives is refused', () => {
  const text = `sources: [{ name: floor, type: mqtt, readings: [{ topic: "a/+/+", template: _/device/metric }] }]
tables: [{ name: machines, file: machines.csv, key: device }, { name: halls, file: halls.yaml, key: hall }]
`;
  expect(briefly(problemsOf(text, { readFile }))).toEqual([
    '2:101 tables[1].key: no series has a tag "hall": no source gives it',
  ]);
});
