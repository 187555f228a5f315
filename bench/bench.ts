import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, promisify } from 'node:util';

/**
 * `npm run bench`: what durability and analysis cost. The same load of QoS 1 messages goes to bare aedes and to the whole
 * gateway (decode, journal with fdatasync before PUBACK, deduplication, windows, detectors, outbox), by turns in one run, so that a
 * noisy machine is noisy for both; the medians and their ratio are printed. Then idle memory and the time until ready.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    messages: { type: 'string', default: '400000' },
  },
});
const rounds = Number(values.rounds);
const LOADS = [
  { connections: 50, inFlight: 100 },
  { connections: 1000, inFlight: 10 },
] as const;
const run = promisify(execFile);
const here = import.meta.dirname;
const entry = join(here, '..', 'gateway', 'headgate.js');

interface LoadResult {
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'));
try {
  print(`node ${process.version}; medians of ${rounds} rounds of ${values.messages} messages of about 35 bytes, QoS 1`);
  print('');
  print('connections  in flight   bare aedes/s   gateway/s   ratio   p50/p99 ms aedes   p50/p99 ms gateway');
  for (const load of LOADS) await compare(load);
  print('');
  await measureIdle();
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compare(load: (typeof LOADS)[number]): Promise<void> {
  const bare: LoadResult[] = [];
  const gateway: LoadResult[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await withBareAedes((port) => generate(port, load)));
    gateway.push(await withGateway(({ mqttPort }) => generate(mqttPort, load)));
  }
  const [a, g] = [median(bare), median(gateway)];
  const ratio = g.messagesPerSecond / a.messagesPerSecond;
  print(
    [
      String(load.connections).padStart(11),
      String(load.inFlight).padStart(10),
      String(a.messagesPerSecond).padStart(14),
      String(g.messagesPerSecond).padStart(11),
      ratio.toFixed(2).padStart(7),
      `${a.p50Ms}/${a.p99Ms}`.padStart(18),
      `${g.p50Ms}/${g.p99Ms}`.padStart(20),
    ].join(' '),
  );
}

async function generate(port: number, { connections, inFlight }: (typeof LOADS)[number]): Promise<LoadResult> {
  const options = [
    '--port',
    port,
    '--connections',
    connections,
    '--in-flight',
    inFlight,
    '--messages',
    values.messages,
  ];
  const { stdout } = await run(process.execPath, [join(here, 'mqtt-load.ts'), ...options.map(String)]);
  return JSON.parse(stdout) as LoadResult;
}

async function withBareAedes<T>(use: (port: number) => Promise<T>): Promise<T> {
  const child = spawn(process.execPath, [join(here, 'bare-aedes.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  try {
    return await use((JSON.parse(line) as { port: number }).port);
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
}

interface RunningGateway {
  readonly mqttPort: number;
  readonly child: ChildProcess;
  readonly readyMs: number;
}

async function withGateway<T>(use: (gateway: RunningGateway) => Promise<T>): Promise<T> {
  const [mqttPort, apiPort] = [await freePort(), await freePort()];
  const file = join(folder, 'gateway.yaml');
  await rm(join(folder, 'data'), { recursive: true, force: true });
  await writeFile(file, configuration(mqttPort, apiPort));
  const begun = performance.now();
  const child = spawn(process.execPath, [entry, 'run', '--config', file], { stdio: ['ignore', 'ignore', 'ignore'] });
  try {
    await untilReady(`http://127.0.0.1:${apiPort}/readyz`, child);
    return await use({ mqttPort, child, readyMs: performance.now() - begun });
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}

function configuration(mqttPort: number, apiPort: number): string {
  return `
storage: { path: ${join(folder, 'data')}, keepFree: 100 MiB }
sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:${mqttPort}
    readings:
      - { topic: sensors/_/+, template: _/device/metric, json: { value: value, time: ts, timeUnit: ms } }
windows:
  - { name: minute, series: "*", window: { tumbling: 1m, allowedLateness: 10s }, aggregates: [count, mean, min, max, stddev] }
detect:
  - { series: "*", detector: range, min: -100, max: 1000, alarm: { severity: critical } }
  - { series: "*", detector: novelty, alarm: { severity: warning, hold: 30s } }
api: { listen: 127.0.0.1:${apiPort} }
`;
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline && child.exitCode === null; ) {
    const ready = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`the gateway is not ready; exit code ${child.exitCode}`);
}

/** Memory after a moment of rest, and the time until ready, of a gateway without load and without OPC-UA. */
async function measureIdle(): Promise<void> {
  const readyTimes: number[] = [];
  let rssMb = 0;
  for (let round = 0; round < rounds; round++) {
    await withGateway(async ({ child, readyMs }) => {
      readyTimes.push(readyMs);
      if (round + 1 < rounds) return;
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000;
    });
  }
  const ready = readyTimes.sort((x, y) => x - y)[Math.floor(rounds / 2)]!;
  print(`ready after ${Math.round(ready)} ms, from the start of the process`);
  print(`idle RSS ${rssMb.toFixed(0)} MB, without OPC-UA`);
}

function median(results: readonly LoadResult[]): LoadResult {
  return [...results].sort((a, b) => a.messagesPerSecond - b.messagesPerSecond)[Math.floor(results.length / 2)]!;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
