import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Reading, Series, Value } from '../../../gateway/core/reading.ts';
import type { AlarmEvent, Result } from '../../../gateway/core/result.ts';
import { Fate } from '../../../gateway/core/stage.ts';
import { DetectStage } from '../../../gateway/detect/detect-stage.ts';
import type { DetectRule } from '../../../gateway/detect/rule.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);
const SILENT: DetectRule = {
  series: '*',
  detector: 'heartbeat',
  options: { afterMs: MINUTE },
  alarm: { severity: 'critical', holdMs: 0 },
};

/** A stage that judges silence, with its series and everything it emitted. */
class Watch {
  readonly registry: SeriesRegistry;
  readonly stage: DetectStage;
  readonly events: AlarmEvent[] = [];
  readonly #rules: readonly DetectRule[];

  constructor(rules: readonly DetectRule[] = [SILENT], registry = new SeriesRegistry()) {
    this.#rules = rules;
    this.registry = registry;
    this.stage = new DetectStage({ rules, findSeries: (key) => registry.get(key) });
  }

  readonly emit = (result: Result): void => {
    if (result.kind === 'alarm') this.events.push(result);
  };

  feed(device: string, time: number, reading: { value?: Value; quality?: Quality; sourceTime?: number } = {}): Fate {
    this.stage.advance(time, this.emit);
    const series = this.registry.intern({ device, metric: 'level' }) as Series;
    const { value = 5, quality = Quality.good, sourceTime = time } = reading;
    const whole: Reading = { series, source: 'test', value, quality, sourceTime, receiveTime: time };
    return this.stage.process(whole, this.emit);
  }

  steps(): string[] {
    return this.events.map(({ state, series, time }) => `${series.device} ${state} ${(time - START) / MINUTE}`);
  }

