import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groupRow } from './fake-rows.ts';
import { startApi } from './start-api.ts';

let one: Awaited<ReturnType<typeof startApi>>;

beforeAll(async () => {
  one = await startApi();
});

afterAll(() => one.stop());

const LINE =
  /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})? ([Nn]a[Nn]|[+-]Inf|-?[\d.]+(?:e[+-]?\d+)?)$/;

/** A scrape as a Prometheus server would read it: value by name and labels. */
async function scrape(): Promise<Map<string, number>> {
  const reply = await one.http.inject({ url: '/metrics' });
  expect(reply.headers['content-type']).toContain('text/plain');
  const samples = new Map<string, number>();
  for (const line of reply.body.split('\n')) {
    if (line === '' || line.startsWith('# HELP ') || line.startsWith('# TYPE ')) continue;
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a metric line: ${line}`);
    expect(samples.has(name + labels), line).toBe(false);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

describe('/metrics', () => {
  test('the ledger adds up in the metrics as in the status', async () => {
    const samples = await scrape();
    const { received } = one.view.ledger;
    expect(samples.get('headgate_devices_received_readings_total{source="floor"}')).toBe(received);
    let sum = samples.get('headgate_devices_inflight_readings_count{source="floor"}') ?? Number.NaN;
    for (const [name, value] of samples) {
      if (name.startsWith('headgate_devices_settled_readings_total{source="floor"')) sum += value;
    }
    expect(sum).toBe(received);
  });

  test('the ledger is there by device, for a hundred of them at the most', async () => {
    one.view.groups = Array.from({ length: 150 }, (_, i) =>
      groupRow(`press-${i}`, { received: 9, late: 4, aggregated: 5 }),
    );
    const samples = await scrape();
    expect(samples.get('headgate_runtime_device_received_readings_total{device="press-7"}')).toBe(9);
    expect(samples.get('headgate_runtime_device_settled_readings_total{device="press-7",fate="late"}')).toBe(4);
    const told = [...samples.keys()].filter((name) => name.startsWith('headgate_runtime_device_received'));
    expect(told).toHaveLength(100);
    expect(samples.get('headgate_runtime_ledger_groups_count')).toBe(150);
    expect(samples.get('headgate_runtime_ledger_imbalance_readings')).toBe(0);
  });

  test('memory is told with its bounds, and what is given up', async () => {
    const samples = await scrape();
    expect(samples.get('headgate_runtime_memory_state{state="normal"}')).toBe(1);
    expect(samples.get('headgate_runtime_memory_state{state="critical"}')).toBe(0);
    expect(samples.get('headgate_runtime_memory_heap_limit_bytes')).toBe(268_000_000);
    expect(samples.get('headgate_runtime_memory_shedding{step="sources"}')).toBe(0);
    expect(samples.get('headgate_runtime_memory_bound_max{what="series",unit="series"}')).toBe(10_000);
  });

  test('a second scrape does not count again', async () => {
    const first = await scrape();
    const second = await scrape();
    for (const [name, value] of first) if (name.startsWith('headgate_')) expect(second.get(name), name).toBe(value);
  });

  test('sinks, buffers, series and the process are there', async () => {
    const samples = await scrape();
    expect(samples.get('headgate_sinks_backlog_records_count{sink="influx"}')).toBe(1520);
    expect(samples.get('headgate_sinks_backlog_full_seconds{sink="influx"}')).toBe(10_800);
    expect(samples.get('headgate_sinks_backlog_full_seconds{sink="history"}')).toBeUndefined();
    const fates = ['delivered', 'rejected', 'filtered', 'superseded', 'dropped'].map(
      (fate) => samples.get(`headgate_sinks_${fate}_results_total{sink="influx"}`)!,
    );
    const ended = fates.reduce(
      (sum, count) => sum + count,
      samples.get('headgate_sinks_pending_results_count{sink="influx"}')!,
    );
    expect(samples.get('headgate_sinks_received_results_total{sink="influx"}')).toBe(ended);
    expect(samples.get('headgate_sinks_ledger_imbalance_results{sink="influx"}')).toBe(0);
    expect(samples.get('headgate_buffer_size_bytes{log="alarms"}')).toBe(1_310_720);
    expect(samples.get('headgate_sinks_sink_state{sink="influx",type="influxdb",state="degraded"}')).toBe(1);
    expect(samples.get('headgate_sinks_sink_state{sink="influx",type="influxdb",state="running"}')).toBe(0);
    expect(samples.get('headgate_buffer_size_bytes{log="journal"}')).toBe(1_310_720);
    expect(samples.get('headgate_buffer_pending_bytes{log="journal"}')).toBe(512);
    expect(samples.get('headgate_buffer_damaged_items{log="outbox"}')).toBe(3);
    expect(samples.get('headgate_pipeline_series_max')).toBe(10_000);
    expect(samples.get('headgate_pipeline_series_refused_total')).toBe(3);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  test('counters end in _total and names follow headgate_<room>_', async () => {
    const { body } = await one.http.inject({ url: '/metrics' });
    const types = [...body.matchAll(/^# TYPE (headgate_\w+) (\w+)$/gm)];
    expect(types.length).toBeGreaterThan(20);
    for (const [, name, type] of types) {
      expect(name).toMatch(/^headgate_(runtime|devices|pipeline|detect|buffer|sinks|api)_/);
      expect(name?.endsWith('_total')).toBe(type === 'counter');
    }
  });

  test('the clocks of devices that are ahead are there, and no longer when they are right', async () => {
    const before = one.view.deviceClocks;
    const ahead = [{ device: 'press-1', skewMs: 7_200_000, restampedTotal: 40 }];
    one.view.deviceClocks = { aheadCount: 1, ahead, restampedTotal: 41 };
    const samples = await scrape();
    one.view.deviceClocks = before;
    expect(samples.get('headgate_devices_clocks_ahead_count')).toBe(1);
    expect(samples.get('headgate_devices_clock_skew_seconds{device="press-1"}')).toBe(7_200);
    expect(samples.get('headgate_devices_restamped_readings_total')).toBe(41);
    expect((await scrape()).has('headgate_devices_clock_skew_seconds{device="press-1"}')).toBe(false);
  });

  test('a sink that has gone is no longer told', async () => {
    const { sinks } = one.view;
    one.view.sinks = sinks.slice(0, 1);
    const samples = await scrape();
    one.view.sinks = sinks;
    expect([...samples.keys()].filter((name) => name.includes('sink="influx"'))).toEqual([]);
  });
});
