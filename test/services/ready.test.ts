import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { imbalance } from '../../gateway/runtime/ledger.ts';
import { publishFrame, RawClient } from '../devices/mqtt/raw-client.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const run = promisify(execFile);

let folder: string;
let gateway: GatewayProcess | undefined;
let port: number;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-ready-'));
});

afterEach(async () => {
  await gateway?.kill();
  gateway = undefined;
  for (const close of closing.splice(0).reverse()) await close();
  await rm(folder, { recursive: true, force: true });
});

async function start(storage: string, sinks: string): Promise<GatewayProcess> {
  port = await freePort();
  const api = await freePort();
  const text = `
storage: { ${storage}, checkpointEvery: 500ms }
time: { idleTimeout: 1s }
sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:${port}
    readings:
      - { topic: sensors/_/+, template: _/device/metric, json: { value: value, time: ts, timeUnit: ms } }
windows:
  - { name: s, series: "*", window: { tumbling: 1s, allowedLateness: 10s }, aggregates: [count] }
sinks: [${sinks}]
api: { listen: 127.0.0.1:${api} }
`;
  gateway = await GatewayProcess.start(folder, text, `http://127.0.0.1:${api}`);
  return gateway;
}

const influxAt = (url: string) =>
  `{ name: influx, type: influxdb, url: "${url}", database: headgate, batch: { every: 50ms } }`;

/** Publishes `count` readings a hundredth of a second apart, up to 100 unacknowledged; resolves to how long it took, in milliseconds. */
async function publish(device: string, count: number): Promise<number> {
  const client = await RawClient.connect(port, { id: device });
  const begun = performance.now();
  let [sent, acknowledged] = [0, 0];
  while (acknowledged < count) {
    const burst: Buffer[] = [];
    for (; sent < count && sent - acknowledged < 100; sent++) {
      const payload = `{"value":${sent},"ts":${T0 + sent * 10}}`;
      burst.push(publishFrame({ topic: `sensors/${device}/value`, payload, id: (sent % 1000) + 1 }));
    }
    if (burst.length > 0) client.send(Buffer.concat(burst));
    if ((await client.frame()) === undefined) throw new Error('the connection was closed');
    acknowledged++;
  }
  const tookMs = performance.now() - begun;
  client.close();
  return tookMs;
}

interface AggregatesReply {
  readonly aggregates: readonly { readonly fields: { readonly count: number } }[];
}

/** How many readings of a device the windows in the history hold. */
async function counted(running: GatewayProcess, device: string): Promise<number> {
  const path = `/api/v1/aggregates?series=${device}/value&window=s&limit=1000`;
  const { aggregates } = await running.get<AggregatesReply>(path);
  return aggregates.reduce((sum, { fields }) => sum + fields.count, 0);
}

