import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishFrame, RawClient } from '../../devices/mqtt/raw-client.ts';
import { eventually } from '../../services/eventually.ts';
import { freePort } from '../../services/free-port.ts';
import { GatewayProcess } from '../../services/gateway-process.ts';
import { headgate, scratch } from './headgate.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const READINGS = 20;

let folder: string;
let remove: () => Promise<void>;
let gateway: GatewayProcess;

beforeAll(async () => {
  ({ folder, remove } = await scratch());
  const [port, api] = [await freePort(), await freePort()];
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB, checkpointEvery: 1h }
sources:
  - { name: floor, type: mqtt, listen: 127.0.0.1:${port}, readings: [{ topic: sensors/_/+, template: _/device/metric, json: { value: value, time: ts, timeUnit: ms } }] }
windows:
  - { name: s, series: "*", window: { tumbling: 1s }, aggregates: [count] }
sinks:
  - { name: influx, type: influxdb, url: "http://127.0.0.1:9", database: headgate }
api: { listen: 127.0.0.1:${api} }
`;
  gateway = await GatewayProcess.start(folder, text, `http://127.0.0.1:${api}`);
  const client = await RawClient.connect(port, { id: 'log' });
  for (let i = 0; i < READINGS; i++) {
    const payload = i === 7 ? 'rubbish' : `{"value":${i},"ts":${T0 + i * 500}}`;
    client.send(publishFrame({ topic: 'sensors/press-1/flow', payload, id: i + 1 }));
    await client.frame();
  }
  client.close();
  // A cursor that moves is written five times a second.
  await eventually('a cursor has moved on the disk', async () =>
    /history at [1-9]/.test((await log('ls', 'data')).stdout),
  );
});

afterAll(async () => {
  await gateway?.kill();
  await remove();
});

const journal = () => join(folder, 'data', 'journal');
const log = (...args: string[]) => headgate(['log', ...args], folder);

async function dump(name: string): Promise<readonly Record<string, unknown>[]> {
  const { code, stdout, stderr } = await log('dump', join('data', name));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function expectWhatWasSent(): Promise<void> {
  const { code, stdout } = await log('ls', 'data');
  expect(code).toBe(0);
  for (const name of ['journal', 'outbox', 'dead-letters'])
    expect(stdout).toMatch(new RegExp(`data/${name}: [1-9]\\d* segments?; `));
  expect(stdout).toMatch(/outbox: .*cursors: .*history at [1-9]/);

  const values = Array.from({ length: READINGS }, (_, i) => i).filter((i) => i !== 7);
  // What is journaled about the passing of time depends on how busy the machine is.
  const readings = (await dump('journal')).filter((line) => 'series' in line);
  expect(readings.map(({ series, source, value, sourceTime }) => ({ series, source, value, sourceTime }))).toEqual(
    values.map((value) => ({
      series: 'press-1/flow',
      source: 'floor',
      value,
      sourceTime: new Date(T0 + value * 500).toISOString(),
    })),
  );
  const windows = await dump('outbox');
  expect(windows.length).toBeGreaterThanOrEqual(8);
  expect(windows[0]).toMatchObject({ kind: 'aggregate', window: 's', start: T0, fields: { count: 2 } });
  expect(await dump('dead-letters')).toMatchObject([
    { origin: 'floor', subject: 'sensors/press-1/flow', payload: 'rubbish' },
  ]);

  const verified = await log('verify', 'data');
  expect(verified).toMatchObject({ code: 0, stderr: '' });
  expect(verified.stdout).not.toContain('DAMAGED');
  expect(verified.stdout).toMatch(new RegExp(`journal/\\S+: \\d+ records; ${values.length} items`));
}

test('ls, verify and dump look into the logs of a running gateway without disturbing it', async () => {
  await expectWhatWasSent();
  expect((await gateway.status()).journal.trouble).toBeUndefined();
});

test('and of one that was killed', async () => {
  await gateway.kill();
  await expectWhatWasSent();
});

test('verify finds a damaged byte, exit 1; dump gives the records around it', async () => {
  const before = await dump('journal');
  const segment = join(journal(), (await readdir(journal())).find((name) => /^\d+.*\.log$|seg/.test(name))!);
  const bytes = await readFile(segment);
  const at = bytes.indexOf('press-1', Math.floor(bytes.lastIndexOf('press-1') / 3));
  bytes[at] = bytes[at]! ^ 0x40;
  await writeFile(segment, bytes);
  const { code, stdout, stderr } = await log('verify', 'data');
  expect(stdout).toMatch(/journal\/.*DAMAGED \d+ bytes at \d+/);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  const after = await dump('journal');
  expect(after.length).toBeLessThan(before.length);
  expect(after.length).toBeGreaterThan(0);
  for (const row of after) expect(before).toContainEqual(row);
});

test.each([
  { args: ['ls', 'absent'], says: /absent/ },
  { args: ['ls', '.'], says: /no log in .*[\s\S]*storage\.path/ },
  { args: ['verify', 'gateway.yaml'], says: /gateway\.yaml/ },
  { args: ['dump', 'data'], says: /several logs\nname one of them/ },
])('what a user can mend is told, exit 1: $args', async ({ args, says }) => {
  const { code, stdout, stderr } = await log(...args);
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/\n {4}at |fault of Headgate/);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
});
