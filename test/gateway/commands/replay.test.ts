import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Aggregate } from '../../../gateway/core/result.ts';
import { headgate, scratch } from './headgate.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const MINUTE = 60_000;
const CONFIGURATION = `
windows:
  - { name: minute, series: "*", window: { tumbling: 1m, allowedLateness: 10s }, aggregates: [count, sum, min, max, first, last] }
detect:
  - { series: "*/pressure", detector: range, max: 95, alarm: { severity: critical } }
sources: []
`;

interface Sample {
  readonly time: number;
  readonly pressure: number;
  readonly flow: number;
}

/** An hour of two metrics, seven seconds apart, without any randomness; whole numbers, so that sums are exact. */
const SAMPLES: readonly Sample[] = Array.from({ length: 500 }, (_, i) => ({
  time: T0 + i * 7_000,
  pressure: (i * 37) % 101,
  flow: ((i * 53) % 89) - 40,
}));

let folder: string;
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ folder, remove } = await scratch());
  await writeFile(join(folder, 'gateway.yaml'), CONFIGURATION);
  const csv = SAMPLES.map(({ time, pressure, flow }) => `${new Date(time).toISOString()},${pressure},${flow}`);
  await writeFile(join(folder, 'press-1.csv'), `time,pressure,flow\n${csv.join('\n')}\n`);
  const ndjson = SAMPLES.flatMap(({ time, pressure, flow }) => [
    JSON.stringify({ device: 'press-1', metric: 'pressure', value: pressure, time }),
    JSON.stringify({ device: 'press-1', metric: 'flow', value: flow, time: new Date(time).toISOString() }),
  ]);
  await writeFile(join(folder, 'readings.ndjson'), `${ndjson.join('\n')}\n`);
  const lines = SAMPLES.flatMap(({ time, pressure, flow }) => [
    `pressure,device=press-1 value=${pressure} ${time}000000`,
    `flow,device=press-1 value=${flow}i ${time}000000`,
  ]);
  await writeFile(join(folder, 'readings.lp'), `# recorded\n${lines.join('\n')}\n`);
});
afterAll(() => remove());

const replay = (...inputs: string[]) => headgate(['replay', '--config', 'gateway.yaml', ...inputs], folder);

/** The windows as anybody would compute them, all values at hand. */
function expectedWindows(): readonly object[] {
  const windows: object[] = [];
  for (const metric of ['pressure', 'flow'] as const) {
    for (let start = T0; start <= SAMPLES.at(-1)!.time; start += MINUTE) {
      const values = SAMPLES.filter(({ time }) => time >= start && time < start + MINUTE).map(
        (sample) => sample[metric],
      );
      const fields = {
        count: values.length,
        sum: values.reduce((total, value) => total + value, 0),
        min: Math.min(...values),
        max: Math.max(...values),
        first: values[0],
        last: values.at(-1),
      };
      windows.push({
        series: `press-1/${metric}`,
        window: 'minute',
        start,
        end: start + MINUTE,
        revision: 0,
        good: 1,
        fields,
      });
    }
  }
  return windows.sort(bySeriesAndStart);
}

function bySeriesAndStart(a: object, b: object): number {
  const key = (row: object) => `${'series' in row ? row.series : ''}@${'start' in row ? row.start : ''}`;
  return key(a) < key(b) ? -1 : 1;
}

function results(stdout: string) {
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; state?: string });
  const windows = all.filter((result): result is Aggregate => result.kind === 'aggregate');
  return {
    alarms: all.filter(({ kind }) => kind === 'alarm'),
    windows: windows.map(({ kind, series, ...rest }) => ({ ...rest, series: series.key })).sort(bySeriesAndStart),
  };
}

test.each(['press-1.csv', 'readings.ndjson', 'readings.lp'])(
  '%s gives the windows of an independent computation',
  async (input) => {
    const { code, stdout, stderr } = await replay(input);
    const { windows, alarms } = results(stdout);
    expect(windows).toEqual(expectedWindows());
    expect(alarms[0]).toMatchObject({ state: 'raised', detector: 'range', severity: 'critical' });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: '1000 readings: 1000 aggregated, 0 filtered, 0 duplicate, 0 late, 0 rejected\n',
    });
  },
);