/** What is written to it is taken, until it hangs: then connections are accepted and never answered. */
async function startHangingInflux(): Promise<{ readonly server: Server; readonly url: string; hang(): void }> {
  let hangs = false;
  const server = createServer((request, response) => {
    request.resume();
    if (hangs) return;
    request.on('end', () => response.writeHead(204).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  return {
    server,
    url,
    hang() {
      hangs = true;
    },
  };
}

test('a gateway whose InfluxDB is dead is ready, and says what it is waiting for', async () => {
  const begun = performance.now();
  const running = await start(
    `path: ${join(folder, 'data')}, keepFree: 1 MiB`,
    influxAt(`http://127.0.0.1:${await freePort()}`),
  );
  process.stderr.write(`ready ${Math.round(performance.now() - begun)} ms after its process was started\n`);
  await publish('press-1', 500);
  const status = await eventually('the sink is told as degraded', async () => {
    const now = await running.status();
    return now.sinks.some(({ name, state }) => name === 'influx' && state === 'degraded') ? now : undefined;
  });
  expect(status.sinks.find(({ name }) => name === 'influx')?.detail).toMatch(/Cannot reach InfluxDB .*ECONNREFUSED/);
  expect(await running.get('/readyz')).toEqual({ status: 'ready' });
  await eventually('the history has every reading', async () => (await counted(running, 'press-1')) === 500);
});

test('an InfluxDB that accepts and never answers slows neither ingest nor the history', async () => {
  const influx = await startHangingInflux();
  const running = await start(`path: ${join(folder, 'data')}, keepFree: 1 MiB`, influxAt(influx.url));
  const count = 5_000;
  await publish('warm-up', count);
  const answeredMs = await publish('answered', count);
  influx.hang();
  const hungMs = await publish('hung', count);
  process.stderr.write(
    `${count} readings: ${Math.round(answeredMs)} ms with an answering InfluxDB, ${Math.round(hungMs)} ms with one that hangs\n`,
  );
  // A busy machine may be twice as slow from one moment to the next; waiting for a sink would cost seconds.
  expect(hungMs).toBeLessThan(answeredMs * 2 + 1_000);
  await eventually('the history has every reading', async () => (await counted(running, 'hung')) === count);
  // What a person reads is there a moment before the position behind it is noted.
  const { sinks, ledger } = await eventually('the history has nothing left to take', async () => {
    const now = await running.status();
    return now.sinks.find(({ name }) => name === 'history')?.backlog.records === 0 ? now : undefined;
  });
  expect(sinks.find(({ name }) => name === 'influx')?.backlog.records).toBeGreaterThan(0);
  expect(ledger).toMatchObject({ aggregated: 3 * count, late: 0, dropped: 0 });
  // Nor does it hold up a clean stop.
  const stopping = performance.now();
  expect(await running.stop()).toBe(0);
  expect(performance.now() - stopping).toBeLessThan(8_000);
});

test('on a full disk nothing is acknowledged and readyz says why; freed space is used at once', async (context) => {
  const disk = join(folder, 'disk');
  await mkdir(disk);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  } catch (error) {
    // No root, no mount: as good as a missing program.
    const reason = `a small disk cannot be mounted: ${String(error)}`;
    process.stderr.write(`skipped: ${reason}\n`);
    return context.skip(reason);
  }
  closing.push(() => run('umount', ['-l', disk]));
  const running = await start(`path: ${join(disk, 'data')}, keepFree: 0B`, '');
  await publish('before', 100);
  const filler = join(disk, 'filler');
  const { bavail, bsize } = await statfs(disk);
  await writeFile(filler, Buffer.alloc(bavail * bsize));

  const client = await RawClient.connect(port, { id: 'patient' });
  // More than fits into what the journal has written ahead.
  const total = 30_000;
  const payload = (i: number) => `{"value":${i},"ts":${T0 + i},"pad":"${'x'.repeat(50)}"}`;
  for (let i = 0; i < total; i++)
    client.send(publishFrame({ topic: 'sensors/patient/value', payload: payload(i), id: i + 1 }));
  await eventually('readyz says why', async () => {
    const response = await fetch(`${running.apiUrl}/readyz`);
    if (response.status !== 503) return undefined;
    const { reasons } = (await response.json()) as { reasons: string[] };
    return /journal.*(no space|ENOSPC)/i.test(reasons.join()) ? reasons : undefined;
  });
  expect((await fetch(`${running.apiUrl}/healthz`)).status).toBe(200);
  const before = await running.status();
  expect(before.state).toBe('degraded');
  expect(imbalance(before.ledger)).toBe(0);
  expect(before.ledger.inFlight).toBeGreaterThan(0);

  const late = await RawClient.connect(port, { id: 'late' });
  late.send(publishFrame({ topic: 'sensors/late/value', payload: payload(0), id: 9 }));
  await eventually(
    'it has arrived',
    async () => (await running.status()).ledger.received === before.ledger.received + 1,
  );
  await expect(late.frame(500)).rejects.toThrow('nothing more in time');

  await rm(filler);
  expect((await late.frame(10_000))?.toString('hex')).toBe('40020009');
  late.close();
  for (let i = 0; i < total; i++) expect((await client.frame(10_000))?.toString('hex').slice(0, 4)).toBe('4002');
  client.close();
  await eventually('it is ready again', async () => (await fetch(`${running.apiUrl}/readyz`)).ok);
  await eventually('the history has every reading', async () => (await counted(running, 'patient')) === total);
  expect((await running.status()).ledger).toMatchObject({
    aggregated: 101 + total,
    rejected: 0,
    dropped: 0,
    late: 0,
    inFlight: 0,
  });
  // And it is on the disk.
  await running.kill();
  await running.start();
  expect((await running.status()).ledger).toMatchObject({ aggregated: 101 + total, rejected: 0, dropped: 0, late: 0 });
});
