import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../services/eventually.ts';
import { freePort } from '../../services/free-port.ts';
import { Headgate, headgate, scratch } from './headgate.ts';

let folder: string;
let remove: () => Promise<void>;
const running: Headgate[] = [];

beforeAll(async () => {
  ({ folder, remove } = await scratch());
});
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.end('SIGKILL');
});
afterAll(() => remove());

/** `headgate run` of a configuration; resolves when it is ready. */
async function run(file: string, api: number): Promise<Headgate> {
  const gateway = new Headgate(['run', '--config', file], folder);
  running.push(gateway);
  await eventually('the gateway is ready', async () => {
    if (gateway.process.exitCode !== null) throw new Error(gateway.stderr);
    return (await fetch(`http://127.0.0.1:${api}/readyz`)).ok;
  });
  return gateway;
}

/** A small configuration in a file of its own, on the given ports. */
async function configure(
  name: string,
  { storage, port, api }: { storage: string; port: number; api: number },
): Promise<string> {
  await writeFile(
    join(folder, name),
    `storage: { path: ${storage}, keepFree: 1 MiB }
sources:
  - { name: floor, type: mqtt, listen: 127.0.0.1:${port}, readings: [{ topic: sensors/_/+, template: _/device/metric, json: {} }] }
windows:
  - { name: s, series: "*", window: { tumbling: 1s }, aggregates: [count] }
api: { listen: 127.0.0.1:${api} }
`,
  );
  return name;
}

test('check counts what is derived, and reads the tables that lie beside the file', async () => {
  const file = join(folder, 'derived.yaml');
  const text = `tables: [{ name: machines, file: beside.yaml }]
derive:
  - { name: load, series: "*/power", value: value / machines.rated }
  - { name: kilowatts, series: "*/power", value: value / 1000 }
join: [{ name: power, left: "*/voltage", right: "*/current", within: 1s, value: left * right }]
`;
  await writeFile(file, text);
  await writeFile(join(folder, 'beside.yaml'), 'press-1: { rated: 5 }\n');
  const said = `${file} is right: 0 sources, 1 table, 2 derivations, 1 join, 0 windows, 0 detection rules, 0 sinks\n`;
  expect(await headgate(['check', file], folder)).toEqual({ code: 0, stdout: said, stderr: '' });
  await writeFile(join(folder, 'beside.yaml'), 'press-1: { power: 5 }\n');
  const { code, stderr } = await headgate(['check', file], folder);
  expect(code).toBe(1);
  expect(stderr).toContain(`${file}:3:62  derive[0].value: there is no rated`);
  expect(stderr).toContain('machines.power');
});

test('check counts every entry of each section, whichever form it has', async () => {
  const file = join(folder, 'sections.yaml');
  const text = `windows: [{ name: m, series: "*", window: { tumbling: 1m }, aggregates: [mean] }]
rollups: [{ name: h, from: m, window: { tumbling: 1h } }]
reduce: [{ series: "*", deadband: 1 }]
detect:
  - { series: "*", detector: auto }
  - { together: ["*/a", "*/b"], detector: mahalanobis }
maintenance:
  - { series: "*", on: [sunday], at: "06:00", for: 1h, timeZone: UTC }
  - { series: "*", from: 2026-12-01T06:00:00Z, to: 2026-12-01T07:00:00Z }
`;
  await writeFile(file, text);
  const said = `${file} is right: 0 sources, 1 window, 1 rollup, 1 reduction rule, 2 detection rules, 2 maintenance plans, 0 sinks\n`;
  expect(await headgate(['check', file], folder)).toEqual({ code: 0, stdout: said, stderr: '' });
});

test('init writes a file for its owner only, which check accepts and run starts', async () => {
  const { code, stdout } = await headgate(['init', 'first'], folder);
  const file = join(folder, 'first', 'gateway.yaml');
  expect(code).toBe(0);
  expect(stdout).toContain(`headgate run --config ${file}`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const checked = await headgate(['check', file], folder);
  expect(checked).toEqual({
    code: 0,
    stdout: `${file} is right: 1 source, 1 window, 1 detection rule, 0 sinks\n`,
    stderr: '',
  });

  const [port, api] = [await freePort(), await freePort()];
  const text = await readFile(file, 'utf8');
  await writeFile(
    file,
    text.replace('0.0.0.0:1883', `127.0.0.1:${port}`).replace('127.0.0.1:8080', `127.0.0.1:${api}`),
  );
  const gateway = await run('first/gateway.yaml', api);
  const password = /password: "([^"]+)"/.exec(text)![1]!;
  const url = `mqtt://127.0.0.1:${port}`;
  await expect(mqtt.connectAsync(url, { username: 'sensors', password: 'guess' }, false)).rejects.toThrow(
    /Bad username or password/,
  );
  const client = await mqtt.connectAsync(url, { username: 'sensors', password });
  await client.publishAsync('sensors/desk/temperature', '{"value": 21.5}', { qos: 1 });
  await client.endAsync();
  expect((await gateway.end()).code).toBe(0);
  expect(gateway.stderr).not.toContain(password);
});

