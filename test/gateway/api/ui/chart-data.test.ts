import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ChartData } from '../../../../gateway/api/ui/chart-data.ts';
import type { AggregateRow } from '../../../../gateway/core/sink.ts';

const NOW = 1_780_000_000_000;
const answers = { readings: [] as object[], aggregates: [] as object[], alarms: [] as object[] };

beforeEach(() => {
  Object.assign(answers, { readings: [], aggregates: [], alarms: [] });
  vi.stubGlobal('fetch', async (url: string) => {
    const name = /^\/api\/v1\/(\w+)/.exec(url)?.[1] as keyof typeof answers;
    return new Response(JSON.stringify({ [name]: answers[name] }));
  });
});

afterEach(() => vi.unstubAllGlobals());

const reading = (sourceTime: number, value = 1) => ({
  series: 'a/x',
  sourceTime,
  value,
  quality: 'good' as const,
  anomaly: false,
});

const row = (window: string, start: number, lengthMs: number, revision = 0): AggregateRow => ({
  series: 'a/x',
  window,
  start,
  end: start + lengthMs,
  revision,
  good: 1,
  fields: { mean: revision },
});

async function shown(newest?: number): Promise<ChartData> {
  const chart = new ChartData(
    () => NOW,
    () => undefined,
  );
  await chart.show('a/x', newest);
  return chart;
}

describe('ChartData', () => {
  test('ends now while readings come, and with the newest reading when they are from another time', async () => {
    expect((await shown(NOW - 5_000)).span()).toMatchObject({ to: NOW, live: true });
    const old = Date.UTC(2014, 0, 12);
    expect((await shown(old)).span()).toMatchObject({ to: old, live: false });
    expect((await shown(NOW + 9e9)).span()).toMatchObject({ to: NOW + 9e9, live: false });
  });

  test('is as long as the range, or as the series where that is younger, and never shorter than a minute', async () => {
    const length = async (ageMs: number) => {
      const chart = await shown(NOW);
      chart.addReadings([reading(NOW - ageMs), reading(NOW)]);
      return NOW - chart.span().from;
    };
    expect(await length(10_000)).toBe(60_000);
    expect(await length(100_000)).toBe(100_000);
    expect(await length(900_000)).toBe(300_000);
  });

  test('live results stay when the history, which is behind, is read', async () => {
    const chart = await shown(NOW);
    chart.addAggregate(row('minute', NOW - 60_000, 60_000));
    await chart.setRange(3_600_000);
    expect(chart.aggregates()).toHaveLength(1);
  });

  test('keeps readings in order of source time, whatever the order they come in', async () => {
    const chart = await shown();
    chart.addReadings([reading(NOW - 100), reading(NOW - 300)]);
    chart.addReadings([reading(NOW - 200), { ...reading(NOW - 50), series: 'b/y' }]);
    expect(chart.readings.map((one) => one.sourceTime - NOW)).toEqual([-300, -200, -100]);
  });

  test('keeps what the stream brings while a request is under way', async () => {
    answers.readings = [reading(NOW - 300), reading(NOW - 200)];
    const chart = new ChartData(
      () => NOW,
      () => undefined,
    );
    const loading = chart.show('a/x', undefined);
    chart.addReadings([reading(NOW - 200), reading(NOW - 100)]);
    await loading;
    expect(chart.readings.map((one) => one.sourceTime - NOW)).toEqual([-300, -200, -100]);
  });

  test('a corrected window replaces the one before, never the other way round', async () => {
    const chart = await shown(NOW);
    chart.addAggregate(row('minute', NOW - 60_000, 60_000, 1));
    chart.addAggregate(row('minute', NOW - 60_000, 60_000, 0));
    expect(chart.aggregates().map((one) => one.revision)).toEqual([1]);
  });

  test('shows the finest window that can still be read, or the chosen one', async () => {
    answers.aggregates = [
      ...Array.from({ length: 500 }, (_, i) => row('fine', NOW - (i + 1) * 100, 100)),
      row('minute', NOW - 60_000, 60_000),
    ];
    const chart = await shown(NOW);
    expect(chart.windows()).toEqual(['fine', 'minute']);
    expect(chart.window()).toBe('minute');
    chart.chosenWindow = 'fine';
    expect(chart.aggregates()).toHaveLength(500);
  });

  test('shows readings that came too late for a window only where they are chosen', async () => {
    answers.aggregates = [row('minute:late', NOW - 70_000, 1), row('minute', NOW - 60_000, 60_000)];
    const chart = await shown(NOW);
    expect(chart.window()).toBe('minute');
    chart.chosenWindow = 'minute:late';
    expect(chart.aggregates()).toHaveLength(1);
  });

  test('is bounded', async () => {
    const chart = await shown();
    for (let i = 0; i < 30; i++) {
      chart.addReadings(Array.from({ length: 1000 }, (_, j) => reading(NOW + i * 1000 + j)));
      expect(chart.readings.length).toBeLessThanOrEqual(11_000);
    }
  });
});
