import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Configuration } from '../../../../config/configuration.ts';
import { type Division, divisionOf, KEY_GROUPS } from '../../../../gateway/catalog/key-groups.ts';
import type { Analyst } from '../../../../gateway/commands/replay/analyst.ts';
import { LocalAnalyst } from '../../../../gateway/commands/replay/local-analyst.ts';
import { Recording } from '../../../../gateway/commands/replay/recording.ts';
import { ThreadAnalyst } from '../../../../gateway/commands/replay/thread-analyst.ts';
import { Quality } from '../../../../gateway/core/quality.ts';
import type { Value } from '../../../../gateway/core/reading.ts';
import { configurationOf } from '../../../config/load-text.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const SEED = Number(process.env['HEADGATE_REPLAY_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** All that could tell series of one group from those of another: bounds on all of them, rounds in time, a memory for duplicates. */
const LOADED = configurationOf(`
time: { outOfOrderness: 5s }
windows:
  - { name: minute, series: "*", window: { tumbling: 1m, allowedLateness: 30s }, aggregates: [count, sum, p95] }
  - { name: hops, series: "*/a", window: { hopping: 1m, every: 20s }, aggregates: [max, last] }
  - { name: five, series: "*", window: { count: 5 }, aggregates: [sum] }
  - { name: sessions, series: "*/b", window: { session: 20s, allowedLateness: 1m }, aggregates: [integral] }
  - { name: day, series: "*", window: { calendar: day, timeZone: Europe/Berlin }, aggregates: [mean], early: 1m }
reduce:
  - { series: "*/c", deadband: 1 }
derive:
  - { name: part, series: "*/a", value: 100 / value }
join:
  - { name: both, left: "*/a", right: "*/b", within: 5s, value: left + right }
  - { name: level, left: "*/part", right: "*/c", asOf: 1m, value: left - right }
detect:
  - { series: "*/a", detector: range, max: 90, alarm: { severity: critical } }
  - { series: "*", detector: novelty, alarm: { severity: warning } }
sources: []
`);
const CONFIGURATION: Configuration = {
  ...LOADED,
  storage: { ...LOADED.storage, rememberedReadings: 20, maxSeries: 150 },
};

interface Said {
  readonly device: string;
  readonly metric: string;
  readonly value: Value;
  readonly time: number;
}

/** Devices that advance on their own, somewhat out of order; some say again what they have said. */
const recordings: fc.Arbitrary<readonly Said[]> = fc
  .array(
    fc.record({
      device: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: KEY_GROUPS + 20 })),
      metric: fc.constantFrom('a', 'b', 'c'),
      value: fc.oneof(
        { weight: 8, arbitrary: fc.nat({ max: 100 }) },
        fc.boolean(),
        fc.constantFrom('on', 'é', '{"}\n'),
        fc.constant(Number.NaN),
      ),
      stepMs: fc.oneof(fc.nat({ max: 3_000 }), fc.integer({ min: -90_000, max: 0 }), fc.constant(600_000)),
      again: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 60 })),
    }),
    { minLength: 1, maxLength: 400 },
  )
  .map((steps) => {
    const said: Said[] = [];
    const times = new Map<number, number>();
    for (const { device, metric, value, stepMs, again } of steps) {
      const earlier = again === 0 ? undefined : said.at(-again);
      const time = (times.get(device) ?? T0) + stepMs;
      times.set(device, Math.max(time, times.get(device) ?? T0));
      said.push(earlier ?? { device: `device ${device}`, metric, value, time });
    }
    return said;
  });

async function replay(
  said: readonly Said[],
  analysts: readonly Analyst[],
  roundReadings: number,
  division = divisionOf(CONFIGURATION),
): Promise<string> {
  const recording = new Recording({ configuration: CONFIGURATION, division, analysts, roundReadings });
  try {
    return await run(recording, said);
  } finally {
    for (const analyst of analysts) await analyst.end();
  }
}

async function run(recording: Recording, said: readonly Said[]): Promise<string> {
  for (const { device, metric, value, time } of said) {
    const series = recording.series({ device, metric });
    if (typeof series === 'string') recording.reject(device, series);
    else recording.reading(series, value, Quality.good, time);
  }
  recording.end();
  const results: Uint8Array[] = [];
  while (recording.pending > 0) results.push(await recording.nextResults());
  return `${Buffer.concat(results).toString()}${await recording.summary()}`;
}

const local = (count: number) => Array.from({ length: count }, () => new LocalAnalyst(CONFIGURATION));

describe(`HEADGATE_REPLAY_SEED=${SEED}`, () => {
  test('two and three workers say byte for byte what one says, however many readings are divided at a time', async () => {
    let results = 0;
    await fc.assert(
      fc.asyncProperty(recordings, fc.integer({ min: 1, max: 100 }), async (said, roundReadings) => {
        const one = await replay(said, local(1), 16_384);
        results += one.split('\n').length;
        expect(await replay(said, local(1), roundReadings)).toBe(one);
        expect(await replay(said, local(2), roundReadings)).toBe(one);
        expect(await replay(said, local(3), roundReadings)).toBe(one);
      }),
      { seed: SEED, numRuns: 100 },
    );
    // Nothing would be equal to nothing.
    expect(results).toBeGreaterThan(1_000);
  });

  test('what is divided gives the results that it gives as a whole', async () => {
    const whole: Division = { ...divisionOf(CONFIGURATION), undivided: 'to compare' };
    // What is still open at the end comes in another order.
    const lines = (text: string) => text.split('\n').sort();
    await fc.assert(
      fc.asyncProperty(recordings, async (said) => {
        expect(lines(await replay(said, local(2), 100))).toEqual(lines(await replay(said, local(1), 100, whole)));
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('threads say what one worker says', async () => {
    await fc.assert(
      fc.asyncProperty(recordings, fc.integer({ min: 2, max: 3 }), async (said, workers) => {
        const threads = Array.from({ length: workers }, () => new ThreadAnalyst(CONFIGURATION));
        expect(await replay(said, threads, 50)).toBe(await replay(said, local(1), 16_384));
      }),
      { seed: SEED, numRuns: 4 },
    );
  });
});

test('a pipeline that cannot be divided goes to one worker whole', async () => {
  const division: Division = { keyOf: ({ device }) => device, undivided: 'everything is bound together' };
  const analysts = local(2);
  const recording = new Recording({ configuration: CONFIGURATION, division, analysts });
  await run(
    recording,
    [0, 1, 2].map((i) => ({ device: `d${i}`, metric: 'a', value: i, time: T0 })),
  );
  expect([await analysts[0]?.fates(), await analysts[1]?.fates()]).toMatchObject([
    { aggregated: 3 },
    { aggregated: 0 },
  ]);
});

test.each([
  ['a thread', ThreadAnalyst],
  ['one beside it', LocalAnalyst],
])('a worker that fails fails the replay, and keeps nobody waiting: %s', async (_, Worker) => {
  const broken = { ...CONFIGURATION, windows: [{ ...CONFIGURATION.windows[0], aggregates: ['nonsense'] }] };
  const worker = new Worker(broken as unknown as Configuration);
  const recording = new Recording({
    configuration: CONFIGURATION,
    division: divisionOf(CONFIGURATION),
    analysts: [worker],
  });
  try {
    await expect(run(recording, [{ device: 'd', metric: 'a', value: 1, time: T0 }])).rejects.toThrow(/nonsense/);
    expect(await worker.fates()).toBeInstanceOf(Error);
  } finally {
    await worker.end();
  }
});
