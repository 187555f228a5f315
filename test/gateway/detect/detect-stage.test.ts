import { deserialize, serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Reading, Series, SeriesIdentity, Value } from '../../../gateway/core/reading.ts';
import { type AlarmEvent, type Result, resultId } from '../../../gateway/core/result.ts';
import { Fate } from '../../../gateway/core/stage.ts';
import { DetectStage, type DetectStageOptions } from '../../../gateway/detect/detect-stage.ts';
import { Maintenance } from '../../../gateway/detect/maintenance/maintenance.ts';
import type { DetectRule } from '../../../gateway/detect/rule.ts';
import { seededRandom } from './seeded-random.ts';

const HOT: DetectRule = {
  series: '*/temperature',
  detector: 'range',
  options: { min: 10, max: 30 },
  alarm: { severity: 'critical', holdMs: 5000 },
};

/** A stage with its own series and everything it emitted. */
class Bench {
  readonly registry = new SeriesRegistry();
  readonly stage: DetectStage;
  readonly events: AlarmEvent[] = [];

  constructor(options: DetectStageOptions) {
    this.stage = new DetectStage(options);
  }

  readonly emit = (result: Result): void => {
    if (result.kind === 'alarm') this.events.push(result);
  };

  series(identity: SeriesIdentity, unit?: string): Series {
    const series = this.registry.intern(identity, unit);
    if (typeof series === 'string') throw new Error(series);
    return series;
  }

  feed(series: Series, value: Value, time: number, quality: Quality = Quality.good): Fate {
    const reading: Reading = { series, source: 'test', value, quality, sourceTime: time, receiveTime: time };
    return this.stage.process(reading, this.emit);
  }

  states(): string[] {
    return this.events.map((event) => `${event.state}@${event.time}`);
  }
}

/** A second bench that goes on from the snapshot of the first, as after a restart. */
function resumed(bench: Bench, options: DetectStageOptions): Bench {
  const next = new Bench(options);
  next.stage.restore(deserialize(serialize(bench.stage.snapshot())));
  return next;
}

test('an anomaly raises one alarm for its series, and it is cleared after the hold', () => {
  const bench = new Bench({ rules: [HOT] });
  const press = bench.series({ device: 'press-1', metric: 'temperature' }, '°C');
  const other = bench.series({ device: 'press-2', metric: 'temperature' });
  [20, 40, 50, 20, 20, 20].forEach((value, i) => {
    bench.feed(press, value, 1000 * i);
    bench.feed(other, 20, 1000 * i);
  });
  expect(bench.states()).toEqual(['raised@1000']);
  expect(bench.stage.activeAlarms().map((alarm) => alarm.raised.id)).toEqual(['range@press-1/temperature@1000']);
  bench.feed(press, 25, 7000);
  expect(bench.states()).toEqual(['raised@1000', 'cleared@7000']);
  expect(bench.stage.activeAlarms()).toEqual([]);
  expect(bench.events[0]).toMatchObject({
    kind: 'alarm',
    detector: 'range',
    severity: 'critical',
    score: 2,
    value: 40,
    series: { key: 'press-1/temperature', unit: '°C' },
    message:
      'temperature of press-1 is 40 °C where between 10 and 30 was expected, since 1970-01-01T00:00:01.000Z (range, score 2).',
  });
});

test('a reading has the fate aggregated when a rule judged it, and filtered otherwise', () => {
  const bench = new Bench({ rules: [HOT] });
  const press = bench.series({ device: 'press-1', metric: 'temperature' });
  const humidity = bench.series({ device: 'press-1', metric: 'humidity' });
  expect(bench.feed(press, 20, 1000)).toBe(Fate.aggregated);
  expect(bench.feed(press, 20, 1000), 'the same time again').toBe(Fate.filtered);
  expect(bench.feed(press, 99, 500), 'older than the last judged').toBe(Fate.filtered);
  expect(bench.feed(press, 99, Number.NaN), 'no time').toBe(Fate.filtered);
  expect(bench.feed(press, 'hot', 2000), 'a string').toBe(Fate.filtered);
  expect(bench.feed(press, 99, 2000, Quality.bad), 'bad quality').toBe(Fate.filtered);
  expect(bench.feed(press, Number.POSITIVE_INFINITY, 2000), 'not finite').toBe(Fate.filtered);
  expect(bench.feed(humidity, 99, 2000), 'no rule').toBe(Fate.filtered);
  expect(bench.events).toEqual([]);
  expect(bench.feed(press, 99, 2000, Quality.uncertain)).toBe(Fate.aggregated);
  expect(bench.states()).toEqual(['raised@2000']);
});

