import { beforeEach, describe, expect, test } from 'vitest';
import { Quality } from '../../../../gateway/core/quality.ts';
import type { Reading, Value } from '../../../../gateway/core/reading.ts';
import { Reduction } from '../../../../gateway/pipeline/reduction/reduction.ts';
import type { ReductionSettings } from '../../../../gateway/pipeline/reduction/reduction-rule.ts';
import { Plant, throughDisk } from '../make-reading.ts';

const IDLE_AFTER_MS = 30_000;
const DOOR: Partial<ReductionSettings> = { swingingDoor: 0.5 };

let plant: Plant;
/** What has gone on and what was left out, value by value. */
let on: Value[];
let out: Value[];
beforeEach(() => {
  plant = new Plant();
  on = [];
  out = [];
});

const doorway = {
  goOn: ({ value }: Reading) => void on.push(value),
  leaveOut: ({ value }: Reading) => void out.push(value),
};

function reduction(...rules: Partial<ReductionSettings>[]): Reduction {
  return new Reduction({
    rules: rules.map((rule) => ({ series: '*', ...rule })),
    findSeries: (key) => plant.registry.get(key),
    idleTimeoutMs: IDLE_AFTER_MS,
  });
}

/** Takes a reading each second, received when it was measured. */
function take(gate: Reduction, values: readonly Value[], fromSecond = 0, quality: Quality = Quality.good): void {
  for (const [i, value] of values.entries()) {
    const reading = plant.reading('a/x', value, (fromSecond + i) * 1000, { quality });
    gate.take(reading, reading.receiveTime, doorway);
  }
}

const held = (gate: Reduction) => [...gate.held()].map(({ value }) => value);

describe('a swinging door', () => {
  test('lets the corners of a course go on, each when the next reading has come', () => {
    const gate = reduction(DOOR);
    take(gate, [0, 1, 2, 3, 4]);
    expect({ on, held: held(gate), out }).toEqual({ on: [0], held: [4], out: [1, 2, 3] });
    take(gate, [4, 4, 4], 5);
    expect({ on, held: held(gate), out }).toEqual({ on: [0, 4], held: [4], out: [1, 2, 3, 4, 4] });
    expect(gate.counts()).toEqual([{ series: '*', passed: 2, filtered: 5 }]);
  });

  test('a text, another quality, and a second reading of one time push out what waits and go on', () => {
    const gate = reduction(DOOR);
    take(gate, [0, 1, 'stopped', 7, 8]);
    expect(on).toEqual([0, 1, 'stopped', 7]);
    take(gate, [9], 5, Quality.uncertain);
    expect(on).toEqual([0, 1, 'stopped', 7, 8, 9]);
    take(gate, [9], 5, Quality.uncertain);
    expect(on).toEqual([0, 1, 'stopped', 7, 8, 9, 9]);
    expect(out).toEqual([]);
  });

  test('a reading older than the newest goes on, and changes nothing', () => {
    const gate = reduction(DOOR);
    take(gate, [0, 1, 2]);
    take(gate, [50], 1);
    expect({ on, held: held(gate) }).toEqual({ on: [0, 50], held: [2] });
  });

  test('after a while what waits goes on, however straight the line', () => {
    take(reduction({ ...DOOR, atLeastEveryMs: 3000 }), [0, 1, 2, 3, 4, 5, 6, 7]);
    expect(on).toEqual([0, 2, 4, 6]);
    on = [];
    const sparse = reduction({ ...DOOR, atLeastEveryMs: 900 });
    take(sparse, [0, 1, 2]);
    expect(on).toEqual([0, 1, 2]);
  });

  test('nothing waits until its series is idle, and its windows close', () => {
    const gate = reduction(DOOR);
    take(gate, [0, 1, 2]);
    expect(gate.nextDue).toBe(IDLE_AFTER_MS - 1);
    gate.release(IDLE_AFTER_MS - 1, doorway);
    expect({ on, held: held(gate), due: gate.nextDue }).toEqual({
      on: [0, 2],
      held: [],
      due: Number.POSITIVE_INFINITY,
    });
    // One that has begun anew meanwhile takes its whole time.
    take(gate, [30, 1], 30);
    take(gate, [1], 40);
    expect({ on, held: held(gate) }).toEqual({ on: [0, 2, 30, 1], held: [1] });
    gate.release(gate.nextDue, doorway);
    expect(held(gate)).toEqual([1]);
    expect(gate.nextDue).toBe(40_000 + IDLE_AFTER_MS - 1);
  });

  test('when the clock is set, what waits waits as long as it would have without that', () => {
    const gate = reduction(DOOR);
    take(gate, [0, 1]);
    gate.step(0, -3_600_000);
    expect(gate.nextDue).toBe(IDLE_AFTER_MS - 1 - 3_600_000);
    gate.release(gate.nextDue, doorway);
    expect(on).toEqual([0, 1]);
  });

  test('when the clock is set back behind them, readings are compared with the first that comes then', () => {
    const gate = reduction(DOOR);
    take(gate, [0, 1], 10);
    gate.releaseAll(12_000, doorway);
    expect({ on, held: held(gate), due: gate.nextDue }).toEqual({
      on: [0, 1],
      held: [],
      due: Number.POSITIVE_INFINITY,
    });
    gate.step(2_000, -10_000);
    take(gate, [7, 7, 7], 2);
    expect({ on, held: held(gate), out }).toEqual({ on: [0, 1, 7], held: [7], out: [7] });
  });

  test('stopped and resumed at every step it does the same', () => {
    const values = Array.from({ length: 80 }, (_, i) => Math.round(10 * Math.sin(i / 5)));
    const whole = reduction(DOOR);
    take(whole, values);
    const expected = { on, out, held: held(whole), counts: whole.counts(), due: whole.nextDue };
    [on, out] = [[], []];
    let gate = reduction(DOOR);
    values.forEach((value, second) => {
      const next = reduction(DOOR);
      next.restore(throughDisk(gate.snapshot()));
      gate = next;
      gate.release(second * 1000, doorway);
      take(gate, [value], second);
    });
    // The whole one looks at its deadlines only now.
    whole.release(79_000, doorway);
    expect({ on, out, held: held(gate), counts: gate.counts() }).toEqual({
      on: expected.on,
      out: expected.out,
      held: expected.held,
      counts: expected.counts,
    });
  });

  test('what waits under a rule that is gone, or is another one now, goes on', () => {
    const gate = reduction(DOOR);
    take(gate, [0, 1, 2]);
    for (const rules of [[], [{ deadband: 10 }]]) {
      on = [];
      const next = reduction(...rules);
      next.restore(throughDisk(gate.snapshot()));
      expect({ held: held(next), due: next.nextDue }).toEqual({ held: [2], due: Number.NEGATIVE_INFINITY });
      next.release(2000, doorway);
      expect({ on, held: held(next), due: next.nextDue }).toEqual({ on: [2], held: [], due: Number.POSITIVE_INFINITY });
      take(next, [3], 3);
      expect(on).toEqual(rules.length === 0 ? [2, 3] : [2]);
    }
  });

  test('it goes with no deadband and no rate', () => {
    const message = 'Cannot reduce *: a swingingDoor goes with no deadband and no atMostEvery';
    for (const rule of [{ deadband: 1 }, { deadbandPercent: 1 }, { atMostEveryMs: 1 }]) {
      expect(() => reduction({ ...DOOR, ...rule })).toThrow(message);
    }
    expect(() => reduction({ swingingDoor: -1 })).toThrow('Cannot reduce *: swingingDoor is -1');
  });
});
