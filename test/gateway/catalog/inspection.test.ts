import { expect, test } from 'vitest';
import { SteadyClock } from '../../../gateway/base/steady-clock.ts';
import { makeGateway } from '../../../gateway/catalog/make-gateway.ts';
import { loadText } from '../../../gateway/commands/configuration-file.ts';
import type { Intake } from '../../../gateway/core/intake.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Reading, Value } from '../../../gateway/core/reading.ts';
import type { Result } from '../../../gateway/core/result.ts';
import { ManualClock } from '../../manual-clock.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { noTimeService } from '../../no-time-service.ts';
import { plentyOfMemory } from '../../plenty-of-memory.ts';
import { recordingLogger } from '../../recording-logger.ts';

const never = new AbortController().signal;

const TEXT = `
storage: { path: /data, keepFree: 64 KiB }
windows: [{ name: second, series: "press/*", window: { tumbling: 1s, allowedLateness: 2s }, aggregates: [count] }]
rollups: [{ name: ten, from: second, window: { tumbling: 10s } }]
reduce: [{ series: "*/level", deadband: 1 }]
derive: [{ name: kelvin, series: "*/temperature", metric: kelvin, value: value + 273.0 }]
detect: [{ series: "*/temperature", detector: range, max: 50, alarm: { hold: 0s } }]
`;

async function booted() {
  const clock = new ManualClock();
  let intake!: Intake;
  const surroundings = { environment: {}, err: (text: string) => expect.fail(text) };
  const gateway = makeGateway(loadText(TEXT, '/gateway.yaml', surroundings as never).configuration, {
    clock: new SteadyClock(clock),
    timeService: noTimeService,
    boot: 'boot',
    random: () => 0.5,
    memory: plentyOfMemory,
    logger: recordingLogger(),
    disk: new FaultyDisk(seededRandom(3)).mount(),
    version: '0',
    configurationText: TEXT,
    failed: (error) => expect.fail(String(error)),
    sources: (intakeOf) => {
      intake = intakeOf('floor');
      return [];
    },
    sinks: [],
    history: { aggregates: () => [], alarms: () => [] },
  });
  await gateway.start(never);
  const start = Math.ceil(clock.now() / 10_000) * 10_000;
  await clock.advance(start - clock.now());
  /** A reading so many milliseconds after the start, and its acknowledgement. */
  const send = (metric: string, value: Value, afterMs: number) => {
    const series = intake.series({ device: 'press', metric });
    if (typeof series === 'string') throw new Error(series);
    intake.reading(series, value, Quality.good, start + afterMs, clock.now());
    return new Promise<void>((resolve) => intake.acknowledge(resolve));
  };
  return { gateway, clock, send, start };
}

function told(item: Reading | Result): string {
  if (!('kind' in item)) return `${item.series.key}=${item.value}`;
  return item.kind === 'alarm' ? `${item.detector} ${item.state}` : `${item.window} ${JSON.stringify(item.fields)}`;
}

test('at each stage is seen what passes there', async () => {
  const { gateway, send } = await booted();
  const { inspection } = gateway;
  expect(inspection.stages.map(({ name }) => name)).toEqual([
    'accepted',
    'reduction',
    'derive:kelvin',
    'window:second',
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
  await gateway.stop(never);
});
