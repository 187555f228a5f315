import { deserialize, serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../../gateway/base/series-registry.ts';
import { Quality } from '../../../../gateway/core/quality.ts';
import type { Series, SeriesIdentity, Value } from '../../../../gateway/core/reading.ts';
import type { AlarmEvent, Result } from '../../../../gateway/core/result.ts';
import { Fate } from '../../../../gateway/core/stage.ts';
import { Maintenance } from '../../../../gateway/detect/maintenance/maintenance.ts';
import type { TogetherRule } from '../../../../gateway/detect/together/together-rule.ts';
import { TogetherStage } from '../../../../gateway/detect/together/together-stage.ts';
import { seededRandom } from '../seeded-random.ts';

const PUMP: TogetherRule = {
  together: ['pump-1/flow', 'pump-1/current', 'pump-1/pressure'],
  on: [],
  maxAgeMs: 60_000,
  detector: 'mahalanobis',
  alarm: { severity: 'critical', holdMs: 5000 },
};
const FLEET: TogetherRule = { ...PUMP, together: ['*/flow', '*/current', '*/pressure'], on: ['device'] };

/** A stage with its own series and everything it emitted. */
class Bench {
  readonly registry: SeriesRegistry;
  readonly rules: readonly TogetherRule[];
  readonly marked: string[] = [];
  readonly events: AlarmEvent[];
  stage: TogetherStage;

  constructor(rules: readonly TogetherRule[], before?: Bench, maintenance?: Maintenance) {
    this.registry = before?.registry ?? new SeriesRegistry();
    this.events = before?.events ?? [];
    this.rules = rules;
    this.stage = new TogetherStage({
      rules,
      maintenance,
      findSeries: (key) => this.registry.get(key),
      onAnomaly: ({ series, sourceTime }) => this.marked.push(`${series.key}@${sourceTime}`),
    });
    if (before !== undefined) this.stage.restore(deserialize(serialize(before.stage.snapshot())));
  }

  readonly emit = (result: Result): void => {
    if (result.kind === 'alarm') this.events.push(result);
  };

  series(identity: SeriesIdentity, unit?: string): Series {
    const series = this.registry.intern(identity, unit);
    if (typeof series === 'string') throw new Error(series);
    return series;
  }

  feed(series: Series, value: Value, time: number, how: { quality?: Quality; stamped?: boolean } = {}): Fate {
    const { quality = Quality.good, stamped = false } = how;
    const reading = { series, source: 'test', value, quality, sourceTime: time, receiveTime: time, stamped };
    return this.stage.process(reading, this.emit);
  }

  /** The readings of a pump at a moment; what flows is `share` of what the current says. */
  pump(device: string, i: number, random: () => number, share = 1): void {
    const noise = () => (random() + random() - 1) / 2;
    const current = 10 + 2 * Math.sin(i / 30) + noise();
    this.feed(this.series({ device, metric: 'current' }, 'A'), current, i * 1000);
    this.feed(this.series({ device, metric: 'pressure' }), 5 + current / 4 + noise(), i * 1000 + 2);
    this.feed(this.series({ device, metric: 'flow' }, 'l/min'), 3 * share * current + noise(), i * 1000 + 5);
  }

  states(): string[] {
    return this.events.map(({ id, state }) => `${id} ${state}`);
  }
}

test('one alarm tells which series stands out, what the others let expect, and how much of it is whose', () => {
  const bench = new Bench([PUMP]);
  const random = seededRandom(1);
  for (let i = 0; i < 2000; i++) bench.pump('pump-1', i, random, i < 1500 || i >= 1700 ? 1 : 0.3);
  expect(bench.events.map(({ state }) => state)).toEqual(['raised', 'cleared']);
  const [raised, cleared] = bench.events;
  expect(raised).toMatchObject({
    detector: 'mahalanobis',
    severity: 'critical',
    series: { key: 'pump-1/flow', unit: 'l/min' },
    id: `mahalanobis@pump-1/flow+pump-1/current+pump-1/pressure@${raised!.raisedAt}`,
  });
  expect(raised!.raisedAt).toBeGreaterThanOrEqual(1_500_000);
  expect(raised!.raisedAt).toBeLessThan(1_520_000);
  expect(raised!.score).toBeGreaterThanOrEqual(1);
  expect(raised!.message).toMatch(
    /^flow of pump-1 is [\d.]+ l\/min, on average [\d.]+ \(flow \d+ %(, \w+ \d+ %)* of what is strange in 3 series together\) where between [\d.]+ and [\d.]+ was expected, since 1970-01-01T00:25:\d\d\.\d+Z \(mahalanobis, score [\d.]+\)\.$/,
  );
  expect(cleared).toMatchObject({ series: { key: 'pump-1/flow' }, state: 'cleared' });
  expect(cleared!.time).toBeGreaterThan(1_700_000);
  expect(cleared!.time).toBeLessThan(1_760_000);
  expect(bench.marked.length).toBeGreaterThan(150);
  expect(new Set(bench.marked.map((mark) => mark.split('@')[0]))).toContain('pump-1/flow');
});

test('a series that has been silent for longer than maxAge is judged without, and the alarm tells so', () => {
  const bench = new Bench([{ ...PUMP, maxAgeMs: 10_000 }]);
  const random = seededRandom(6);
  const feed = (i: number, apart: number, hasPressure: boolean) => {
    const load = random() + random();
    bench.feed(bench.series({ device: 'pump-1', metric: 'current' }), load, i * 1000);
    if (hasPressure) bench.feed(bench.series({ device: 'pump-1', metric: 'pressure' }), load + random() / 9, i * 1000);
    bench.feed(bench.series({ device: 'pump-1', metric: 'flow' }), load + random() / 9 + apart, i * 1000);
  };
  for (let i = 0; i < 900; i++) feed(i, 0, i < 700);
  expect(bench.events).toEqual([]);
  for (let i = 900; i < 950; i++) feed(i, 5, false);
  expect(bench.events[0]?.message).toContain('of what is strange in 2 of 3 series together');
});

test('with on each device is a group of its own', () => {
  const bench = new Bench([FLEET]);
  const [one, other] = [seededRandom(1), seededRandom(2)];
  for (let i = 0; i < 1700; i++) {
    bench.pump('pump-1', i, one);
    bench.pump('pump-2', i, other, i < 1500 ? 1 : 0.3);
  }
  expect(bench.events.map(({ id }) => id)).toEqual([expect.stringMatching(/^mahalanobis@pump-2@\d+$/)]);
  expect(bench.stage.activeAlarms().map(({ raised }) => raised.series.device)).toEqual(['pump-2']);
  expect(bench.stage.bounds()).toEqual([
    { name: 'groups judged together', used: 2, max: 10_000, unit: 'groups' },
    { name: 'series in the largest group judged together', used: 3, max: 32, unit: 'series' },
  ]);
});

test('a group counts as one detector, and as learning until it has seen enough, also after a restart', () => {
  const bench = new Bench([FLEET]);
  const random = seededRandom(7);
  for (let i = 0; i < 300; i++) bench.pump('pump-1', i, random);
  for (let i = 0; i < 100; i++) bench.pump('pump-2', i, random);
  expect(bench.stage.detectors).toEqual({ count: 2, learning: 1 });
  const next = new Bench([FLEET], bench);
  expect(next.stage.detectors).toEqual({ count: 2, learning: 1 });
  for (let i = 100; i < 220; i++) next.pump('pump-2', i, random);
  expect(next.stage.detectors).toEqual({ count: 2, learning: 0 });
});

test('stopped and resumed again and again it gives the same', () => {
  const run = (stops: boolean): AlarmEvent[] => {
    let bench = new Bench([FLEET]);
    const random = seededRandom(3);
    for (let i = 0; i < 900; i++) {
      if (stops && i % 7 === 3) bench = new Bench([FLEET], bench);
      const before = bench;
      bench.pump('pump-1', i, random, i < 700 || i > 800 ? 1 : 0.2);
      if (stops && i % 50 === 0) bench = new Bench(before.rules, before);
    }
    return bench.events;
  };
  const whole = run(false);
  expect(whole.map(({ state }) => state)).toEqual(['raised', 'cleared']);
  expect(run(true)).toEqual(whole);
});

test('what cannot be judged is filtered: texts, bad quality, old readings, series without what on names', () => {
  const bench = new Bench([{ ...PUMP, together: ['flow', 'current'], on: ['hall'] }]);
  const flow = bench.series({ device: 'a', metric: 'flow', tags: { hall: '7' } });
  const current = bench.series({ device: 'b', metric: 'current', tags: { hall: '7' } });
  const elsewhere = bench.series({ device: 'c', metric: 'flow' });
  const other = bench.series({ device: 'a', metric: 'level', tags: { hall: '7' } });
  expect(bench.feed(flow, 1, 1000)).toBe(Fate.aggregated);
  expect(bench.feed(current, true, 1000)).toBe(Fate.aggregated);
  expect(bench.feed(flow, 1, 1000), 'the same time again').toBe(Fate.filtered);
  expect(bench.feed(flow, 'high', 2000), 'a text').toBe(Fate.filtered);
  expect(bench.feed(flow, 1, 2000, { quality: Quality.bad }), 'bad').toBe(Fate.filtered);
  expect(bench.feed(flow, Number.NaN, 2000), 'not finite').toBe(Fate.filtered);
  expect(bench.feed(elsewhere, 1, 2000), 'no hall').toBe(Fate.filtered);
  expect(bench.feed(other, 1, 2000), 'another metric').toBe(Fate.filtered);
  expect(bench.stage.bounds()[0]).toMatchObject({ used: 1 });
});

test('series of several devices are named in full', () => {
  const bench = new Bench([{ ...PUMP, together: ['a/x', 'b/x'] }]);
  const random = seededRandom(4);
  const [a, b] = [bench.series({ device: 'a', metric: 'x' }), bench.series({ device: 'b', metric: 'x' })];
  for (let i = 0; i < 900; i++) {
    const load = random() + random();
    bench.feed(a, load, i * 1000);
    bench.feed(b, load + random() / 9 + (i < 800 ? 0 : 5), i * 1000);
  }
  expect(bench.events[0]?.message).toMatch(/^x of b is .*\(b\/x \d+ %.* in 2 series together\)/);
});

test('there is room for 32 series in a group, and for as many groups as are allowed', () => {
  const bench = new Bench([{ ...PUMP, together: ['pump-1/*', 'pump-2/*'], on: [] }]);
  const fates = Array.from({ length: 33 }, (_, i) =>
    bench.feed(bench.series({ device: 'pump-1', metric: `m${i}` }), 1, 1000),
  );
  expect(fates.filter((fate) => fate === Fate.aggregated)).toHaveLength(32);
  expect(fates.at(-1)).toBe(Fate.filtered);
  expect(bench.stage.bounds()[1]).toMatchObject({ used: 32, max: 32 });
  // A restart changes nothing of who has a place.
  const next = new Bench(bench.rules, bench);
  expect(next.feed(next.series({ device: 'pump-1', metric: 'm0' }), 1, 2000)).toBe(Fate.aggregated);
  expect(next.feed(next.series({ device: 'pump-1', metric: 'm32' }), 1, 2000)).toBe(Fate.filtered);

  const small = new TogetherStage({ rules: [FLEET], findSeries: () => undefined, maxGroups: 1 });
  const fateOf = (device: string) => {
    const series = bench.series({ device, metric: 'flow' });
    const reading = { series, source: 'test', value: 1, quality: Quality.good, sourceTime: 1, receiveTime: 1 };
    return small.process(reading, bench.emit);
  };
  expect([fateOf('one'), fateOf('two')]).toEqual([Fate.aggregated, Fate.filtered]);
});

test('when its rule has left the configuration an active alarm is cleared, and a changed one learns anew', () => {
  const bench = new Bench([PUMP]);
  const random = seededRandom(1);
  for (let i = 0; i < 1600; i++) bench.pump('pump-1', i, random, i < 1500 ? 1 : 0.3);
  expect(bench.states()).toHaveLength(1);
  const next = new Bench([{ ...PUMP, options: { threshold: 9 } }], bench);
  expect(next.stage.activeAlarms()).toHaveLength(1);
  expect(next.stage.isDue(1)).toBe(true);
  next.stage.advance(1, next.emit);
  expect(next.stage.isDue(1)).toBe(false);
  expect(next.events[1]).toMatchObject({ state: 'cleared', id: next.events[0]!.id });
  expect(next.events[1]!.message).toContain('no longer configured');
  next.pump('pump-1', 1600, random, 0.3);
  expect(next.events).toHaveLength(2);
});

test('an active alarm ends as it was fine also where a rule that stood before its own is gone, and its own has another name', () => {
  const other: TogetherRule = { ...PUMP, together: ['pump-2/flow', 'pump-2/current'] };
  const bench = new Bench([other, PUMP]);
  const random = seededRandom(1);
  for (let i = 0; i < 1600; i++) bench.pump('pump-1', i, random, i < 1500 ? 1 : 0.3);
  const [raised] = bench.events;
  expect(raised!.id).toMatch(/^mahalanobis#2@/);
  const next = new Bench([PUMP], bench);
  expect(next.stage.dismiss(raised!)).toMatchObject({ hasLearnt: true });
  expect(next.stage.activeAlarms()).toEqual([]);
});

test('what was fine by the word of a person ends the alarm, and is normal from then on', () => {
  const bench = new Bench([PUMP]);
  const random = seededRandom(1);
  for (let i = 0; i < 1600; i++) bench.pump('pump-1', i, random, i < 1500 ? 1 : 0.3);
  const [raised] = bench.events;
  expect(bench.stage.dismiss({ ...raised!, id: 'mahalanobis@pump-2@7' })).toBeUndefined();
  expect(bench.stage.dismiss(raised!)).toEqual({ hasLearnt: true, time: 1_599_005 });
  expect(bench.stage.activeAlarms()).toEqual([]);
  for (let i = 1600; i < 2400; i++) bench.pump('pump-1', i, random, 0.3);
  expect(bench.events).toEqual([raised]);
  expect(bench.stage.dismiss(raised!)).toEqual({ hasLearnt: false, time: 2_399_005 });
});

test('in maintenance nothing is judged or learnt', () => {
  const from = 1_500_000;
  const plan = { series: 'pump-1/*', reason: undefined, schedule: { from, to: from + 200_000 } };
  const bench = new Bench([PUMP], undefined, new Maintenance([plan]));
  const random = seededRandom(1);
  for (let i = 0; i < 1500; i++) bench.pump('pump-1', i, random);
  const before = serialize(bench.stage.snapshot());
  for (let i = 1500; i < 1700; i++) bench.pump('pump-1', i, random, 0.3);
  expect(serialize(bench.stage.snapshot())).toEqual(before);
  for (let i = 1700; i < 1900; i++) bench.pump('pump-1', i, random);
  expect(bench.events).toEqual([]);
});

test('where the time of its readings is that of the gateway and is set back, a group begins anew', () => {
  const bench = new Bench([PUMP]);
  const flow = bench.series({ device: 'pump-1', metric: 'flow' });
  const current = bench.series({ device: 'pump-1', metric: 'current' });
  const random = seededRandom(5);
  const feed = (from: number, count: number, apart: number) => {
    for (let i = 0; i < count; i++) {
      const load = random();
      bench.feed(flow, load, from + i * 1000, { stamped: true });
      bench.feed(current, load + random() / 9 + apart, from + i * 1000, { stamped: true });
    }
  };
  feed(1e9, 800, 0);
  feed(1e9 + 800_000, 100, 5);
  expect(bench.events.map(({ state }) => state)).toEqual(['raised']);
  bench.stage.step(1e9 - 5000, -1_000_000, bench.emit);
  expect(bench.events.map(({ state }) => state)).toEqual(['raised', 'cleared']);
  expect(bench.events[1]!.message).toContain('set back');
  feed(1e9 - 4000, 300, 0);
  expect(bench.feed(flow, 1, 1e9 + 400_000)).toBe(Fate.aggregated);
  expect(bench.events).toHaveLength(2);
});

test('a snapshot of another version is refused, with what follows without it', () => {
  const stage = new TogetherStage({ rules: [PUMP], findSeries: () => undefined });
  for (const wrong of [undefined, {}, { version: 2, groups: new Map(), withdrawn: [] }]) {
    expect(() => stage.restore(wrong)).toThrow('Cannot restore the series judged together');
  }
});