test('booleans are judged as 0 and 1', () => {
  const bench = new Bench({ rules: [{ ...HOT, series: '*/door', options: { max: 0.5 } }] });
  const door = bench.series({ device: 'hall', metric: 'door' });
  expect(bench.feed(door, false, 1000)).toBe(Fate.aggregated);
  bench.feed(door, true, 2000);
  expect(bench.events.map((event) => event.value)).toEqual([1]);
});

test('several rules on one series have alarms of their own, with ids of their own', () => {
  const warning: DetectRule = { ...HOT, options: { max: 25 }, alarm: { severity: 'warning', holdMs: 0 } };
  const bench = new Bench({ rules: [warning, HOT] });
  const press = bench.series({ device: 'press-1', metric: 'temperature' });
  bench.feed(press, 40, 1000);
  bench.feed(press, 28, 7000);
  bench.feed(press, 20, 8000);
  expect(bench.events.map((event) => `${event.severity} ${event.id} ${event.state}`)).toEqual([
    'warning range@press-1/temperature@1000 raised',
    'critical range#2@press-1/temperature@1000 raised',
    'critical range#2@press-1/temperature@1000 cleared',
    'warning range@press-1/temperature@1000 cleared',
  ]);
  expect(new Set(bench.events.map(resultId)).size).toBe(4);
});

test('every anomaly is told, also of a rule that raises no alarm', () => {
  const told: string[] = [];
  const bench = new Bench({
    rules: [{ series: '*', detector: 'range', options: { max: 30 } }],
    onAnomaly: (reading, verdict) => told.push(`${reading.series.key} ${reading.value} ${verdict.score}`),
  });
  const press = bench.series({ device: 'press-1', metric: 'temperature' });
  for (const [i, value] of [20, 60, 90, 20].entries()) bench.feed(press, value, i * 1000);
  expect(told).toEqual(['press-1/temperature 60 2', 'press-1/temperature 90 3']);
  expect(bench.events).toEqual([]);
});

test('a novelty alarm is raised at the onset and cleared after the hold without a worse one', () => {
  const rule: DetectRule = { series: '*', detector: 'novelty', alarm: { severity: 'warning', holdMs: 10_000 } };
  const bench = new Bench({ rules: [rule] });
  const press = bench.series({ device: 'press-1', metric: 'temperature' });
  const random = seededRandom(11);
  for (let i = 0; i < 600; i++) bench.feed(press, i === 500 ? 40 : i === 505 ? 400 : 20 + random(), i * 1000);
  expect(bench.states()).toEqual(['raised@500000', 'cleared@515000']);
});

test('an alarm whose series falls silent stays active', () => {
  const bench = new Bench({ rules: [HOT] });
  bench.feed(bench.series({ device: 'press-1', metric: 'temperature' }), 40, 1000);
  bench.stage.advance(1e12, bench.emit);
  expect(bench.stage.activeAlarms()).toHaveLength(1);
  expect(bench.states()).toEqual(['raised@1000']);
});

test('an alarm that was fine is over, and a detector that learns does not raise it for the like again', () => {
  const rules: readonly DetectRule[] = [
    { series: 'a/*', detector: 'novelty', options: { threshold: 0.5 }, alarm: { severity: 'warning' } },
    { series: 'b/*', detector: 'auto', alarm: { severity: 'warning' } },
    { series: 'c/*', detector: 'range', options: { max: 100 }, alarm: { severity: 'warning' } },
  ];
  const raisedAfter = (isDismissed: boolean) => {
    let bench = new Bench({ rules });
    const random = seededRandom(3);
    const feed = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        for (const device of ['a', 'b', 'c']) {
          const isSpike = i % 3000 === 2500 || i % 3000 === 2501;
          bench.feed(bench.series({ device, metric: 'load' }), isSpike ? 400 : 20 + random(), i * 1000);
        }
      }
    };
    feed(0, 2501);
    const first = bench.events;
    expect(first.map(({ series, state }) => `${series.device} ${state}`)).toEqual(['a raised', 'b raised', 'c raised']);
    const learnt = isDismissed ? first.map((event) => bench.stage.dismiss(event)?.hasLearnt) : [];
    if (isDismissed) expect(bench.stage.activeAlarms()).toEqual([]);
    bench = resumed(bench, { rules });
    feed(2501, 30_000);
    return {
      learnt,
      raised: [...new Set(bench.events.filter(({ state }) => state === 'raised').map(({ series }) => series.device))],
    };
  };
  expect(raisedAfter(false).raised).toEqual(['a', 'b', 'c']);
  expect(raisedAfter(true)).toEqual({ learnt: [true, true, false], raised: ['c'] });
});

