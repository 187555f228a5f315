import { describe, expect, test } from 'vitest';
import type { Reading, Value } from '../../../gateway/core/reading.ts';
import type { Aggregate, Result } from '../../../gateway/core/result.ts';
import type { History } from '../../../gateway/core/sink.ts';
import type { ManualClock } from '../../manual-clock.ts';
import type { FaultyDisk } from '../../model/faulty-disk.ts';
import { bootedGateway } from './booted-gateway.ts';

const TEXT = `
storage: { path: /data, keepFree: 64 KiB }
windows:
  - { name: second, series: "press/*", window: { tumbling: 1s, allowedLateness: 2s }, aggregates: [count] }
  - { name: three, series: "*/speed", window: { count: 3, every: 2 }, aggregates: [count] }
  - { name: running, series: "*/speed", window: { while: { above: 0 } }, aggregates: [count] }
rollups: [{ name: ten, from: second, window: { tumbling: 10s } }]
reduce: [{ series: "*/level", deadband: 1 }]
derive: [{ name: kelvin, series: "*/temperature", metric: kelvin, value: value + 273.0 }]
join: [{ name: heat, left: "*/temperature", right: "*/flow", on: device, tumbling: 1s, aggregate: mean, value: left * right }]
detect: [{ series: "*/temperature", detector: range, max: 50, alarm: { hold: 0s } }]
`;

async function booted(disk?: FaultyDisk, clock?: ManualClock) {
  const stored: Aggregate[] = [];
  const history: History = {
    aggregates: ({ series, window, from = -Infinity, to = Infinity }) =>
      stored
        .filter((one) => one.series.key === series && one.window === window && one.start >= from && one.start < to)
        .map(({ kind: _, ...row }) => ({ ...row, series }))
        .filter(({ start }, at, all) => !all.slice(at + 1).some((later) => later.start === start)),
    alarms: () => [],
  };
  const box = await bootedGateway(TEXT, { history, ...(disk && { disk }), ...(clock && { clock }) });
  box.gateway.inspection.tap(
    { stage: 'results' },
    { passed: (item) => 'window' in item && stored.push(item), end: () => undefined },
  );
  const start = Math.ceil(box.clock.now() / 10_000) * 10_000;
  await box.clock.advance(start - box.clock.now());
  /** A reading so many milliseconds after the start, and its acknowledgement. */
  const send = (metric: string, value: Value, afterMs: number) => box.send(metric, value, start + afterMs);
  return { ...box, send, start };
}

function told(item: Reading | Result): string {
  if (!('kind' in item)) return `${item.series.key}=${item.value}`;
  return item.kind === 'alarm' ? `${item.detector} ${item.state}` : `${item.window} ${JSON.stringify(item.fields)}`;
}

test('at each stage is seen what passes there', async () => {
  const { gateway, send, stop } = await booted();
  const { inspection } = gateway;
  expect(inspection.stages.map(({ name }) => name)).toEqual([
    'accepted',
    'reduction',
    'derive:kelvin',
    'join:heat',
    'window:second',
    'window:three',
    'window:running',
    'rollup:ten',
    'detect:range',
    'fates',
    'results',
  ]);
  const seen: Record<string, string[]> = {};
  const closes = inspection.stages.map(({ name }) => {
    seen[name] = [];
    const passed = (item: Reading | Result, outcome: string | undefined) =>
      seen[name]!.push([told(item), ...(outcome === undefined ? [] : [outcome])].join(' '));
    return inspection.tap({ stage: name }, { passed, end: () => expect.fail('it ended') });
  });
  await send('temperature', 20, 100);
  await send('temperature', 20, 100);
  await send('temperature', 90, 10_500);
  await send('temperature', 21, 3000);
  await send('level', 5, 100);
  await send('level', 5.5, 200);
  expect(seen).toEqual({
    accepted: [
      'press/temperature=20',
      'press/temperature=90',
      'press/temperature=21',
      'press/level=5',
      'press/level=5.5',
    ],
    reduction: [
      'press/temperature=20 passed',
      'press/kelvin=293 passed',
      'press/temperature=90 passed',
      'press/kelvin=363 passed',
      'press/temperature=21 passed',
      'press/kelvin=294 passed',
      'press/level=5 passed',
      'press/level=5.5 filtered',
    ],
    'derive:kelvin': ['press/kelvin=293', 'press/kelvin=363', 'press/kelvin=294'],
    'join:heat': [],
    'window:three': [],
    'window:running': [],
    'window:second': ['second {"count":1}', 'second {"count":1}'],
    'rollup:ten': ['ten {"count":1}', 'ten {"count":1}'],
    'detect:range': ['range raised'],
    fates: expect.arrayContaining([
      'press/temperature=20 duplicate',
      'press/temperature=21 late',
      'press/level=5.5 filtered',
      'press/temperature=90 aggregated',
    ]),
    results: expect.arrayContaining(['ten {"count":1}', 'range raised']),
  });
  for (const close of closes) close?.();
  await send('temperature', 22, 11_000);
  expect(seen['accepted']).toHaveLength(5);
  await stop();
});