test('two starter configurations have different secrets, and none is ever overwritten', async () => {
  await headgate(['init', 'one'], folder);
  await headgate(['init', 'two'], folder);
  const read = (name: string) => readFile(join(folder, name, 'gateway.yaml'), 'utf8');
  const one = await read('one');
  expect(await read('two')).not.toBe(one);
  const again = await headgate(['init', 'one'], folder);
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toMatch(/it exists already\nname another folder/);
  expect(await read('one')).toBe(one);
});

test('check tells every error at once, with line and column, exit 1', async () => {
  const lines = [
    'storage: { path: data, sink: always }',
    'sources:',
    '  - { name: floor, type: mqqt }',
    'windows:',
    '  - { name: m, series: "*", window: { tumbling: 1 minute }, aggregates: [mean, averge] }',
    'detect:',
    '  - { series: "*", detector: range, min: 5, max: 1 }',
    'api: { listen: 8080:8080 }',
  ];
  await writeFile(join(folder, 'wrong.yaml'), lines.join('\n'));
  const { code, stdout, stderr } = await headgate(['check', 'wrong.yaml'], folder);
  for (const [line, word] of [
    [1, 'sink'],
    [3, 'mqqt'],
    [5, '1 minute'],
    [5, 'averge'],
    [8, '8080:8080'],
  ] as const) {
    const column = lines[line - 1]!.indexOf(word) + 1;
    expect(stderr).toMatch(new RegExp(`wrong\\.yaml:${line}:${column}\\b.*`));
    expect(stderr).toContain(word);
  }
  expect(stderr).toMatch(/mean/);
  // So that what the shell says next begins a line of its own.
  expect(stderr).toMatch(/[^\n]\n$/);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
});

test.each([
  {
    what: 'a file that is not there',
    name: 'absent.yaml',
    text: undefined,
    says: /Cannot read configuration absent\.yaml: ENOENT[\s\S]*headgate init/,
  },
  { what: 'broken YAML', name: 'broken.yaml', text: 'sources: [\n  {', says: /broken\.yaml:\d+:\d+/ },
  { what: 'an empty file', name: 'empty.yaml', text: '', says: /empty\.yaml/ },
  {
    what: 'a variable that is not set',
    name: 'variable.yaml',
    text: `storage: { path: "$\{HEADGATE_TEST_UNSET}" }`,
    says: /variable\.yaml:1:\d+[\s\S]*HEADGATE_TEST_UNSET/,
  },
])('check and run refuse $what, exit 1', async ({ name, text, says }) => {
  if (text !== undefined) await writeFile(join(folder, name), text);
  for (const args of [
    ['check', name],
    ['run', '--config', name],
  ]) {
    const { code, stdout, stderr } = await headgate(args, folder);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  }
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends a running gateway cleanly, exit 0', async (signal) => {
  const [port, api] = [await freePort(), await freePort()];
  const gateway = await run(await configure('stop.yaml', { storage: 'stop', port, api }), api);
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  await client.publishAsync('sensors/desk/temperature', '{"value": 21.5}', { qos: 1 });
  const stream = await fetch(`http://127.0.0.1:${api}/api/v1/stream`);
  const begun = performance.now();
  const { code, stdout, stderr } = await gateway.end(signal);
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string });
  expect(lines.at(-1)?.msg).toMatch(/^stopped/);
  expect(lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  await stream.body?.cancel();
  client.end(true);
});

test('a second gateway on the same storage is refused, and the first goes on', async () => {
  const first = { storage: 'shared', port: await freePort(), api: await freePort() };
  const second = { storage: 'shared', port: await freePort(), api: await freePort() };
  await run(await configure('first.yaml', first), first.api);
  const { code, stdout, stderr } = await headgate(['run', '--config', await configure('second.yaml', second)], folder);
  expect(stderr).toMatch(/shared/);
  expect(stderr).toMatch(/process \d+ is using it\nstop process \d+ first/);
  expect(stderr).not.toMatch(/\n {4}at |fault of Headgate/);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect((await fetch(`http://127.0.0.1:${first.api}/readyz`)).status).toBe(200);
});

test.each(['port', 'api'] as const)('a %s in use is told with what to do, and nothing stays behind', async (taken) => {
  const first = { storage: `holder-${taken}`, port: await freePort(), api: await freePort() };
  await run(await configure('holder.yaml', first), first.api);
  const second = { storage: `late-${taken}`, port: await freePort(), api: await freePort(), [taken]: first[taken] };
  const file = await configure('late.yaml', second);
  const { code, stdout, stderr } = await headgate(['run', '--config', file], folder);
  expect(stderr).toContain(String(first[taken]));
  expect(stderr).toMatch(/EADDRINUSE|in use/);
  expect(stderr).toMatch(/another (program|gateway)|choose another port/);
  expect(stderr).not.toMatch(/\n {4}at |fault of Headgate/);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  // The lock of the storage is free again.
  const mended = { ...second, [taken]: await freePort() };
  await run(await configure('late.yaml', mended), mended.api);
});

test('a storage folder that cannot be written is told, exit 1', async () => {
  await writeFile(join(folder, 'a-file'), '');
  const file = await configure('unwritable.yaml', {
    storage: 'a-file/data',
    port: await freePort(),
    api: await freePort(),
  });
  const { code, stderr } = await headgate(['run', '--config', file], folder);
  expect(stderr).toMatch(/a-file\/data/);
  expect(stderr).not.toMatch(/\n {4}at |fault of Headgate/);
  expect(code).toBe(1);
});
