import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import type { Result } from '../../gateway/core/result.ts';
import { InfluxdbSink } from '../../gateway/sinks/influxdb/influxdb.ts';
import { aggregate, alarm, seriesOf } from '../gateway/sinks/results.ts';
import { recordingLogger } from '../recording-logger.ts';
import { type Influxd, startInfluxd } from './influxd.ts';

interface Variable {
  name: string;
  query: string;
  regex: string;
  multi: boolean;
}

interface Panel {
  id: number;
  type: string;
  title: string;
  targets?: { query: string; resultFormat: string; datasource: { uid: string } }[];
}

interface Dashboard {
  panels: Panel[];
  templating: { list: Variable[] };
  annotations: { list: { name: string; builtIn?: number; query?: string; textColumn?: string }[] };
}

const dashboard: Dashboard = JSON.parse(
  readFileSync(new URL('../../config/grafana/dashboards/headgate.json', import.meta.url), 'utf8'),
);
const DATABASE = 'headgate';
const MINUTE = 60_000;

/** What a user has chosen: the values of each variable. */
type Choice = Record<string, readonly string[]>;

/** A dashboard's query as Grafana sends it. */
function filledIn(query: string, choice: Choice, now: number): string {
  const quotes: Record<string, (value: string) => string> = {
    singlequote: (value) => `'${value.replace(/'/g, "\\'")}'`,
    doublequote: (value) => `"${value.replace(/"/g, '\\"')}"`,
  };
  return query
    .replaceAll('$timeFilter', `time >= ${now - 30 * MINUTE}ms and time <= ${now}ms`)
    .replaceAll('$__interval', '1m')
    .replace(/\$\{(\w+):(\w+)\}/g, (_, name: string, format: string) => {
      const values = choice[name];
      const quote = quotes[format];
      if (values === undefined || quote === undefined) throw new Error(`unknown variable or format: ${name}:${format}`);
      return values.map(quote).join(',');
    });
}

const started = await startInfluxd();

