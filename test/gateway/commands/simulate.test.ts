import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../services/eventually.ts';
import { freePort } from '../../services/free-port.ts';
import { GatewayProcess } from '../../services/gateway-process.ts';
import { ENTRY, Headgate, headgate, scratch } from './headgate.ts';

let folder: string;
let remove: () => Promise<void>;
let gateway: GatewayProcess;
let url: string;

beforeAll(async () => {
  ({ folder, remove } = await scratch());
  const [port, api] = [await freePort(), await freePort()];
  url = `mqtt://127.0.0.1:${port}`;
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB }
sources:
  - { name: floor, type: mqtt, listen: 127.0.0.1:${port}, readings: [{ topic: sensors/_/+, template: _/device/metric, json: { value: value, time: ts, timeUnit: ms } }] }
windows:
  - { name: s, series: "*", window: { tumbling: 1s }, aggregates: [count] }
api: { listen: 127.0.0.1:${api} }
`;
  gateway = await GatewayProcess.start(folder, text, `http://127.0.0.1:${api}`);
});

afterAll(async () => {
  await gateway?.kill();
  await remove();
});

interface SeriesReply {
  readonly series: readonly { readonly key: string; readonly receivedTotal: number }[];
}

async function receivedTotal(): Promise<number> {
  const { series } = await gateway.get<SeriesReply>('/api/v1/series');
  return series.reduce((sum, one) => sum + one.receivedTotal, 0);
}

test('csv plays a file at full speed: every value acknowledged, every value received', async () => {
  const rows = Array.from(
    { length: 500 },
    (_, i) => `${new Date(Date.UTC(2026, 0, 5) + i * 1000).toISOString()},${i},${-i}`,
  );
  await writeFile(join(folder, 'valve-3.csv'), `time,flow,pressure\n${rows.join('\n')}\n`);
  const { code, stdout } = await headgate(['simulate', 'csv', 'valve-3.csv', '--url', url], folder);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ sent: 1000, acknowledged: 1000 });
  const { series } = await gateway.get<SeriesReply>('/api/v1/series');
  const received = series
    .filter(({ key }) => key.startsWith('valve-3/'))
    .map(({ key, receivedTotal }) => [key, receivedTotal]);
  expect(received.sort()).toEqual([
    ['valve-3/flow', 500],
    ['valve-3/pressure', 500],
  ]);
});

test('devices publish until they are ended, then tell what became of their values', async () => {
  const devices = new Headgate(['simulate', 'devices', '--url', url, '--period', '50', '--devices', '4'], folder);
  await eventually('values arrive', async () => (await gateway.get<SeriesReply>('/api/v1/series')).series.length > 6);
  const { code, stdout, stderr } = await devices.end();
  expect(code).toBe(0);
  expect(stderr).toContain(`connected to ${url}`);
  expect((JSON.parse(stdout) as { published: number }).published).toBeGreaterThan(4);
});

test('devices end with the process that started them, also where that was killed', async () => {
  const script = `
    const { spawn } = require('node:child_process');
    const args = ['simulate', 'devices', '--url', '${url}', '--period', '50', '--devices', '4'];
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'];
    console.log(spawn(process.execPath, [${JSON.stringify(ENTRY)}, ...args], { stdio }).pid);
  `;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
  const isThere = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  onTestFinished(() => {
    parent.kill('SIGKILL');
    if (isThere()) process.kill(pid, 'SIGKILL');
  });
  const before = await receivedTotal();
  await eventually('values arrive', async () => (await receivedTotal()) > before);
  parent.kill('SIGKILL');
  await eventually('the devices have ended', () => !isThere());
});

test('a broker that is away is told, and waited for', async () => {
  const port = await freePort();
  const devices = new Headgate(['simulate', 'devices', '--url', `mqtt://127.0.0.1:${port}`, '--period', '50'], folder);
  await eventually('it is told', () => /ECONNREFUSED|no connection/.test(devices.stderr));
  const { code, stdout } = await devices.end();
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ published: 0, acknowledged: 0 });
});

test('a file that is not there is told, exit 1', async () => {
  const { code, stdout, stderr } = await headgate(['simulate', 'csv', 'absent.csv', '--url', url], folder);
  expect(stderr).toMatch(/absent\.csv/);
  expect(stderr).not.toMatch(/\n {4}at |fault of Headgate/);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
});
