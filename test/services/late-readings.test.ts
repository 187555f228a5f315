import { afterAll, afterEach, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { type Influxd, startInfluxd } from './influxd.ts';
import { uncounted } from './uncounted.ts';
import { startWrittenGateway, type WrittenGateway } from './written-gateway.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const ROUNDS = 12;
const influxd: Influxd | undefined = await startInfluxd();

const ANALYSIS = `
windows:
  - { name: s, window: { tumbling: 1s }, aggregates: [count, sum], late: store }
`;

let gateway: WrittenGateway | undefined;

afterEach(() => gateway?.remove());
afterAll(() => influxd?.remove());

test('readings that come too late are in InfluxDB and in the history once each, though the gateway is killed after every fourth', {
  timeout: 120_000,
}, async (context) => {
  if (influxd === undefined) return context.skip('influxd is not installed');
  gateway = await startWrittenGateway(influxd.url, ANALYSIS);
  const { running, write } = gateway;
  const expected: { start: number; value: number; behind: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const newest = T0 + round * 10_000;
    await write('temperature', round, newest);
    const late = { start: newest - 5000, value: 100 + round, behind: 5 };
    await write('temperature', late.value, late.start);
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