describe.skipIf(started === undefined)('the Grafana dashboard on a real InfluxDB, filled by the sink', () => {
  const influxd = started as Influxd;
  const now = Date.now();
  const choice: Record<string, string[]> = {};

  /** What the drop-down of a variable offers. */
  async function offered(name: string): Promise<string[]> {
    const variable = dashboard.templating.list.find((one) => one.name === name)!;
    const rows = await influxd.rows(DATABASE, filledIn(variable.query, choice, now));
    const filter = new RegExp(variable.regex.replace(/^\/|\/$/g, ''));
    const values = rows.map((row) => String(row['value'] ?? row['name'])).filter((value) => filter.test(value));
    return [...new Set(values)].sort();
  }

  beforeAll(async () => {
    const sinkOptions = { name: 'influx', url: influxd.url, database: DATABASE };
    const signal = new AbortController().signal;
    const store = async (gateway: string, results: readonly Result[]) => {
      const sink = new InfluxdbSink(
        { ...sinkOptions, gatewayTags: { gateway, site: 'plant-7' } },
        { clock: systemClock, logger: recordingLogger() },
      );
      expect(await sink.write(results, signal)).toEqual([]);
      await sink.stop(signal);
    };
    await store('press-hall', pressHall(now));
    await store("o'hara", [aggregate({ series: seriesOf('pump "7"', 'flow'), start: now - MINUTE })]);
    choice['gateway'] = ['press-hall'];
    choice['device'] = ['press-1'];
    choice['window'] = ['minute'];
    choice['metric'] = ['oil_pressure', 'oil_temperature'];
  });
  afterAll(() => influxd.remove());

  it('offers gateways, their devices, and the windows and metrics of the device, but not the alarms as a metric', async () => {
    expect(await offered('gateway')).toEqual(["o'hara", 'press-hall']);
    expect(await offered('device')).toEqual(['press-1', 'pump-1']);
    expect(await offered('window')).toEqual(['hour', 'minute']);
    expect(await offered('metric')).toEqual(['oil_pressure', 'oil_temperature']);
  });

  const panels = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ ...target, panel })));

  it.each(panels)('has rows for the panel $panel.title', async ({ query, panel }) => {
    const rows = await influxd.rows(DATABASE, filledIn(query, choice, now));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(Object.values(row), `${panel.title}: ${query}`).not.toContain(null);
  });

  it.each(panels)('quotes hostile names in the panel $panel.title', async ({ query }) => {
    const hostile = { ...choice, gateway: ["o'hara"], device: ['pump "7"'], metric: ['flow'] };
    await expect(influxd.query(DATABASE, filledIn(query, hostile, now))).resolves.toBeDefined();
  });

  const rowsOf = (title: string) => {
    const { query } = panels.find(({ panel }) => panel.title === title)!;
    return influxd.rows(DATABASE, filledIn(query, choice, now));
  };

  it('shows mean and band of a metric at a time', async () => {
    choice['metric'] = ['oil_temperature'];
    const rows = await rowsOf('$metric');
    expect(rows).toHaveLength(29);
    expect(rows[3]).toMatchObject({ mean: 46, min: 44, max: 48 });
    choice['metric'] = ['oil_pressure', 'oil_temperature'];
  });

  it('shows each metric by its latest window', async () => {
    expect(await rowsOf('Latest values')).toMatchObject([{ mean: 180 }, { mean: 46 }]);
  });

  it('shows the readings of a minute as a rate', async () => {
    for (const row of await rowsOf('Readings per second')) expect(row['rate']).toBeCloseTo(1);
  });

  it('shows exactly the alarms that are active, with what an operator needs', async () => {
    expect(await rowsOf('Active alarms')).toEqual([
      {
        time: now - 5 * MINUTE,
        severity: 'critical',
        device: 'press-1',
        metric: 'oil_temperature',
        detector: 'range',
        message: 'too hot',
        value: 66,
        score: 1.75,
      },
    ]);
  });

  it('counts the alarms raised, by severity', async () => {
    const rows = await rowsOf('Alarms raised');
    const total = (severity: string) =>
      rows.filter((row) => row['severity'] === severity).reduce((sum, row) => sum + Number(row['raised']), 0);
    expect([total('critical'), total('warning')]).toEqual([1, 1]);
  });

  it('marks the alarms of the device on every panel', async () => {
    const marks = dashboard.annotations.list.filter((one) => one.builtIn !== 1);
    expect(marks).toHaveLength(1);
    const rows = await influxd.rows(DATABASE, filledIn(marks[0]!.query!, choice, now));
    expect(rows).toMatchObject([{ message: 'too hot', metric: 'oil_temperature', severity: 'critical' }]);
  });
});

/** Half an hour of a press and a pump: minutes, one hour, an alarm that lasts and one that is over. */
function pressHall(now: number): Result[] {
  const results: Result[] = [];
  const spread = { count: 60, stddev: 1, sum: 1 };
  for (let minute = 29; minute >= 1; minute--) {
    const start = now - minute * MINUTE;
    const oil = { ...spread, mean: 46, min: 44, max: 48, p95: 47.5 };
    const pressure = { ...spread, mean: 180, min: 168, max: 192, p95: 190 };
    results.push(
      aggregate({ series: seriesOf('press-1', 'oil_temperature'), start, fields: oil, good: 0.95 }),
      aggregate({ series: seriesOf('press-1', 'oil_pressure'), start, fields: pressure }),
      aggregate({
        series: seriesOf('pump-1', 'flow'),
        start,
        fields: { ...spread, mean: 32, min: 30, max: 33, p95: 33 },
      }),
    );
  }
  const hot = {
    series: seriesOf('press-1', 'oil_temperature'),
    detector: 'range',
    severity: 'critical',
    message: 'too hot',
  } as const;
  const stuck = { series: seriesOf('pump-1', 'flow'), detector: 'flatline', severity: 'warning' } as const;
  results.push(
    aggregate({ series: seriesOf('press-1', 'oil_temperature'), window: 'hour', start: now - 29 * MINUTE }),
    alarm({ ...stuck, raisedAt: now - 20 * MINUTE }),
    alarm({ ...stuck, raisedAt: now - 20 * MINUTE, state: 'cleared', time: now - 10 * MINUTE }),
    alarm({ ...hot, raisedAt: now - 5 * MINUTE, value: 66 }),
  );
  return results;
}
