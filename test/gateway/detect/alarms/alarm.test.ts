import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Alarm, type AlarmPolicy, type AlarmStep } from '../../../../gateway/detect/alarms/alarm.ts';

const PLAIN: AlarmPolicy = { holdMs: 0, onDelayMs: 0, hysteresis: 0 };

/** The steps of an alarm that is shown one score each second; a score above 1 is an anomaly. */
function steps(policy: Partial<AlarmPolicy>, scores: readonly number[]): string[] {
  const alarm = new Alarm({ ...PLAIN, ...policy });
  return scores.map((score, i) => alarm.judge(score > 1, score, i * 1000) ?? '-');
}

test('an anomaly raises once, and the first normal value clears', () => {
  expect(steps({}, [0, 2, 3, 2, 0, 0, 2, 0])).toEqual(['-', 'raised', '-', '-', 'cleared', '-', 'raised', 'cleared']);
});

test('with a hold the alarm stays until there was no anomaly for that long', () => {
  expect(steps({ holdMs: 3000 }, [2, 0, 0, 2, 0, 0, 0])).toEqual(['raised', '-', '-', '-', '-', '-', 'cleared']);
});

test('with a delay an anomaly must last without a normal value between', () => {
  expect(steps({ onDelayMs: 2000 }, [2, 2, 0, 2, 2, 2, 0])).toEqual(['-', '-', '-', '-', '-', 'raised', 'cleared']);
});

test('with hysteresis an active alarm is kept by values near the threshold, which do not raise one', () => {
  expect(steps({ hysteresis: 0.2 }, [0.9, 2, 0.9, 1, 0.8, 0.9])).toEqual(['-', 'raised', '-', '-', 'cleared', '-']);
});

test('silence clears nothing: an anomaly after a long gap continues the alarm', () => {
  const alarm = new Alarm({ ...PLAIN, holdMs: 1000 });
  alarm.judge(true, 2, 0);
  expect(alarm.judge(true, 2, 1e9)).toBeUndefined();
  expect(alarm.active).toBe(true);
  expect(alarm.lastAnomaly).toBe(1e9);
});

test('of a snapshot of an earlier release it tells when it was acknowledged', () => {
  const alarm = new Alarm(PLAIN);
  expect(alarm.restore([1000, 3000, 2000, 77])).toBe(77);
  expect(alarm.active).toBe(true);
  expect(alarm.restore(alarm.snapshot())).toBeNaN();
});

test('it knows the first anomaly of the stretch that raised it, and is idle when nothing is to be remembered', () => {
  const alarm = new Alarm({ ...PLAIN, onDelayMs: 2000 });
  expect(alarm.isIdle(0)).toBe(true);
  for (const time of [1000, 2000, 3000]) alarm.judge(true, 2, time);
  expect([alarm.firstAnomaly, alarm.active, alarm.isIdle(3000)]).toEqual([1000, true, false]);
  alarm.judge(false, 0, 4000);
  expect([alarm.active, alarm.isIdle(4000), alarm.isIdle(63_000)]).toEqual([false, false, true]);
});

test('one that comes for the third time in a minute is one, with a count, until it was away for a minute', () => {
  const alarm = new Alarm(PLAIN);
  const seen: string[] = [];
  // On for five seconds of ten, for two minutes; then away, but for one more time.
  for (let i = 0; i < 300; i++) {
    const isHigh = i < 120 ? i % 10 < 5 : i === 160;
    const step = alarm.judge(isHigh, isHigh ? 2 : 0, i * 1000);
    if (step !== undefined) seen.push(`${step}@${i}x${alarm.count}`);
  }
  expect(seen).toEqual(['raised@0x1', 'cleared@5x1', 'raised@10x1', 'cleared@15x1', 'raised@20x3', 'cleared@220x13']);
  expect(alarm.active).toBe(false);
});

test('one that comes twice a minute does not chatter', () => {
  const alarm = new Alarm(PLAIN);
  const steps = Array.from({ length: 40 }, (_, i) => alarm.judge(i % 2 === 0, i % 2 === 0 ? 2 : 0, i * 15_000));
  expect(steps).not.toContain(undefined);
  expect(alarm.count).toBe(1);
});

test('stopped at any value and resumed it takes the same steps; raised and cleared take turns', () => {
  const seed = Date.now() & 0x7fffffff;
  process.stdout.write(`alarm seed ${seed}\n`);
  const policy = fc.record({
    holdMs: fc.integer({ min: 0, max: 9000 }),
    onDelayMs: fc.integer({ min: 0, max: 5000 }),
    hysteresis: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const scores = fc.array(fc.constantFrom(0, 0.5, 0.95, 1, 1.5, 2), { maxLength: 60 });
  fc.assert(
    fc.property(policy, scores, fc.nat(), (given, values, at) => {
      const cut = values.length === 0 ? 0 : at % values.length;
      let resumed = new Alarm(given);
      const whole = new Alarm(given);
      let last: AlarmStep = 'cleared';
      values.forEach((score, i) => {
        if (i === cut) {
          const next = new Alarm(given);
          next.restore(resumed.snapshot());
          resumed = next;
        }
        const step = whole.judge(score > 1, score, i * 1000);
        expect(resumed.judge(score > 1, score, i * 1000)).toBe(step);
        if (step === undefined) return;
        expect(step).not.toBe(last);
        last = step;
        expect(whole.active).toBe(step === 'raised');
      });
    }),
    { seed, numRuns: 500 },
  );
});

test('a snapshot that is not its own is refused', () => {
  expect(() => new Alarm(PLAIN).restore([1, 2])).toThrow('Cannot restore an alarm');
});
