import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { imbalance } from '../../gateway/runtime/ledger.ts';
import { connectFrame } from '../devices/mqtt/raw-client.ts';
import { acknowledgedIn, Publisher } from '../faults/publisher.ts';
import { Headgate } from '../gateway/commands/headgate.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess, type Launch } from './gateway-process.ts';
import { requireProgram } from './require-program.ts';

const DEVICES = 4;
const IN_FLIGHT = 200;
const STOPS_WITHIN_MS = 5_000;
const IDLE_CLIENTS = 1_000;

let folder: string;
let port: number;
let api: number;
let gateway: GatewayProcess | undefined;
/** An InfluxDB that takes every connection and answers nothing. */
let mute: Server;
let publisher: Publisher | undefined;
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-stop-'));
  port = await freePort();
  api = await freePort();
  mute = createServer((socket) => socket.on('error', () => socket.destroy()));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await publisher?.kill();
  publisher = undefined;
  for (const socket of sockets.splice(0)) socket.destroy();
  await gateway?.kill();
  gateway = undefined;
  mute.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(launch: Launch = {}, more = ''): Promise<GatewayProcess> {
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB }
sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:${port}
    readings:
      - { topic: sensors/_/+, template: _/device/metric, json: { value: value, time: ts, timeUnit: ms } }
${more}
windows:
  - { name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, sum] }
sinks: [{ name: influx, type: influxdb, url: "http://127.0.0.1:${(mute.address() as AddressInfo).port}", database: d }]
api: { listen: 127.0.0.1:${api} }
`;
  const started = await GatewayProcess.prepare(folder, text, `http://127.0.0.1:${api}`);
  await started.start(launch);
  return started;
}

/** Devices that publish as fast as they can. */
function publish(): Publisher {
  publisher = new Publisher({ port, devices: DEVICES, inFlight: IN_FLIGHT });
  return publisher;
}

/** A connection that sends something and never reads. */
function frozen(to: number, bytes: string | Uint8Array): void {
  const socket = connect({ host: '127.0.0.1', port: to });
  socket.on('error', () => socket.destroy());
  socket.pause();
  socket.write(bytes);
  sockets.push(socket);
}

async function received(): Promise<number> {
  return (await gateway!.status()).ledger.received;
}

async function hasEnded(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
  return /\) [ZX]/.test(stat);
}

async function underLoad(): Promise<void> {
  const before = await received();
  await eventually('readings arrive', async () => (await received()) > before + 10 * IN_FLIGHT);
}

test('SIGTERM under load ends in time with exit code 0, whoever is connected, and nothing acknowledged is lost', {
  timeout: 120_000,
}, async () => {
  gateway = await start();
  const publishing = publish();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < IDLE_CLIENTS; i++) frozen(port, connectFrame({ id: `idle-${round}-${i}` }));
    frozen(api, 'GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
    frozen(api, 'POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nm');
    await eventually('all are connected', async () => {
      const { sources } = await gateway!.status();
      return sources[0]!.numbers['clients']! >= IDLE_CLIENTS;
    });
    await underLoad();
    const begun = performance.now();
    expect(await gateway.stop(), gateway.output.slice(-2_000)).toBe(0);
    const tookMs = performance.now() - begun;
    process.stderr.write(`stopped in ${Math.round(tookMs)} ms\n`);
    expect(tookMs).toBeLessThan(STOPS_WITHIN_MS);
    expect(gateway.output).toContain('stopped: everything accepted is on the disk');
    gateway.output = '';
    for (const socket of sockets.splice(0)) socket.destroy();
    await gateway.start();
    expect(gateway.output).not.toContain('journal replayed');
  }
  const acknowledged = acknowledgedIn(await publishing.end());
  expect(acknowledged).toBeGreaterThan(3 * 10 * IN_FLIGHT);
  await eventually('everything is analysed', async () => (await gateway!.status()).ledger.inFlight === 0);
  const { ledger } = await gateway.status();
  expect(ledger).toMatchObject({ aggregated: acknowledged, late: 0, filtered: 0, rejected: 0, dropped: 0 });
  expect(imbalance(ledger)).toBe(0);
});

test('SIGTERM ends in time while an OPC-UA server that is read hangs', { timeout: 60_000 }, async () => {
  const plantPort = await freePort();
  const plant = new Headgate(['simulate', 'opcua', '--port', String(plantPort)], folder);
  try {
    await eventually('the plant listens', () => plant.stdout + plant.stderr !== '');
    const nodes = '[{ browse: "Objects/Press/**", device: press-1 }]';
    gateway = await start(
      {},
      `  - { name: press, type: opcua, endpoint: "opc.tcp://127.0.0.1:${plantPort}", nodes: ${nodes} }`,
    );
    await eventually('its values arrive', async () => (await received()) > 10);
    plant.process.kill('SIGSTOP');
    const begun = performance.now();
    expect(await gateway.stop(), gateway.output.slice(-2_000)).toBe(0);
    const tookMs = performance.now() - begun;
    process.stderr.write(`stopped in ${Math.round(tookMs)} ms\n`);
    expect(tookMs).toBeLessThan(STOPS_WITHIN_MS);
    expect(gateway.output).toContain('cannot stop the sources in time');
    await gateway.start();
    expect(gateway.output, 'everything else was stopped in order').not.toContain('journal replayed');
  } finally {
    await plant.end('SIGKILL');
  }
});

const strace = requireProgram('strace');

describe.runIf(strace !== undefined)('a disk that stops answering', () => {
  /** From the 60th on, a sync takes 12 s. One thread for all calls: while it waits, the disk answers nothing. */
  const stalling = (): Launch => ({
    through: [
      ...[strace!, '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync'],
      ...['-e', 'inject=fdatasync:delay_enter=12000000:when=60+'],
    ],
    environment: { UV_THREADPOOL_SIZE: '1' },
  });

  /** Resolves when nothing is acknowledged any more. */
  async function stalled(): Promise<void> {
    let before = -1;
    await eventually('the disk stalls', async () => {
      const now = (await gateway!.status()).journal.durableOffset;
      const same = now === before && now > 10;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return same;
    });
  }

  test.each([
    { signals: 1, withinMs: STOPS_WITHIN_MS },
    { signals: 2, withinMs: 1_000 },
  ])('is not waited for after $signals SIGTERM: $withinMs ms', { timeout: 90_000 }, async ({ signals, withinMs }) => {
    gateway = await start(stalling());
    const publishing = publish();
    await stalled();
    const begun = performance.now();
    const ended = gateway.stop();
    for (let more = 1; more < signals; more++) {
      await eventually('the first was heard', () => gateway!.output.includes('stopping'));
      process.kill(gateway.pid, 'SIGTERM');
    }
    // strace keeps what has ended as a zombie until the delay is over.
    await eventually('the process has ended', () => hasEnded(gateway!.pid));
    expect(performance.now() - begun).toBeLessThan(withinMs);
    await ended;
    gateway.output = '';
    await gateway.start();
    const acknowledged = acknowledgedIn(await publishing.end());
    await eventually('everything is analysed', async () => (await gateway!.status()).ledger.inFlight === 0);
    expect((await gateway.status()).ledger.aggregated).toBe(acknowledged);
  });
});
