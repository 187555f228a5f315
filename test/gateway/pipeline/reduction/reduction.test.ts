import { beforeEach, expect, test } from 'vitest';
import { Quality } from '../../../../gateway/core/quality.ts';
import type { Reading, Value } from '../../../../gateway/core/reading.ts';
import { Reduction } from '../../../../gateway/pipeline/reduction/reduction.ts';
import type { ReductionSettings } from '../../../../gateway/pipeline/reduction/reduction-rule.ts';
import { Plant, throughDisk } from '../make-reading.ts';

let plant: Plant;
beforeEach(() => {
  plant = new Plant();
});

function reduction(...rules: Partial<ReductionSettings>[]): Reduction {
  return new Reduction({
    rules: rules.map((rule) => ({ series: '*', ...rule })),
    findSeries: (key) => plant.registry.get(key),
    idleTimeoutMs: 30_000,
  });
}

/** The readings that go on when one comes. */
function taken(gate: Reduction, reading: Reading): Reading[] {
  const on: Reading[] = [];
  gate.take(reading, reading.receiveTime, { goOn: (one) => on.push(one), leaveOut: () => {} });
  return on;
}

const passes = (gate: Reduction, reading: Reading) => taken(gate, reading).length === 1;

/** The values that go on, of readings a second apart. */
function passed(gate: Reduction, values: readonly Value[], from = 0): Value[] {
  return values.flatMap((value, i) =>
    taken(gate, plant.reading('a/x', value, from + i * 1000)).map((reading) => reading.value),
  );
}

test('a number goes on when it differs by more than the deadband from the last that did', () => {
  expect(passed(reduction({ deadband: 0.5 }), [10, 10.5, 10.4, 10.6, 10.2, 10.1, 10])).toEqual([10, 10.6, 10]);
});

test('a deadband in percent is taken of the last that went on', () => {
  expect(passed(reduction({ deadbandPercent: 10 }), [100, 110, 111, 122, 123, -123, -111, -110])).toEqual([
    100, 111, 123, -123, -110,
  ]);
});

test('of two deadbands both have to be exceeded', () => {
  const gate = reduction({ deadband: 5, deadbandPercent: 10 });
  expect(passed(gate, [10, 12, 16, 100, 108, 111])).toEqual([10, 16, 100, 111]);
});

test('with a deadband of 0 every change goes on, of texts and booleans too', () => {
  const long = 'x'.repeat(100);
  expect(passed(reduction({ deadband: 0 }), [1, 1, 1.5, true, true, 'on', 'on', long, long, `${long}y`])).toEqual([
    1,
    1.5,
    true,
    'on',
    long,
    `${long}y`,
  ]);
});

test('after a while a reading goes on whatever its value', () => {
  expect(passed(reduction({ deadband: 1, atLeastEveryMs: 3000 }), [1, 1, 1, 1.5, 1, 1])).toEqual([1, 1.5]);
});

test('no more readings go on than the rate allows', () => {
  expect(passed(reduction({ atMostEveryMs: 2000 }), [1, 2, 3, 4, 5])).toEqual([1, 3, 5]);
});

test('another quality goes on', () => {
  const gate = reduction({ deadband: 1, atMostEveryMs: 60_000 });
  const at = (time: number, quality: Quality) => passes(gate, plant.reading('a/x', 1, time, { quality }));
  expect([at(0, Quality.good), at(1, Quality.bad), at(2, Quality.bad), at(3, Quality.good)]).toEqual([
    true,
    true,
    false,
    true,
  ]);
});

test('a reading older than the last one goes on, and changes nothing', () => {
  const gate = reduction({ deadband: 1 });
  expect(passed(gate, [10], 5000)).toEqual([10]);
  expect(passed(gate, [50], 1000)).toEqual([50]);
  expect(passed(gate, [10.5, 50], 6000)).toEqual([50]);
});

test('the first rule that fits a series decides, and others are left alone', () => {
  const gate = reduction({ series: 'a/x', atMostEveryMs: 60_000 }, { series: 'b/*', deadband: 100 });
  for (const time of [0, 1, 2]) {
    passes(gate, plant.reading('a/x', time, time));
    passes(gate, plant.reading('b/x', time, time));
    expect(passes(gate, plant.reading('c/x', 1, time))).toBe(true);
  }
  expect(gate.counts()).toEqual([
    { series: 'a/x', passed: 1, filtered: 2 },
    { series: 'b/*', passed: 1, filtered: 2 },
  ]);
});

test('stopped and resumed at every step it lets the same readings go on, and counts on', () => {
  const rules = [{ deadband: 2, atLeastEveryMs: 9000, atMostEveryMs: 1500 }];
  const values = Array.from({ length: 60 }, (_, i) => Math.round(10 * Math.sin(i / 3)));
  const whole = reduction(...rules);
  const expected = passed(whole, values);
  let gate = reduction(...rules);
  const resumed = values.filter((value, i) => {
    const next = reduction(...rules);
    next.restore(throughDisk(gate.snapshot()));
    gate = next;
    return passes(gate, plant.reading('a/x', value, i * 1000));
  });
  expect(resumed).toEqual(expected);
  expect(gate.counts()).toEqual(whole.counts());
});

test('a damaged snapshot is refused', () => {
  for (const damaged of [undefined, {}, { rules: [], series: [['a/x', 0, {}, 0]] }, { rules: [[1]], series: [] }]) {
    plant.series('a/x');
    expect(() => reduction({ deadband: 1 }).restore(damaged)).toThrow('Cannot restore what has been reduced');
  }
});

test.each([
  [{}, 'nothing says which readings do not go on'],
  [{ atLeastEveryMs: 1000 }, 'nothing says which readings do not go on'],
  [{ deadband: -1 }, 'deadband is -1'],
  [{ deadbandPercent: Number.NaN }, 'deadbandPercent is NaN'],
  [{ deadband: 1, atLeastEveryMs: 1000, atMostEveryMs: 1000 }, 'atLeastEvery is not longer than atMostEvery'],
])('the rule %j is refused', (rule, message) => {
  expect(() => reduction(rule)).toThrow(`Cannot reduce *: ${message}`);
});
