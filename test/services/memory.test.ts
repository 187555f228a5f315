import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { imbalance } from '../../gateway/runtime/ledger.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';

const CLIENTS = 20;
const IN_FLIGHT = 200;
const SECONDS = 15;
const HEAP_MIB = 72;

let folder: string;
let port: number;
let gateway: GatewayProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-memory-'));
  port = await freePort();
  const api = await freePort();
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB, checkpointEvery: 2s, maxSeries: 1000000 }
sources: [{ name: floor, type: mqtt, listen: "127.0.0.1:${port}", readings: [{ topic: sensors/_/+, template: _/device/metric }] }]
windows: [{ name: minute, series: "*", window: { tumbling: 1m }, aggregates: [count, mean, stddev, p95, p99] }]
api: { listen: 127.0.0.1:${api} }
`;
  gateway = await GatewayProcess.prepare(folder, text, `http://127.0.0.1:${api}`);
});

afterEach(async () => {
  await gateway.kill();
  await rm(folder, { recursive: true, force: true });
});

test('a flood of new series is survived in a small heap: load is shed in time, and nothing acknowledged is lost', {
  timeout: 120_000,
}, async () => {
  const small = { environment: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` } };
  await gateway.start(small);
  const program = join(import.meta.dirname, 'flood.ts');
  const args = [program, ...[port, CLIENTS, IN_FLIGHT, SECONDS].map(String)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const flood = JSON.parse(stdout) as { sent: number; acknowledged: number; connections: number };
  expect(gateway.isRunning, gateway.output.slice(-3_000)).toBe(true);
  const { memory, ledger, series } = await gateway.status();
  const told = { ...flood, series: series.count, state: memory.state, shedding: memory.shedding };
  process.stderr.write(`${JSON.stringify(told)}\n`);
  expect(memory.shedding[1]!.total).toBeGreaterThan(0);
  for (const { name, used, max } of memory.bounds) expect(used, name).toBeLessThanOrEqual(max);
  expect(imbalance(ledger)).toBe(0);
  expect(ledger.received).toBeGreaterThanOrEqual(flood.acknowledged);
  await gateway.kill();
  await gateway.start(small);
  await eventually('everything is analysed', async () => (await gateway.status()).ledger.inFlight === 0);
  const after = (await gateway.status()).ledger;
  expect(after.received).toBeGreaterThanOrEqual(flood.acknowledged);
  expect(imbalance(after)).toBe(0);
});