test('of one reading it is told as of one', async () => {
  await writeFile(join(folder, 'one.yaml'), 'derive: [{ name: half, series: "*/m", value: value / 2 }]\n');
  await writeFile(join(folder, 'one.lp'), 'm,device=d value=1 1767592800000000000\n');
  const { stderr } = await headgate(['replay', '--config', 'one.yaml', 'one.lp'], folder);
  expect(stderr).toBe('1 reading: 1 aggregated, 0 filtered, 0 duplicate, 0 late, 0 rejected\nderive:half: 1 reading\n');
});

test('two runs say the same, byte for byte', async () => {
  const [first, second] = await Promise.all([replay('press-1.csv'), replay('press-1.csv')]);
  expect(first.stdout.length).toBeGreaterThan(10_000);
  expect(second).toEqual(first);
});

test('two and three workers say the same as one, byte for byte', async () => {
  const inputs = ['readings.ndjson', 'readings.lp'];
  for (let i = 2; i <= 5; i++) {
    const rows = SAMPLES.map(({ time, pressure, flow }) => `${time},${pressure * i},${flow - i}`);
    await writeFile(join(folder, `press-${i}.csv`), `time,pressure,flow\n${rows.join('\n')}\n`);
    inputs.push(`press-${i}.csv`);
  }
  const one = await replay(...inputs);
  expect(one.stderr).toMatch(/^6000 readings: 5000 aggregated, 0 filtered, 1000 duplicate/);
  expect(await replay('--workers', '2', ...inputs)).toEqual(one);
  expect(await replay('--workers', '3', ...inputs)).toEqual(one);
});

test('what is derived and joined is told, with what could not be computed, and the same with two workers', async () => {
  await writeFile(join(folder, 'machines.csv'), 'device,rated\npress-1,100\n');
  await writeFile(
    join(folder, 'derived.yaml'),
    `tables: [{ name: machines, file: machines.csv }]
derive:
  - { name: load, series: "*/pressure", value: value / machines.rated }
  - { name: per_flow, series: "*/both", value: 1 / (value - 0) }
join: [{ name: both, left: "*/pressure", right: "*/flow", within: 0s, value: left * right }]
windows: [{ name: all, series: "*/load", window: { tumbling: 30d }, aggregates: [count, sum] }]
`,
  );
  const run = (...more: string[]) =>
    headgate(['replay', '--config', 'derived.yaml', ...more, 'press-1.csv', 'readings.ndjson'], folder);
  const one = await run();
  const products = SAMPLES.map(({ pressure, flow }) => pressure * flow);
  const zeros = products.filter((product) => product === 0).length;
  expect(zeros).toBeGreaterThan(0);
  expect(one.stderr.trimEnd().split('\n').slice(-3)).toEqual([
    'derive:load: 500 readings',
    'join:both: 500 readings',
    `derive:per_flow: ${500 - zeros} readings, ${zeros} more could not be computed`,
  ]);
  const rows = one.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows).toMatchObject([{ series: { key: 'press-1/load' }, fields: { count: 500 } }]);
  const expected = SAMPLES.reduce((sum, { pressure }) => sum + pressure / 100, 0);
  expect(rows[0].fields.sum).toBeCloseTo(expected, 9);
  expect(await run('--workers', '2')).toEqual(one);
});