test('of an alarm that is over only the detector learns: a newer one of the rule goes on', () => {
  const bench = new Bench({ rules: [HOT] });
  const press = bench.series({ device: 'press-1', metric: 'temperature' });
  for (const [value, time] of [
    [40, 0],
    [20, 10_000],
    [40, 90_000],
  ] as const)
    bench.feed(press, value, time);
  expect(bench.stage.dismiss(bench.events[0]!)).toEqual({ hasLearnt: false, time: 90_000 });
  expect(bench.stage.activeAlarms()).toHaveLength(1);
  expect(bench.stage.dismiss({ ...bench.events[0]!, id: 'gone@press-1/temperature@0' })).toBeUndefined();
});

test('an active alarm ends as it was fine also where a rule that stood before its own is gone, and its own has another name', () => {
  const rules: DetectRule[] = [HOT, { ...HOT, options: { max: 40 } }, { ...HOT, options: { max: 50 } }];
  const bench = new Bench({ rules });
  bench.feed(bench.series({ device: 'press-1', metric: 'temperature' }), 99, 1000);
  const next = resumed(bench, { rules: rules.slice(1) });
  next.stage.advance(1000, next.emit);
  const [, second, third] = bench.events;
  expect([second!.id, third!.id].map((id) => id.split('@')[0])).toEqual(['range#2', 'range#3']);
  for (const event of [third!, second!]) {
    expect(next.stage.dismiss(event)).toEqual({ hasLearnt: false, time: 1000 });
    expect(next.stage.activeAlarms().map(({ raised }) => raised.id)).not.toContain(event.id);
  }
});

test('in maintenance nothing is judged or learnt, and an alarm that is active stays', () => {
  const maintenance = new Maintenance([]);
  const rules: readonly DetectRule[] = [HOT, { series: '*', detector: 'novelty', options: { warmUp: 20, window: 9 } }];
  const bench = new Bench({ rules, maintenance });
  const press = bench.series({ device: 'press-1', metric: 'temperature' });
  const other = bench.series({ device: 'press-2', metric: 'temperature' });
  bench.feed(press, 40, 1000);
  maintenance.start({ id: 'a', series: 'press-1/*', by: 'Ada', reason: 'new oil', from: 2000, until: 9000 });
  const before = structuredClone(bench.stage.snapshot());
  for (const time of [2000, 5000, 8999]) {
    expect(bench.feed(press, 20, time)).toBe(Fate.filtered);
    expect(bench.feed(press, 500, time + 0.5)).toBe(Fate.filtered);
  }
  expect(bench.stage.snapshot()).toEqual(before);
  expect(bench.stage.activeAlarms()).toHaveLength(1);
  bench.feed(other, 40, 3000);
  expect(bench.feed(press, 20, 9000)).toBe(Fate.aggregated);
  expect(bench.states()).toEqual(['raised@1000', 'raised@3000', 'cleared@9000']);
});

test('silence in maintenance is none, and begins anew when that is over', () => {
  const maintenance = new Maintenance([]);
  const registry = new SeriesRegistry();
  const rules: readonly DetectRule[] = [
    { series: '*', detector: 'heartbeat', options: { afterMs: 1000 }, alarm: { severity: 'warning' } },
  ];
  const stage = new DetectStage({ rules, maintenance, findSeries: (key) => registry.get(key) });
  const events: AlarmEvent[] = [];
  const emit = (result: Result) => void (result.kind === 'alarm' && events.push(result));
  const series = registry.intern({ device: 'd', metric: 'm' }) as Series;
  const feed = (time: number) =>
    stage.process({ series, source: 'x', value: 1, quality: Quality.good, sourceTime: time, receiveTime: time }, emit);
  feed(0);
  maintenance.start({ id: 'a', series: '*', by: 'Ada', reason: 'new oil', from: 500, until: 60_000 });
  for (const now of [5_000, 30_000]) stage.advance(now, emit);
  feed(40_000);
  stage.advance(59_500, emit);
  stage.advance(60_400, emit);
  expect(events).toEqual([]);
  stage.advance(61_000, emit);
  expect(events.map(({ state, time }) => `${state}@${time}`)).toEqual(['raised@60500']);
});

