import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AlarmEvent } from '../../../../gateway/core/result.ts';
import { StandingAlarms } from '../../../../gateway/sinks/mqtt/standing-alarms.ts';
import { alarm, seriesOf, T0 } from '../results.ts';

const SEED = Number(process.env['HEADGATE_SEED'] ?? Date.now() % 2 ** 31);
const cleared = (event: AlarmEvent): AlarmEvent => ({ ...event, state: 'cleared' });
const [a, b, c] = ['range', 'flatline', 'auto'].map((detector) => alarm({ detector, raisedAt: T0 })) as [
  AlarmEvent,
  AlarmEvent,
  AlarmEvent,
];

it('each step of the only alarm of a topic is kept', () => {
  const standing = new StandingAlarms();
  for (const event of [a, { ...a, state: 'acknowledged' } as const, cleared(a)])
    expect(standing.publishes('t', event)).toEqual([{ event, retain: true }]);
});

it('while others are active a cleared alarm is told, and the one that changed last is kept', () => {
  const standing = new StandingAlarms();
  for (const event of [a, b, c, { ...a, state: 'acknowledged' } as const]) standing.publishes('t', event);
  const kept = (event: AlarmEvent) => standing.publishes('t', event).at(-1)!.event.id;
  expect(standing.publishes('t', cleared(c))).toEqual([
    { event: cleared(c), retain: false },
    { event: { ...a, state: 'acknowledged' }, retain: true },
  ]);
  expect(kept(cleared(a))).toBe(b.id);
  expect(standing.publishes('t', cleared(b))).toEqual([{ event: cleared(b), retain: true }]);
});

it('one that is over and is acknowledged then is not active again', () => {
  const standing = new StandingAlarms();
  standing.publishes('t', a);
  standing.publishes('t', cleared(a));
  const acknowledged = { ...a, state: 'acknowledged', active: false } as const;
  expect(standing.publishes('t', acknowledged)).toEqual([{ event: acknowledged, retain: true }]);
  expect(standing.publishes('t', cleared(b))).toEqual([{ event: cleared(b), retain: true }]);
});

it('alarms of one topic are not those of another', () => {
  const standing = new StandingAlarms();
  standing.publishes('t', a);
  expect(standing.publishes('u', cleared(b))).toEqual([{ event: cleared(b), retain: true }]);
});

it('a step that comes again, as after a lost answer, leads to the same', () => {
  const standing = new StandingAlarms();
  standing.add('t', b);
  for (let time = 0; time < 3; time++) {
    standing.publishes('t', a);
    expect(standing.publishes('t', cleared(a)).at(-1)).toEqual({ event: b, retain: true });
  }
});

it('what is kept at the end says that something is active exactly where something is', () => {
  process.stderr.write(`standing alarms: seed ${SEED}\n`);
  const step = fc.record({ alarm: fc.constantFrom(a, b, c), ends: fc.boolean(), topic: fc.constantFrom('t', 'u') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const standing = new StandingAlarms();
      const kept = new Map<string, AlarmEvent>();
      const active = new Map<string, Set<string>>([
        ['t', new Set()],
        ['u', new Set()],
      ]);
      for (const { alarm: one, ends, topic } of steps) {
        const event = ends ? cleared(one) : one;
        if (ends) active.get(topic)!.delete(one.id);
        else active.get(topic)!.add(one.id);
        for (const published of standing.publishes(topic, event))
          if (published.retain) kept.set(topic, published.event);
      }
      for (const [topic, event] of kept)
        expect(active.get(topic)!.has(event.id)).toBe(event.state !== 'cleared' || active.get(topic)!.size > 0);
    }),
    { seed: SEED, numRuns: 1_000 },
  );
});

it('no more than ten thousand alarms are remembered, and the oldest are forgotten first', () => {
  const standing = new StandingAlarms();
  const ofDevice = (i: number) => alarm({ series: seriesOf(`d${i}`, 'm'), detector: 'range' });
  for (let i = 0; i <= 10_000; i++) standing.add(`t${i}`, ofDevice(i));
  const other = (i: number) => standing.publishes(`t${i}`, cleared(alarm({ detector: 'auto' }))).length;
  expect([other(0), other(1), other(10_000)]).toEqual([1, 2, 2]);
});