  /** A stage that goes on from the snapshot, in a process that knows the series by their keys. */
  resumed(): Watch {
    const registry = new SeriesRegistry();
    for (const { unit, ...identity } of this.registry.all()) registry.recall(identity, unit);
    const next = new Watch(this.#rules, registry);
    next.stage.restore(deserialize(serialize(this.stage.snapshot())));
    return next;
  }
}

test('silence is told at its very minute, however late time is told, and the next reading clears it', () => {
  const watch = new Watch();
  watch.feed('a', START);
  watch.feed('b', START + MINUTE / 2);
  expect(watch.stage.isDue(START + MINUTE - 1)).toBe(false);
  expect(watch.stage.isDue(START + MINUTE)).toBe(true);
  watch.stage.advance(START + 10 * MINUTE, watch.emit);
  expect(watch.stage.isDue(START + 20 * MINUTE)).toBe(false);
  expect(watch.stage.activeAlarms().length).toBe(2);
  watch.feed('a', START + 20 * MINUTE);
  expect(watch.steps()).toEqual(['a raised 1', 'b raised 1.5', 'a cleared 20']);
  expect(watch.events[0]).toMatchObject({
    id: `heartbeat@a/level@${START + MINUTE}`,
    value: 5,
    score: 1,
    message:
      'level of a has been silent for 1 min where a reading within 1 min was expected, since 2026-01-01T00:00:00.000Z (heartbeat, score 1).',
  });
});

test('readings of any quality, kind and time are signs of life, whatever becomes of them', () => {
  const watch = new Watch([SILENT, { series: '*', detector: 'range', options: { max: 9 } }]);
  expect(watch.feed('a', START)).toBe(Fate.aggregated);
  expect(watch.feed('a', START + 0.9 * MINUTE, { value: 'on' })).toBe(Fate.filtered);
  expect(watch.feed('a', START + 1.8 * MINUTE, { quality: Quality.bad })).toBe(Fate.filtered);
  expect(watch.feed('a', START + 2.7 * MINUTE, { sourceTime: START - MINUTE })).toBe(Fate.filtered);
  expect(watch.feed('a', START + 3.6 * MINUTE)).toBe(Fate.aggregated);
  watch.stage.advance(START + 4.5 * MINUTE, watch.emit);
  expect(watch.steps()).toEqual([]);
  watch.stage.advance(START + 4.6 * MINUTE, watch.emit);
  expect(watch.steps()).toEqual(['a raised 4.6']);
});

test('a series that has not come since a restart is told as well, and its alarm is found again', () => {
  const before = new Watch();
  before.feed('a', START);
  const watch = before.resumed();
  watch.stage.advance(START + 5 * MINUTE, watch.emit);
  expect(watch.steps()).toEqual(['a raised 1']);
  const later = watch.resumed();
  expect(later.stage.activeAlarms().map(({ raised }) => raised.time)).toEqual([START + MINUTE]);
  later.stage.advance(START + 50 * MINUTE, later.emit);
  later.feed('a', START + 60 * MINUTE);
  expect(later.steps()).toEqual(['a cleared 60']);
});

test('of those who fall silent in one moment the series that appeared first is told first, also after a restart', () => {
  const watch = new Watch();
  // Known, as other rules or windows saw it; its first reading for this rule comes later.
  watch.registry.intern({ device: 'a', metric: 'level' });
  watch.feed('b', START);
  watch.feed('a', START);
  const resumed = watch.resumed();
  for (const one of [watch, resumed]) {
    one.stage.advance(START + MINUTE, one.emit);
    expect(one.steps()).toEqual(['a raised 1', 'b raised 1']);
  }
});

test('where the gateway took no readings nobody was silent', () => {
  const watch = new Watch();
  watch.feed('a', START);
  watch.stage.listenAgain(START + 60 * MINUTE);
  watch.stage.advance(START + 60.9 * MINUTE, watch.emit);
  expect(watch.steps()).toEqual([]);
  watch.stage.advance(START + 61 * MINUTE, watch.emit);
  expect(watch.steps()).toEqual(['a raised 61']);
});

test('a clock that is set leaves silence as long as it is, and its alarm as it is', () => {
  for (const byMs of [90 * MINUTE, -90 * MINUTE]) {
    const watch = new Watch();
    watch.feed('a', START);
    watch.stage.step(START + MINUTE / 2 + byMs, byMs, watch.emit);
    expect(watch.stage.isDue(START + byMs + 0.9 * MINUTE)).toBe(false);
    watch.stage.advance(START + byMs + 2 * MINUTE, watch.emit);
    watch.stage.step(START + 2 * MINUTE, -byMs, watch.emit);
    expect(watch.steps()).toEqual([`a raised ${1 + byMs / MINUTE}`]);
  }
});

test('a clock that is set leaves the hold of an alarm of silence as long as it is, and when it chatters', () => {
  const holding: DetectRule = { ...SILENT, alarm: { severity: 'critical', holdMs: 2 * MINUTE } };
  for (const byMs of [90 * MINUTE, -90 * MINUTE]) {
    let watch = new Watch([holding]);
    watch.feed('a', START);
    watch.stage.advance(START + MINUTE, watch.emit);
    watch.stage.step(START + MINUTE + byMs, byMs, watch.emit);
    const raised = watch.events[0]!;
    watch = watch.resumed();
    watch.feed('a', START + byMs + 2 * MINUTE);
    watch.feed('a', START + byMs + 2.9 * MINUTE);
    expect(watch.steps()).toEqual([]);
    watch.feed('a', START + byMs + 3 * MINUTE);
    expect(watch.steps()).toEqual([`a cleared ${3 + byMs / MINUTE}`]);
    expect(watch.events[0]).toMatchObject({ id: raised.id, raisedAt: raised.raisedAt });
    expect(watch.events[0]!.message).toContain('lasted 2 min');
  }
});

test('a rule without an alarm, and a rule that is gone, tell nothing', () => {
  const watch = new Watch([{ series: '*', detector: 'heartbeat', options: { afterMs: MINUTE } }]);
  watch.feed('a', START);
  watch.stage.advance(START + 5 * MINUTE, watch.emit);
  expect(watch.stage.isDue(START + 60 * MINUTE)).toBe(false);
  expect(watch.events).toEqual([]);
});

/** What falls due at one moment may be told in any order. */
function inOrder(events: readonly AlarmEvent[]): readonly AlarmEvent[] {
  return events.toSorted((a, b) => a.time - b.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

const seed = Date.now() & 0x7fffffff;
process.stdout.write(`silence-queue seed ${seed}\n`);

test('what is told depends on the readings alone: not on how often time is told, nor on restarts', () => {
  const rules: DetectRule[] = [
    { ...SILENT, alarm: { severity: 'warning', holdMs: 20_000 } },
    { series: '*', detector: 'heartbeat', options: { atLeastMs: 100, threshold: 2 }, alarm: { severity: 'info' } },
  ];
  const step = fc.record({
    device: fc.constantFrom('a', 'b', 'c'),
    after: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 200_000 })),
    kind: fc.oneof(
      { weight: 12, arbitrary: fc.constant('reading' as const) },
      fc.constantFrom('listen' as const, 'time' as const),
    ),
    restart: fc.nat(6).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 150, size: 'max' }), (steps) => {
      const one = new Watch(rules);
      let other = new Watch(rules);
      const told: AlarmEvent[] = [];
      let now = START;
      for (const { device, after, kind, restart } of steps) {
        if (restart) {
          told.push(...other.events);
          other = other.resumed();
        }
        now += after;
        for (const watch of [one, other]) {
          if (kind === 'reading') watch.feed(device, now);
          else if (kind === 'listen') {
            watch.stage.advance(now, watch.emit);
            watch.stage.listenAgain(now);
          }
          // One is told the time again and again, the other hardly ever.
          else if (watch === other) watch.stage.advance(now, watch.emit);
        }
      }
      one.stage.advance(now, one.emit);
      other.stage.advance(now, other.emit);
      told.push(...other.events);
      expect(inOrder(told)).toEqual(inOrder(one.events));
    }),
    { seed, numRuns: 150 },
  );
});