test('stopped and resumed at every reading it emits what it emits in one run', () => {
  const rules: readonly DetectRule[] = [
    HOT,
    { ...HOT, alarm: { severity: 'info', onDelayMs: 2000, holdMs: 3000, hysteresis: 0.2 } },
    { series: '*', detector: 'novelty', options: { warmUp: 20, window: 9 }, alarm: { severity: 'warning' } },
    { series: 'b/*', detector: 'flatline', options: { forMs: 4000 }, alarm: { severity: 'warning' } },
  ];
  const random = seededRandom(5);
  const feed = Array.from({ length: 400 }, (_, i) => ({
    device: random() < 0.5 ? 'a' : 'b',
    value: Math.floor(i / 30) % 3 === 2 ? 20 : 20 + 15 * (random() - 0.5) * (random() < 0.1 ? 3 : 1),
    time: i * 700,
  }));
  const whole = new Bench({ rules });
  let stopping = new Bench({ rules });
  const pieces: AlarmEvent[] = [];
  for (const { device, value, time } of feed) {
    whole.feed(whole.series({ device, metric: 'temperature' }), value, time);
    stopping = resumed(stopping, { rules });
    // After a restart the series may appear in another order: the number of a series means nothing.
    if (random() < 0.5) stopping.series({ device: 'other', metric: 'temperature' });
    stopping.feed(stopping.series({ device, metric: 'temperature' }), value, time);
    pieces.push(...stopping.events);
  }
  expect(whole.events.length).toBeGreaterThan(10);
  expect(pieces).toEqual(whole.events);
  expect(stopping.stage.activeAlarms()).toEqual(whole.stage.activeAlarms());
});

test('after a restart an alarm of a series that was not seen since is active, and is cleared', () => {
  const bench = new Bench({ rules: [HOT] });
  bench.feed(bench.series({ device: 'press-1', metric: 'temperature' }), 40, 1000);
  const after = resumed(resumed(bench, { rules: [HOT] }), { rules: [HOT] });
  const [alarm] = after.stage.activeAlarms();
  expect(alarm!.raised).toEqual(bench.events[0]);
  after.feed(after.series({ device: 'press-1', metric: 'temperature' }), 20, 9000);
  expect(after.states()).toEqual(['cleared@9000']);
});

test('the alarm of a rule that left the configuration is cleared at the first advance', () => {
  const bench = new Bench({ rules: [HOT] });
  bench.feed(bench.series({ device: 'press-1', metric: 'temperature' }), 40, 1000);
  const other: DetectRule = { ...HOT, options: { max: 99 } };
  const after = resumed(resumed(bench, { rules: [other] }), { rules: [other] });
  after.stage.advance(2000, after.emit);
  after.stage.advance(3000, after.emit);
  expect(after.states()).toEqual(['cleared@1000']);
  expect(after.events[0]!.message).toContain('no longer configured');
  expect(after.stage.activeAlarms()).toEqual([]);
});

test('a changed alarm keeps what its detector has learnt', () => {
  const rule: DetectRule = { series: '*', detector: 'novelty', alarm: { severity: 'warning' } };
  const bench = new Bench({ rules: [rule] });
  const press = bench.series({ device: 'press-1', metric: 'temperature' });
  const random = seededRandom(1);
  for (let i = 0; i < 500; i++) bench.feed(press, random(), i);
  const after = resumed(bench, { rules: [{ ...rule, alarm: { severity: 'critical' } }] });
  after.feed(after.series({ device: 'press-1', metric: 'temperature' }), 99, 600);
  expect(after.events).toMatchObject([{ state: 'raised', severity: 'critical' }]);
});

test('of series that never come back the state is bounded, and an active alarm is never dropped for it', () => {
  const bench = new Bench({ rules: [HOT] });
  for (let i = 0; i < 20; i++)
    bench.feed(bench.series({ device: `d${i}`, metric: 'temperature' }), i === 0 ? 40 : 20, 1000 + i);
  const after = resumed(bench, { rules: [HOT], maxAbsentSeries: 3 });
  const { series } = after.stage.snapshot() as { series: Map<string, unknown> };
  expect([...series.keys()].sort()).toEqual(['d0', 'd17', 'd18', 'd19'].map((device) => `${device}/temperature`));
});

test('a snapshot that is not its own is refused', () => {
  for (const wrong of [null, {}, { version: 2, series: new Map(), withdrawn: [] }, 'x']) {
    expect(() => new DetectStage({ rules: [] }).restore(wrong)).toThrow('Cannot restore the detectors');
  }
});

test('it tells how many detectors there are, and how many are still learning, after a restart as before', () => {
  const options: DetectStageOptions = { rules: [HOT, { series: '*', detector: 'zscore', options: { warmUp: 3 } }] };
  const bench = new Bench(options);
  const press = bench.series({ device: 'press-1', metric: 'temperature' });
  const pump = bench.series({ device: 'pump-1', metric: 'flow' });
  expect(bench.stage.detectors).toEqual({ count: 0, learning: 0 });
  for (let i = 0; i < 3; i++) bench.feed(press, 20 + i, i);
  bench.feed(pump, 20, 0);
  expect(bench.stage.detectors).toEqual({ count: 3, learning: 2 });
  bench.feed(press, 20, 5);
  expect(bench.stage.detectors).toEqual({ count: 3, learning: 1 });
  expect(resumed(bench, options).stage.detectors).toEqual({ count: 3, learning: 1 });
});