test('windows that readings end are those of an independent computation, and the same with two workers', async () => {
  const windows = [
    '  - { name: ten, series: "*/flow", window: { count: 10 }, aggregates: [sum] }',
    '  - { name: high, series: "*/pressure", window: { while: { above: 50 } }, aggregates: [count] }',
    '  - { name: last, series: "*/flow", window: { sliding: 14s }, aggregates: [sum] }',
  ];
  await writeFile(join(folder, 'shapes.yaml'), `windows:\n${windows.join('\n')}\n`);
  const rows = SAMPLES.map(({ time, pressure, flow }) => `${time},${pressure},${flow}`);
  await writeFile(join(folder, 'press-9.csv'), `time,pressure,flow\n${rows.join('\n')}\n`);
  const shapes = (...more: string[]) =>
    headgate(['replay', '--config', 'shapes.yaml', ...more, 'press-1.csv', 'press-9.csv'], folder);
  const one = await shapes();
  expect(await shapes('--workers', '2')).toEqual(one);
  for (const device of ['press-1', 'press-9']) {
    const found = results(one.stdout).windows.filter(({ series }) => series.startsWith(device));
    const of = (name: string) =>
      found
        .filter(({ window }) => window === name)
        .sort((a, b) => a.start - b.start)
        .map(({ start, end, fields }) => ({ start, end, ...fields }));
    expect(of('ten')).toEqual(tens());
    expect(of('high')).toEqual(highs());
    expect(of('last')).toEqual(pairs());
  }
});

test('what is not full when the recording ends gives what it has only with early results', async () => {
  const window = 'window: { count: 300 }, aggregates: [count]';
  const text = `windows:\n  - { name: plain, ${window} }\n  - { name: open, ${window}, early: 1h }\n`;
  await writeFile(join(folder, 'early.yaml'), text);
  const { stdout } = await headgate(['replay', '--config', 'early.yaml', 'press-1.csv'], folder);
  const given = results(stdout).windows.filter(({ series }) => series === 'press-1/flow');
  expect(given.map(({ window: name, fields }) => [name, fields])).toEqual(
    expect.arrayContaining([
      ['plain', { count: 300 }],
      ['open', { count: 300, partial: 0 }],
      ['open', { count: 200, partial: 1 }],
    ]),
  );
  expect(given).toHaveLength(3);
});

/** Of ten readings of the flow each. */
function tens(): object[] {
  return Array.from({ length: SAMPLES.length / 10 }, (_, i) => {
    const ten = SAMPLES.slice(10 * i, 10 * i + 10);
    return { start: ten[0]!.time, end: ten[9]!.time + 1, sum: ten.reduce((sum, { flow }) => sum + flow, 0) };
  });
}

/** While the pressure was above 50. */
function highs(): object[] {
  const found: object[] = [];
  let first = -1;
  SAMPLES.forEach(({ time, pressure }, i) => {
    if (pressure > 50 && first < 0) first = i;
    if (pressure > 50 || first < 0) return;
    const start = SAMPLES[first]!.time;
    found.push({ start, end: time, count: i - first, lasted: (time - start) / 1000 });
    first = -1;
  });
  return found;
}

/** With each reading of the flow the one seven seconds before: what is 14 seconds old is out. */
function pairs(): object[] {
  return SAMPLES.map(({ time, flow }, i) => {
    const end = time + 1;
    return { start: end - 14_000, end, sum: flow + (SAMPLES[i - 1]?.flow ?? 0) };
  });
}

test('a pipeline that cannot be divided is replayed by one worker, which is told', async () => {
  const configuration =
    'join: [{ name: both, left: "*/pressure", right: "*/flow", on: [line], within: 5s, value: left + right }]';
  await writeFile(join(folder, 'bound.yaml'), `${configuration}\nsources: []\n`);
  const run = (workers: string) =>
    headgate(['replay', '--config', 'bound.yaml', '--workers', workers, 'readings.ndjson'], folder);
  const [one, two] = await Promise.all([run('1'), run('2')]);
  expect(two.stderr).toBe(
    `Replaying with one worker: the join both is on line: it may bind series of any devices, as it is not on device\n${one.stderr}`,
  );
  expect({ ...two, stderr: '' }).toEqual({ ...one, stderr: '' });
});

