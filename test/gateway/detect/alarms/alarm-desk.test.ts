import { deserialize, serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { type AlarmEvent, isForPeople, type Result, resultId } from '../../../../gateway/core/result.ts';
import type { AlarmDeskOptions } from '../../../../gateway/detect/alarms/alarm-desk.ts';
import { withdrawnEvent } from '../../../../gateway/detect/alarms/alarm-events.ts';
import { openDesk } from '../../../open-desk.ts';
import { seededRandom } from '../seeded-random.ts';
import { clear, raise } from './alarm-steps.ts';

const MINUTE = 60_000;
const FLOOD = { flood: { above: 3, below: 2, withinMs: 10 * MINUTE } };

/** A desk and all that went on from it. */
class Bench {
  readonly desk;
  readonly events: AlarmEvent[] = [];

  constructor(options: Partial<AlarmDeskOptions> = {}) {
    this.desk = openDesk(options);
  }

  readonly emit = (result: Result): void => {
    if (result.kind === 'alarm') this.events.push(result);
  };

  take(event: AlarmEvent, now = event.time): void {
    this.desk.take(event, now, this.emit);
  }

  /** The steps in short; those for nobody in brackets. */
  steps(): string[] {
    return this.events.map((event) => {
      const step = `${event.series.device} ${event.state}@${event.time}`;
      return isForPeople(event) ? step : `(${step})`;
    });
  }
}

const act = (event: AlarmEvent, time: number) => ({ id: event.id, by: 'Ada', time });

test('every step goes on, marked with its priority, its group, and whether it is active', () => {
  const bench = new Bench();
  const first = raise('press-1', 1000, 'critical');
  bench.take(first);
  bench.take(raise('press-1', 2000, 'info', 'oil'));
  bench.take(clear(first, 9000));
  expect(bench.events).toMatchObject([
    { ...first, priority: 900, group: 'press-1@1000', count: 1, active: true },
    { priority: 100, group: 'press-1@1000', active: true },
    { state: 'cleared', value: 10, priority: 900, group: 'press-1@1000', count: 1, active: false },
  ]);
  expect(bench.events.every((event) => event.suppressed === undefined)).toBe(true);
});

test('an alarm is acknowledged once, also after it is over, and is open until then', () => {
  const bench = new Bench();
  const event = raise('press-1', 1000);
  bench.take(event);
  expect(bench.desk.acknowledge(act(raise('other', 1), 5), bench.emit)).toBe(false);
  bench.take(clear(event, 2000));
  expect(bench.desk.open(0)).toMatchObject([{ state: 'returned', clearedAt: 2000 }]);
  expect(bench.desk.acknowledge(act(event, 77_000), bench.emit)).toBe(true);
  expect(bench.desk.acknowledge(act(event, 78_000), bench.emit)).toBe(false);
  expect(bench.desk.open(0)).toEqual([]);
  expect(bench.steps()).toEqual(['press-1 raised@1000', 'press-1 cleared@2000', '(press-1 acknowledged@77000)']);
});

test('a flood that is shelved is told to nobody when the next one begins, as when it ends', () => {
  const bench = new Bench(FLOOD);
  for (let i = 0; i < 4; i++) bench.take(raise(`press-${i}`, 1000 + i));
  const flood = bench.events.find(({ detector }) => detector === 'flood')!;
  bench.desk.shelve(act(flood, 2000), 100 * MINUTE, 'test', bench.emit);
  bench.desk.advance(11 * MINUTE, bench.emit);
  for (let i = 0; i < 4; i++) bench.take(raise(`press-${i}`, 20 * MINUTE + i));
  bench.desk.advance(40 * MINUTE, bench.emit);
  expect(bench.steps().filter((step) => step.includes('box'))).toEqual([
    'box raised@1003',
    '(box shelved@2000)',
    expect.stringMatching(/^\(box cleared/),
    `(box raised@${20 * MINUTE + 3})`,
    expect.stringMatching(/^\(box cleared/),
  ]);
});

test('an alarm is over after it was raised, whatever ended it: a database knows a step by its time', () => {
  for (const time of [1000, 400]) {
    const bench = new Bench();
    const event = raise('press-1', 1000);
    bench.take(event);
    bench.take(withdrawnEvent(event, time));
    expect(bench.steps()).toEqual(['press-1 raised@1000', 'press-1 cleared@1001']);
    expect(bench.desk.open(0)).toMatchObject([{ clearedAt: 1001 }]);
  }
});

test('what is shelved is told to nobody, over a clear and a raise, until the time is up; then it is if it is active', () => {
  const bench = new Bench();
  const first = raise('press-1', 1000);
  bench.take(first);
  expect(bench.desk.shelve(act(first, 2000), 60_000, 'a loose wire', bench.emit)).toBe(true);
  expect(bench.desk.find(first.id, 0)).toMatchObject({ state: 'shelved', shelvedUntil: 60_000 });
  bench.take(clear(first, 3000));
  const second = raise('press-1', 4000);
  bench.take(second);
  bench.take(raise('press-2', 5000));
  expect(bench.desk.isDue(59_999)).toBe(false);
  bench.desk.advance(61_000, bench.emit);
  expect(bench.steps()).toEqual([
    'press-1 raised@1000',
    '(press-1 shelved@2000)',
    '(press-1 cleared@3000)',
    '(press-1 raised@4000)',
    'press-2 raised@5000',
    'press-1 unshelved@60000',
  ]);
  expect(bench.events.at(-1)).toMatchObject({ id: second.id, active: true });
  expect(bench.desk.find(second.id, 0)).toMatchObject({ state: 'unacknowledged', suppressed: null });
  bench.take(clear(second, 70_000));
  expect(bench.steps().at(-1)).toBe('press-1 cleared@70000');
  expect(bench.desk.status(0)).toMatchObject({ raisedTotal: 3, shelvedTotal: 1, shelved: [] });
});

test('an operator takes back what is shelved, and only what is open can be', () => {
  const bench = new Bench();
  const event = raise('press-1', 1000);
  expect(bench.desk.shelve(act(event, 1), 50, 'x', bench.emit)).toBe(false);
  bench.take(event);
  expect(bench.desk.unshelve(act(event, 2), bench.emit)).toBe(false);
  bench.desk.shelve(act(event, 2000), 60_000, 'x', bench.emit);
  expect(bench.desk.status(0).shelved).toEqual([
    { id: event.id, series: 'press-1/load', by: 'Ada', reason: 'x', until: 60_000 },
  ]);
  expect(bench.desk.unshelve(act(event, 3000), bench.emit)).toBe(true);
  expect(bench.desk.isDue(1e9)).toBe(false);
  bench.desk.shelve(act(event, 4000), 90_000, 'again', bench.emit);
  expect(new Set(bench.events.map(resultId)).size).toBe(4);
});

test('in a flood those below critical are kept and told to nobody, an alarm of the gateway tells of it, and of its end', () => {
  const bench = new Bench(FLOOD);
  for (let i = 0; i < 5; i++) bench.take(raise(`d${i}`, i));
  const critical = raise('boiler', 6, 'critical');
  bench.take(critical);
  expect(bench.desk.find(raise('d4', 4).id, 0)?.state).toBe('suppressed');
  bench.take(clear(raise('d3', 3), 7));
  bench.desk.advance(4 + 10 * MINUTE, bench.emit);
  bench.take(clear(raise('d4', 4), 10 * MINUTE));
  bench.take(raise('later', 11 * MINUTE));
  expect(bench.steps()).toEqual([
    'd0 raised@0',
    'd1 raised@1',
    'd2 raised@2',
    'box raised@3',
    '(d3 raised@3)',
    '(d4 raised@4)',
    'boiler raised@6',
    '(d3 cleared@7)',
    'box cleared@600004',
    '(d4 cleared@600000)',
    'later raised@660000',
  ]);
  expect(bench.desk.status(0)).toMatchObject({ raisedTotal: 7, floodedTotal: 2, flood: null });
});

test('shelved alarms make no flood', () => {
  const bench = new Bench(FLOOD);
  const event = raise('press-1', 1);
  bench.take(event);
  bench.desk.shelve(act(event, 2), 1e9, 'x', bench.emit);
  for (let i = 3; i < 30; i++) bench.take(raise('press-1', i));
  expect(bench.desk.status(0)).toMatchObject({ flood: null, shelvedTotal: 27 });
});

test('an alarm that was fine is over and seen, and says whether its detector has learnt it', () => {
  const asked: string[] = [];
  const dismiss = ({ id }: AlarmEvent) => {
    asked.push(id);
    return { hasLearnt: true, time: 2000 };
  };
  const bench = new Bench({ dismiss });
  const event = raise('press-1', 1000);
  bench.take(event);
  expect(bench.desk.dismiss(act(event, 77_000), 'a test run', bench.emit)).toBe(true);
  expect(bench.desk.dismiss(act(event, 78_000), 'a test run', bench.emit)).toBe(false);
  expect(asked).toEqual([event.id]);
  expect(bench.steps()).toEqual(['press-1 raised@1000', 'press-1 cleared@2000', '(press-1 acknowledged@77000)']);
  expect(bench.events[1]?.message).toContain(
    'is cleared: Ada said that it was fine (a test run); its detector takes what it saw for normal from now on: load of press-1 is 40',
  );
  expect(bench.desk.open(0)).toEqual([]);
  expect(bench.desk.status(0).dismissedTotal).toBe(1);
});

test('one that is dismissed before another reading comes is cleared after it was raised', () => {
  const bench = new Bench({ dismiss: () => ({ hasLearnt: false, time: 1000 }) });
  const event = raise('press-1', 1000);
  bench.take(event);
  bench.desk.dismiss(act(event, 5000), 'x', bench.emit);
  expect(bench.steps()).toEqual(['press-1 raised@1000', 'press-1 cleared@1001', '(press-1 acknowledged@5000)']);
});

test('one that no stage knows, or that is over, is only seen', () => {
  const bench = new Bench();
  const [own, over] = [raise('box', 1000), raise('press-1', 1000)];
  for (const step of [own, over, clear(over, 2000)]) bench.take(step);
  for (const event of [own, over]) bench.desk.dismiss(act(event, 5000), 'x', bench.emit);
  expect(bench.steps().slice(3)).toEqual(['(box acknowledged@5000)', '(press-1 acknowledged@5000)']);
  expect(bench.events.at(-1)?.message).toContain('has nothing to learn of it');
  expect(bench.desk.open(0)).toMatchObject([{ id: own.id, state: 'acknowledged' }]);
});

test('an alarm that chatters is listed with how often it has come so far', () => {
  const chattering = { ...raise('press-1', 1000), count: 3 };
  let count = 3;
  const bench = new Bench({ activeAlarms: () => [{ raised: chattering, count }] });
  bench.take(chattering);
  count = 17;
  expect(bench.desk.open(0)).toMatchObject([{ count: 17 }]);
  bench.take({ ...clear(chattering, 90_000), count: 18 });
  expect(bench.events.map((event) => event.count)).toEqual([3, 18]);
  expect(bench.desk.status(0).chatteringTotal).toBe(1);
});

test('what is in maintenance is out of service, at the time at which one looks', () => {
  const bench = new Bench({ isOutOfService: ({ device }, time) => device === 'press-1' && time >= 5000 });
  for (const device of ['press-1', 'pump-1']) bench.take(raise(device, 1000));
  const states = (now: number) => bench.desk.open(now).map(({ state }) => state);
  expect(states(4999)).toEqual(['unacknowledged', 'unacknowledged']);
  expect(states(5000)).toEqual(['out-of-service', 'unacknowledged']);
});

test('it counts active alarms by severity', () => {
  const bench = new Bench();
  bench.take(raise('a', 1, 'critical'));
  bench.take(raise('b', 2));
  bench.take(clear(raise('b', 2), 3));
  expect(bench.desk.status(5)).toMatchObject({
    active: { info: 0, warning: 0, critical: 1 },
    unacknowledged: 2,
    returned: 1,
    perTenMinutes: { average: 2, most: 2 },
  });
  expect(bench.desk.activeCount).toBe(1);
  for (const { used, max } of bench.desk.bounds(10)) expect(used).toBeLessThanOrEqual(max);
});

test('stopped and resumed at every step it says what it says in one run', () => {
  const seed = Date.now() & 0x7fffffff;
  process.stdout.write(`desk seed ${seed}\n`);
  const random = seededRandom(seed);
  const whole = new Bench(FLOOD);
  let pieces = new Bench(FLOOD);
  const events: AlarmEvent[] = [];
  const active: AlarmEvent[] = [];
  let now = 0;
  for (let i = 0; i < 600; i++) {
    now += random() * 5 * MINUTE;
    const roll = random();
    const chosen = active[Math.floor(random() * active.length)];
    const severity = random() < 0.3 ? 'critical' : 'warning';
    const fresh = raise(`d${Math.floor(random() * 5)}`, now, severity);
    const byMs = (random() - 0.5) * MINUTE;
    const run = ({ desk, emit }: Bench) => {
      desk.advance(now, emit);
      if (roll < 0.4 || chosen === undefined) desk.take(fresh, now, emit);
      else if (roll < 0.6) desk.take(clear(chosen, now), now, emit);
      else if (roll < 0.75) desk.acknowledge(act(chosen, now), emit);
      else if (roll < 0.85) desk.shelve(act(chosen, now), now + 8 * MINUTE, 'x', emit);
      else if (roll < 0.9) desk.unshelve(act(chosen, now), emit);
      else if (roll < 0.95) desk.step(byMs);
    };
    run(whole);
    const resumed = new Bench(FLOOD);
    resumed.desk.restore(deserialize(serialize(pieces.desk.snapshot())));
    pieces = resumed;
    run(pieces);
    events.push(...pieces.events);
    if (roll < 0.4 || chosen === undefined) active.push(fresh);
    else if (roll < 0.6) active.splice(active.indexOf(chosen), 1);
  }
  expect(whole.events.filter(({ suppressed }) => suppressed === 'flood').length).toBeGreaterThan(5);
  expect(whole.events.filter(({ suppressed }) => suppressed === 'shelved').length).toBeGreaterThan(5);
  expect(events).toEqual(whole.events);
  expect(pieces.desk.open(0)).toEqual(whole.desk.open(0));
  expect(pieces.desk.status(now)).toEqual(whole.desk.status(now));
});

test('a checkpoint of a release without a desk goes on with what the stages know', () => {
  const known = raise('press-1', 1000);
  const bench = new Bench({ activeAlarms: () => [{ raised: known, acknowledgedAt: 5 }] });
  bench.desk.adopt([{ raised: raise('box', 7) }]);
  expect(bench.desk.open(0)).toMatchObject([
    { id: known.id, state: 'acknowledged', acknowledgedAt: 5 },
    { state: 'unacknowledged' },
  ]);
  bench.take(clear(known, 9000));
  expect(bench.desk.activeCount).toBe(1);
  expect(() => bench.desk.restore({ version: 2 })).toThrow('Cannot restore the alarms');
});
