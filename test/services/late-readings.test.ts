import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';
import { type Influxd, startInfluxd } from './influxd.ts';
import { uncounted } from './uncounted.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const ROUNDS = 12;
const influxd: Influxd | undefined = await startInfluxd();

let folder = '';
let gateway: GatewayProcess | undefined;

afterEach(async () => {
  await gateway?.kill();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => influxd?.remove());

async function startGateway(url: string): Promise<GatewayProcess> {
  folder = await mkdtemp(join(tmpdir(), 'headgate-late-'));
  const api = await freePort();
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB, checkpointEvery: 300ms }
windows:
  - { name: s, window: { tumbling: 1s }, aggregates: [count, sum], late: store }
sinks:
  - { name: influx, type: influxdb, url: ${url}, database: headgate, batch: { every: 100ms } }
api: { listen: 127.0.0.1:${api} }
`;
  gateway = await GatewayProcess.start(folder, text, `http://127.0.0.1:${api}`);
  return gateway;
}

test('readings that come too late are in InfluxDB and in the history once each, though the gateway is killed after every fourth', {
  timeout: 120_000,
}, async (context) => {
  if (influxd === undefined) return context.skip('influxd is not installed');
  const running = await startGateway(influxd.url);
  const write = async (value: number, time: number) => {
    const body = `temperature,device=press value=${value} ${time}`;
    const { status } = await fetch(`${running.apiUrl}/api/v1/write?precision=ms`, { method: 'POST', body });
    expect(status).toBe(204);
  };
  const expected: { start: number; value: number; behind: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const newest = T0 + round * 10_000;
    await write(round, newest);
    const late = { start: newest - 5000, value: 100 + round, behind: 5 };
    await write(late.value, late.start);
    expected.push(late);
    if (round % 4 !== 3) continue;
    await running.kill();
    await running.start();
  }
  const inInfluxdb = async () => {
    const query = `SELECT value, behind FROM temperature WHERE "window" = 's:late' AND device = 'press'`;
    const rows = await influxd.rows('headgate', query);
    return rows.map(({ time, value, behind }) => ({ start: time, value, behind }));
  };
  await eventually('every late reading is in InfluxDB', async () => (await inInfluxdb()).length >= expected.length);
  expect(await inInfluxdb()).toEqual(expected);
  const { aggregates } = await running.get<{ aggregates: { start: number; fields: Record<string, number> }[] }>(
    '/api/v1/aggregates?series=press/temperature&window=s:late&limit=1000',
  );
  expect(aggregates.map(({ start, fields }) => ({ start, ...fields }))).toEqual(expected);
  const status = await running.status();
  expect(status.ledger).toMatchObject({ received: 2 * ROUNDS, late: ROUNDS, aggregated: ROUNDS });
  expect(uncounted(status)).toBe(0);
});
