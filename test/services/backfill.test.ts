import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Aggregate } from '../../gateway/core/result.ts';
import { Headgate, headgate, scratch } from '../gateway/commands/headgate.ts';
import { eventually } from './eventually.ts';
import { type Influxd, startInfluxd } from './influxd.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const DEVICES = 20;
const READINGS = 600;

const started = await startInfluxd();

describe.skipIf(started === undefined)('headgate replay --write and a real influxd', () => {
  let influxd: Influxd;
  let folder: string;
  let remove: () => Promise<void>;
  const inputs = Array.from({ length: DEVICES }, (_, i) => `press-${i}.csv`);

  beforeAll(async () => {
    influxd = started!;
    ({ folder, remove } = await scratch());
    for (const [device, input] of inputs.entries()) {
      const rows = Array.from({ length: READINGS }, (_, i) => `${T0 + i * 10_000},${(i * 37 + device) % 101},${i % 7}`);
      await writeFile(join(folder, input), `time,pressure,flow\n${rows.join('\n')}\n`);
    }
  });
  afterAll(async () => {
    await remove();
    await influxd.remove();
  });

  async function configure(database: string): Promise<string> {
    const name = `${database}.yaml`;
    await writeFile(
      join(folder, name),
      `
gateway: { name: hall }
windows:
  - { name: minute, series: "*", window: { tumbling: 1m }, aggregates: [count, sum, max] }
detect:
  - { series: "*/pressure", detector: range, max: 97, alarm: { severity: critical } }
sources: []
sinks:
  - { name: influx, type: influxdb, url: "${influxd.url}", database: ${database}, batch: { maxItems: 500 } }
`,
    );
    return name;
  }

  /** Every point, as text. */
  async function stored(database: string): Promise<readonly string[]> {
    const rows = await influxd.rows(database, 'SELECT * FROM /.*/');
    return rows.map((row) => JSON.stringify(row)).sort();
  }

  test('every result is found in it, and a second run changes nothing', async () => {
    const config = await configure('whole');
    const replay = (...more: string[]) => headgate(['replay', '--config', config, ...more, ...inputs], folder);
    const { stdout } = await replay();
    const windows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Aggregate)
      .filter(({ kind }) => kind === 'aggregate');
    expect(windows).toHaveLength(DEVICES * 2 * (READINGS / 6));

    const first = await replay('--write', '--workers', '2');
    const count = stdout.trim().split('\n').length;
    expect(first.stderr).toMatch(new RegExp(`^influx: ${count} results stored, 0 refused$`, 'm'));
    expect(first).toMatchObject({ code: 0, stdout: '' });
    const points = await stored('whole');
    const found = await influxd.rows('whole', 'SELECT count, sum, max FROM pressure GROUP BY device');
    const expected = windows.filter(({ series }) => series.metric === 'pressure');
    const ofResult = ({ series, start, fields }: Aggregate) => ({ device: series.device, time: start, ...fields });
    const inOrder = (rows: readonly object[]) =>
      rows.map((row) => JSON.stringify(row, ['device', 'time', 'count', 'sum', 'max'])).sort();
    expect(inOrder(found)).toEqual(inOrder(expected.map(ofResult)));

    expect(await replay('--write')).toEqual(first);
    expect(await stored('whole')).toEqual(points);
  });

  test('a database that goes away in between is waited for, and misses nothing', async () => {
    const config = await configure('away');
    await influxd.stop();
    const running = new Headgate(['replay', '--config', config, '--write', ...inputs], folder);
    await eventually('it says that it tries again', () => /^influx: .*; trying again$/m.test(running.stderr));
    await influxd.start();
    const { code, stderr } = await running.ended();
    expect(stderr).toMatch(/^influx: \d+ results stored, 0 refused$/m);
    expect(code).toBe(0);
    expect(await stored('away')).toEqual(await stored('whole'));
  });

  test('what it refuses is counted and told, with exit code 1, and the rest is there', async () => {
    const config = await configure('refusing');
    await influxd.query('', 'CREATE DATABASE refusing');
    await influxd.write('refusing', `flow,device=other sum="text" ${T0}`);
    const { code, stderr } = await headgate(['replay', '--config', config, '--write', ...inputs], folder);
    const windows = DEVICES * (READINGS / 6);
    expect(stderr).toMatch(new RegExp(`^influx: \\d+ results stored, ${windows} refused$`, 'm'));
    expect(stderr).toMatch(/^press-\d+\/flow@minute@\d+@0: .*field type conflict/m);
    expect(stderr).toMatch(new RegExp(`^and ${windows - 10} more$`, 'm'));
    expect(code).toBe(1);
    const [row] = await influxd.rows('refusing', 'SELECT count(sum) AS points FROM pressure');
    expect(row?.['points']).toBe(windows);
  });

  test('without a sink, or with one that must be mended, it says so at once', async () => {
    await writeFile(join(folder, 'none.yaml'), 'sources: []\n');
    const none = await headgate(['replay', '--config', 'none.yaml', '--write', ...inputs], folder);
    expect(none.stderr).toMatch(/^Cannot write the results: the configuration has no sink of type influxdb/);
    expect(none.code).toBe(1);
    const config = await configure('wrong');
    const text = `
gateway: { name: hall }
windows: [{ name: minute, series: "*", window: { tumbling: 1m }, aggregates: [count] }]
sources: []
sinks: [{ name: influx, type: influxdb, url: "${influxd.url}/elsewhere", database: wrong }]
`;
    await writeFile(join(folder, config), text);
    const wrong = await headgate(['replay', '--config', config, '--write', ...inputs], folder);
    expect(wrong.stderr).toMatch(/^Cannot write to influx: .*404/m);
    expect(wrong.code).toBe(1);
  });
});