test.each(['0', '65', '1.5', 'two'])('a number of workers that is none is a usage error: %s', async (workers) => {
  const { code, stdout, stderr } = await replay('--workers', workers, 'press-1.csv');
  expect(stderr).toMatch(/whole number from 1 to 64/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('several inputs are one recording: what was seen already is a duplicate', async () => {
  const { stderr } = await replay('press-1.csv', 'readings.ndjson', 'readings.lp');
  expect(stderr).toMatch(/^3000 readings: 1000 aggregated, 0 filtered, 2000 duplicate, 0 late, 0 rejected$/m);
});

test('lines that are no readings are named with their place, and the others count', async () => {
  const bad = [
    '{"device":"d","metric":"m","value":1,"time":"2026-01-05T06:00:00Z"}',
    '{"device":"d"',
    '{"device":"d","metric":"m","value":NaN,"time":0}',
    '{"device":"d","metric":"m","value":[],"time":"2026-01-05T06:00:01Z"}',
    '{"device":"d","metric":"m","value":1,"time":"yesterday"}',
    '{"device":7,"metric":"m","value":1,"time":1}',
    'null',
    '[]',
    '{"device":"","metric":"m","value":1,"time":"2026-01-05T06:00:01Z"}',
  ];
  await writeFile(join(folder, 'bad.ndjson'), bad.join('\n'));
  const { code, stdout, stderr } = await replay('bad.ndjson');
  expect(code).toBe(0);
  expect(stderr).toMatch(/^9 readings: 1 aggregated, 0 filtered, 0 duplicate, 0 late, 8 rejected$/m);
  for (const number of [2, 3, 4, 5, 6, 7, 8]) expect(stderr).toMatch(new RegExp(`^line ${number}: `, 'm'));
  expect(stderr).toMatch(/the device is empty/);
  expect(results(stdout).windows).toHaveLength(1);
});

test('bad lines of a CSV and of line protocol are named too', async () => {
  await writeFile(join(folder, 'bad.csv'), 'time,a\n2026-01-05T06:00:00Z,1\nyesterday,2\n2026-01-05T06:00:02Z,three\n');
  const fillers = Array.from({ length: 2_400 }, (_, i) => `filler value=1 ${T0 + i}000000\n`).join('');
  await writeFile(
    join(folder, 'bad.lp'),
    `${fillers}m value=1 1767592800000000000\nm value= 1767592801000000000\nm value=2\n`,
  );
  const { code, stderr } = await replay('bad.csv', 'bad.lp');
  expect(code).toBe(0);
  expect(stderr).toMatch(/^2406 readings: 2402 aggregated, .* 4 rejected$/m);
  expect(stderr).toMatch(/^line 3: the time "yesterday" cannot be read$/m);
  expect(stderr).toMatch(/^line 4: the value "three" of a is not a finite number$/m);
  expect(stderr).toMatch(/line 2402: /);
  expect(stderr).toMatch(/needs a timestamp/);
});

test('a reader that has seen enough ends it quietly', async () => {
  const rows = Array.from({ length: 60_000 }, (_, i) => `${T0 + i * MINUTE},${i % 7}`);
  await writeFile(join(folder, 'long.csv'), `time,value\n${rows.join('\n')}\n`);
  const entry = join(import.meta.dirname, '..', '..', '..', 'gateway', 'headgate.js');
  const script = `set -o pipefail; "$0" "$1" replay --config gateway.yaml long.csv | head -n 1; exit \${PIPESTATUS[0]}`;
  const child = spawn('bash', ['-c', script, process.execPath, entry], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  await once(child, 'close');
  expect(stdout.split('\n')).toHaveLength(2);
  expect({ code: child.exitCode, stderr }).toEqual({ code: 0, stderr: '' });
});

test.each([
  { inputs: ['absent.csv'], says: /absent\.csv: ENOENT/ },
  { inputs: ['gateway.yaml'], says: /its ending says nothing about its format[\s\S]*\.csv, \.ndjson/ },
  { inputs: ['absent.ndjson'], says: /absent\.ndjson: ENOENT/ },
  { inputs: ['absent.lp'], says: /absent\.lp: ENOENT/ },
])('what a user can mend is told, exit 1: $inputs', async ({ inputs, says }) => {
  const { code, stdout, stderr } = await replay(...inputs);
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/\n {4}at /);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
});
