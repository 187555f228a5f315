import { afterAll, afterEach, expect, test } from 'vitest';
import {
  type OrderedWitnessResult,
  WitnessTurns,
  witnessCounts,
  witnessSliding,
  witnessStates,
} from '../gateway/pipeline/windows/reference-ordered-windows.ts';
import { eventually } from './eventually.ts';
import { type Influxd, startInfluxd } from './influxd.ts';
import { uncounted } from './uncounted.ts';
import { startWrittenGateway, type WrittenGateway } from './written-gateway.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const COUNT = 80;
/** Every second one comes before the one that was measured before it. */
const READINGS = Array.from({ length: COUNT }, (_, i) => ({ time: T0 + (i ^ 1) * 1000, value: ((i ^ 1) * 37) % 101 }));
const influxd: Influxd | undefined = await startInfluxd();

const ANALYSIS = `
time: { outOfOrderness: 2s, idleTimeout: 1h }
windows:
  - { name: seven, window: { count: 7, every: 3 }, aggregates: [count, sum] }
  - { name: high, window: { while: { above: 50, until: 40 } }, aggregates: [count, sum] }
  - { name: last, window: { sliding: 5s }, aggregates: [count, sum] }
`;

let gateway: WrittenGateway | undefined;

afterEach(() => gateway?.remove());
afterAll(() => influxd?.remove());

/** What has to be stored, by window: computed from all readings at once. */
function expected(): Record<string, object[]> {
  // Nothing of it depends on when the readings come.
  const turns = new WitnessTurns({ disorder: 2000, idle: Number.POSITIVE_INFINITY });
  for (const { time, value } of READINGS) {
    turns.reading({ device: 'press', metric: 'load', value, quality: 0, sourceTime: time, receiveTime: 0 }, 0);
  }
  const high = { name: 'high', begins: (value: number) => value > 50, goesOn: (value: number) => value >= 40 };
  return {
    seven: witnessCounts({ name: 'seven', count: 7, every: 3 }, turns.arrived).map(asRow),
    high: witnessStates(high, turns.turned).map(asRow),
    last: witnessSliding({ name: 'last', size: 5000 }, turns.turned).map(asRow),
  };
}

function asRow({ start, fields: { count, sum, lasted } }: OrderedWitnessResult): object {
  return { time: start, count, sum, lasted: lasted ?? null };
}

test('windows that readings end are in InfluxDB as they should be, though the gateway is killed after every tenth', {
  timeout: 120_000,
}, async (context) => {
  if (influxd === undefined) return context.skip('influxd is not installed');
  gateway = await startWrittenGateway(influxd.url, ANALYSIS);
  const { running, write } = gateway;
  for (const [i, { time, value }] of READINGS.entries()) {
    await write('load', value, time);
    if (i % 10 !== 9) continue;
    await running.kill();
    await running.start();
  }
  const stored = async (window: string) => {
    const rows = await influxd.rows('headgate', `SELECT count, sum, lasted FROM load WHERE "window" = '${window}'`);
    return rows.map(({ time, count, sum, lasted }) => ({ time, count, sum, lasted }));
  };
  for (const [window, rows] of Object.entries(expected())) {
    expect(rows.length).toBeGreaterThan(5);
    await eventually(
      `as many results of ${window} are stored`,
      async () => (await stored(window)).length >= rows.length,
    );
    expect(await stored(window)).toEqual(rows);
  }
  const status = await running.status();
  expect(status.ledger).toMatchObject({ received: COUNT, aggregated: COUNT, late: 0 });
  expect(uncounted(status)).toBe(0);
});
