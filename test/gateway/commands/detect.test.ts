import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headgate, scratch } from './headgate.ts';

let folder: string;
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ folder, remove } = await scratch());
  await writeFile(join(folder, 'values.csv'), VALUES);
  await writeFile(join(folder, 'quoted.csv'), 'series: "*"\n');
});
afterAll(() => remove());

/** Two columns, a time in quotes, an empty cell and one that is no number. */
const VALUES = `time,pressure,flow
2026-01-05T00:00:00Z,1,5
2026-01-05T00:00:01Z,50,5
"2026-01-05T00:00:02Z",x,5
2026-01-05T00:00:03Z,,500
`;
const OUT_OF_RANGE = `timestamp,score,anomaly
2026-01-05T00:00:00Z,0.9,0
2026-01-05T00:00:01Z,4,1
2026-01-05T00:00:02Z,0.5,0
2026-01-05T00:00:03Z,49,1
`;

const range = ['--detector', 'range', '--set', 'min=0', '--set', 'max=20'];

test('each row is scored by the worst of its columns', async () => {
  expect(await headgate(['detect', 'values.csv', ...range], folder)).toEqual({
    code: 0,
    stdout: OUT_OF_RANGE,
    stderr: '',
  });
});

test('--out writes the same to a file, and nothing to the standard output', async () => {
  expect(await headgate(['detect', 'values.csv', ...range, '--out', 'scores.csv'], folder)).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  expect(await readFile(join(folder, 'scores.csv'), 'utf8')).toBe(OUT_OF_RANGE);
});

test('durations are set as in a configuration', async () => {
  const stuck = Array.from({ length: 20 }, (_, i) => `2026-01-05T00:00:${String(i).padStart(2, '0')}Z,7`);
  await writeFile(join(folder, 'stuck.csv'), `time,flow\n${stuck.join('\n')}\n`);
  const { code, stdout } = await headgate(
    ['detect', 'stuck.csv', '--detector', 'flatline', '--set', 'for=10s'],
    folder,
  );
  const anomalies = stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[2]);
  expect(code).toBe(0);
  expect(anomalies.indexOf('1')).toBe(10);
});

test('without a detector auto judges, and a jump after the warm-up is an anomaly', async () => {
  const values = Array.from({ length: 400 }, (_, i) => (i === 350 ? 90 : 20 + Math.sin(i / 5)));
  const lines = values.map((value, i) => `${Date.UTC(2026, 0, 5) + i * 1000},${value}`);
  await writeFile(join(folder, 'jump.csv'), `time,value\n${lines.join('\n')}\n`);
  const { stdout } = await headgate(['detect', 'jump.csv'], folder);
  const rows = stdout.trim().split('\n').slice(1);
  expect(rows).toHaveLength(400);
  expect(rows[350]).toMatch(/,1$/);
  expect(rows.filter((row) => row.endsWith(',1'))).toHaveLength(1);
});

test('without a detector several columns are judged together, with its own settings', async () => {
  const values = Array.from({ length: 600 }, (_, i) => {
    const load = Math.sin(i * 1.7);
    return `${i * 1000},${load},${load + (i < 500 ? 0 : 9) + Math.sin(i * 0.9) / 4}`;
  });
  await writeFile(join(folder, 'together.csv'), `time,load,current\n${values.join('\n')}\n`);
  const { code, stdout } = await headgate(['detect', 'together.csv', '--set', 'relearnAfter=1h'], folder);
  const anomalies = stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[2]);
  expect(code).toBe(0);
  expect(anomalies.indexOf('1')).toBeGreaterThanOrEqual(500);
  expect(anomalies.slice(520)).toEqual(anomalies.slice(520).fill('1'));
});

test.each([
  {
    args: ['values.csv', '--detector', 'oracle'],
    says: /"oracle"[\s\S]*range, auto, novelty, flatline, rate-of-change[\s\S]*together mahalanobis/,
  },
  { args: ['values.csv', '--detector', 'range', '--set', 'mni=1'], says: /no option "mni"[\s\S]*min, max/ },
  { args: ['values.csv', '--detector', 'range', '--set', 'min=low'], says: /not a number: got "low"/ },
  { args: ['values.csv', '--detector', 'flatline', '--set', 'for=5'], says: /needs a unit/ },
  { args: ['values.csv', '--detector', 'flatline'], says: /option for is missing/ },
  { args: ['values.csv', '--detector', 'auto', '--set', 'window'], says: /name=value/ },
  { args: ['values.csv', '--detector', 'flatline', '--set', 'forr=5s'], says: /no option "forr"[\s\S]*for, tolerance/ },
  { args: ['quoted.csv'], says: /quoted\.csv: Invalid Opening Quote[\s\S]*has to be a CSV/ },
  { args: ['absent.csv'], says: /absent\.csv: ENOENT[\s\S]*a file that is there/ },
  { args: ['values.csv', '--out', 'absent/scores.csv'], says: /Cannot write .*absent\/scores\.csv: ENOENT/ },
])('what a user can mend is told, exit 1: $args', async ({ args, says }) => {
  const { code, stdout, stderr } = await headgate(['detect', ...args], folder);
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/\n {4}at /);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
});