describe('where a reading went', () => {
  /** What is told of a metric so many milliseconds after the start. */
  async function told(box: Awaited<ReturnType<typeof booted>>, metric: string, afterMs: number) {
    const explanation = await box.gateway.inspection.explain({ series: `press/${metric}`, time: box.start + afterMs });
    if (explanation === undefined) throw new Error('there is no such series');
    const windows = explanation.windows.map(({ window, start, end, state, holds, revision }) => {
      return [window, start - box.start, end - box.start, state, holds, revision];
    });
    return { ...explanation, windows };
  }

  test('one that went through everything is in its window and its rollup, which may still be open', async () => {
    const box = await booted();
    await box.send('temperature', 20, 100);
    await box.send('temperature', 90, 1500);
    expect(await told(box, 'temperature', 100)).toMatchObject({
      verdict: 'taken',
      readings: [{ value: 20, quality: 'good', anomaly: false }],
      windows: [
        ['second', 0, 1000, 'given', true, 0],
        ['ten', 0, 10_000, 'open', true, null],
      ],
      consumers: {
        reduction: null,
        readBy: ['derive:kelvin', 'join:heat (left)'],
        windows: ['second', 'ten'],
        detectors: [{ detector: 'range', options: { max: 50 } }],
      },
    });
    expect(await told(box, 'temperature', 1500)).toMatchObject({ readings: [{ value: 90, anomaly: true }] });
    await box.send('temperature', 20, 4000);
    expect((await told(box, 'temperature', 100)).windows[0]).toEqual(['second', 0, 1000, 'closed', true, 0]);
    await box.stop();
  });

  test('what a derivation has made of one is told, and the pairs of a join once their window has ended', async () => {
    const box = await booted();
    await box.send('temperature', 20, 100);
    await box.send('flow', 2, 300);
    await box.send('temperature', 30, 500);
    const of = async (metric: string, afterMs: number) =>
      (await told(box, metric, afterMs)).derived.map(({ by, series, from, to, mayFollow, readings }) => {
        const values = readings.map(({ value, sourceTime }) => [value, sourceTime - box.start]);
        return [by, series, from - box.start, to - box.start, mayFollow, values];
      });
    const kelvin = ['derive:kelvin', 'press/kelvin', 100, 100, false, [[293, 100]]];
    expect(await of('temperature', 100)).toEqual([kelvin]);
    for (const metric of ['temperature', 'flow']) await box.send(metric, 0, 1100);
    expect(await of('temperature', 100)).toEqual([
      kelvin,
      ['join:heat (left)', 'press/heat', 999, 999, false, [[50, 999]]],
    ]);
    expect(await of('flow', 300)).toEqual([['join:heat (right)', 'press/heat', 999, 999, false, [[50, 999]]]]);
    expect(await of('flow', 1100)).toEqual([['join:heat (right)', 'press/heat', 1999, 1999, true, []]]);
    expect(await of('flow', 301)).toEqual([]);
    await box.stop();
  });

  test('one in windows that readings end is in those that are open, and in those that the history knows', async () => {
    const box = await booted();
    const windows = async (afterMs: number) =>
      (await told(box, 'speed', afterMs)).windows.filter(([window]) => window !== 'second' && window !== 'ten');
    for (const [value, afterMs] of [
      [5, 100],
      [6, 200],
      [7, 300],
      [0, 400],
      [8, 500],
    ] as const)
      await box.send('speed', value, afterMs);
    // Three readings fill a window, and one begins with every second of them.
    expect(await windows(300)).toEqual([
      ['three', 100, 301, 'closed', true, 0],
      ['three', 300, 501, 'closed', true, 0],
      ['running', 100, 400, 'closed', true, 0],
    ]);
    expect(await windows(500)).toEqual([
      ['three', 500, 501, 'open', true, null],
      ['running', 500, 501, 'open', true, null],
      ['three', 300, 501, 'closed', true, 0],
    ]);
    await box.stop();
  });

  test('one that came too late is in the windows that were open, and not in those that had closed', async () => {
    const box = await booted();
    await box.send('temperature', 20, 500);
    await box.send('temperature', 20, 4000);
    await box.send('temperature', 21, 700);
    expect(await told(box, 'temperature', 700)).toMatchObject({
      verdict: 'late',
      watermarkThen: box.start + 4000,
      windows: [
        ['second', 0, 1000, 'closed', false, 0],
        ['ten', 0, 10_000, 'open', true, null],
      ],
    });
    await box.stop();
  });

  test('one that the reduction left out is in none, and the rule is told', async () => {
    const box = await booted();
    await box.send('level', 5, 100);
    await box.send('level', 5.5, 200);
    expect(await told(box, 'level', 200)).toMatchObject({
      verdict: 'reduced',
      summary: 'The reduction left it out: series: */level, deadband: 1.',
      windows: [
        ['second', 0, 1000, 'open', false, null],
        ['ten', 0, 10_000, 'open', false, null],
      ],
    });
    expect(await told(box, 'level', 100)).toMatchObject({ verdict: 'taken' });
    await box.stop();
  });

  test('one that came twice is told as often as it came, and what was refused of its device beside it', async () => {
    const box = await booted();
    await box.send('temperature', 20, 100);
    await box.send('temperature', 20, 100);
    await box.send('temperature', Number.NaN, 200);
    expect(await told(box, 'temperature', 100)).toMatchObject({
      verdict: 'taken',
      duplicates: 1,
      refused: [{ reason: expect.stringContaining('NaN') }],
    });
    await box.stop();
  });

  test('of a time without a reading the nearest are told, and of an unknown series nothing', async () => {
    const box = await booted();
    await box.send('temperature', 20, 100);
    await box.send('temperature', 21, 300);
    expect(await told(box, 'temperature', 200)).toMatchObject({
      verdict: 'unknown',
      readings: [],
      nearest: { before: box.start + 100, after: box.start + 300 },
      windows: [
        ['second', 0, 1000, 'open', null, null],
        ['ten', 0, 10_000, 'open', null, null],
      ],
    });
    expect(await box.gateway.inspection.explain({ series: 'press/nothing', time: 0 })).toBeUndefined();
    await box.stop();
  });

  test('after a restart it is said that what came before is not known any more', async () => {
    const before = await booted();
    await before.send('temperature', 20, 100);
    await before.stop();
    const box = { ...(await booted(before.disk, before.clock)), start: before.start };
    expect(await told(box, 'temperature', 100)).toMatchObject({
      verdict: 'unknown',
      summary: 'It came before the gateway was started: what became of it is not remembered.',
      readings: [{ value: 20 }],
    });
    await box.stop();
  });
});
