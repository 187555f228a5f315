import { describe, expect, test } from 'vitest';
import { Quality } from '../../../../gateway/core/quality.ts';
import {
  AggregatePlan,
  aggregateNames,
  aggregatePatterns,
  isAggregate,
} from '../../../../gateway/pipeline/aggregate/aggregates.ts';

const minute = { start: 0, end: 60_000 };

test('every listed name is an aggregate with a finite value', () => {
  const plan = new AggregatePlan(aggregateNames);
  const accumulator = plan.accumulator();
  accumulator.add(3, Quality.good, 0);
  accumulator.add(4, Quality.good, 1000);
  const fields = plan.fields(accumulator, minute);
  expect(Object.keys(fields)).toEqual([...aggregateNames]);
  for (const value of Object.values(fields)) expect(Number.isFinite(value)).toBe(true);
});

test.each(['p0', 'p5', 'p95', 'p99.9', 'p99.999', 'p100', 'p0.1', 'duration_3', 'duration_-1.5'])(
  '%s is an aggregate',
  (name) => {
    expect(isAggregate(name)).toBe(true);
    expect(aggregatePatterns.some((pattern) => new RegExp(pattern).test(name))).toBe(true);
  },
);

test.each([
  'p',
  'p101',
  'p100.1',
  'p05',
  'p-1',
  'p99.',
  'p99.9999',
  'P95',
  ' p95',
  'p95\n',
  'avg',
  'duration_',
  'duration_x',
  'duration_1e3',
  '',
  '__proto__',
  'toString',
])('%j is no aggregate', (name) => {
  expect(isAggregate(name)).toBe(false);
  expect(() => new AggregatePlan([name])).toThrow('there is no such aggregate');
});

test('an empty list is refused', () => {
  expect(() => new AggregatePlan([])).toThrow('the list of aggregates is empty');
});

test('without any value there is only the count, if it is asked for', () => {
  const plan = new AggregatePlan(['mean', 'count', 'p95']);
  expect(plan.fields(plan.accumulator(), minute)).toEqual({ count: 0 });
  const other = new AggregatePlan(['mean', 'min', 'first']);
  expect(other.fields(other.accumulator(), minute)).toEqual({});
});

test('a name given twice gives one field', () => {
  expect(new AggregatePlan(['min', 'min']).names).toEqual(['min']);
});

test('what depends on the order of the readings is read by event time', () => {
  const plan = new AggregatePlan([
    'delta',
    'rate',
    'integral',
    'time_mean',
    'coverage',
    'duration_4',
    'duration_nonzero',
  ]);
  const accumulator = plan.accumulator();
  for (const [value, time] of [
    [10, 30_000],
    [0, 0],
    [4, 20_000],
  ] as const)
    accumulator.add(value, Quality.good, time);
  expect(plan.fields(accumulator, minute)).toEqual({
    delta: 10,
    rate: 1 / 3,
    integral: 40,
    time_mean: 4 / 3,
    coverage: 0.5,
    duration_4: 10,
    duration_nonzero: 10,
  });
});

test('a single reading has no rate, and is its own mean over time', () => {
  const plan = new AggregatePlan(['rate', 'delta', 'time_mean', 'coverage']);
  const accumulator = plan.accumulator();
  accumulator.add(7, Quality.good, 5);
  expect(plan.fields(accumulator, minute)).toEqual({ delta: 0, time_mean: 7, coverage: 0 });
});

test('no number beyond the largest double leaves', () => {
  const plan = new AggregatePlan(['delta', 'increase', 'integral', 'time_mean', 'changes']);
  const accumulator = plan.accumulator();
  accumulator.add(-1.7e308, Quality.good, 0);
  accumulator.add(1.7e308, Quality.good, 1000);
  expect(plan.fields(accumulator, minute)).toEqual({ changes: 1 });
});

test('plans of another interpolation have another form, where it matters', () => {
  const form = (names: string[], interpolation: 'step' | 'linear') => new AggregatePlan(names, { interpolation }).form;
  expect(form(['integral'], 'linear')).not.toEqual(form(['integral'], 'step'));
  expect(form(['mean'], 'linear')).toEqual(form(['mean'], 'step'));
});

describe('aggregates that are merged from others', () => {
  const minutes = [
    [3, -1, 3],
    [0, 0.5],
    [3, 3, 7],
  ];
  const of = (plan: AggregatePlan, lists: readonly (readonly number[])[], from: number) => {
    const accumulator = plan.accumulator();
    for (const [i, list] of lists.entries()) {
      for (const [j, value] of list.entries()) accumulator.add(value, Quality.good, (from + i) * 60_000 + j * 7_000);
    }
    return accumulator;
  };

  test('are what they would be of all readings, from whatever of them the parts keep', () => {
    const asked = [...aggregateNames, 'p95', 'duration_3', 'duration_7'];
    const parts = new AggregatePlan(asked, { interpolation: 'linear', maxGapMs: 50_000 });
    const whole = new AggregatePlan([...aggregateNames, 'p5', 'duration_7'], {}, parts);
    const merged = whole.accumulator();
    for (const [i, list] of minutes.entries()) merged.merge(of(parts, [list], i));
    const window = { start: 0, end: 180_000 };
    const { p5, ...fields } = whole.fields(merged, window);
    const direct = new AggregatePlan([...asked, 'p5'], { interpolation: 'linear', maxGapMs: 50_000 });
    const expected = direct.fields(of(direct, minutes, 0), window);
    expect(p5).toBeCloseTo(expected['p5']!, 12);
    for (const [name, value] of Object.entries(fields)) expect(value, name).toBeCloseTo(expected[name]!, 12);
    expect(Object.keys(fields)).toEqual([...aggregateNames, 'duration_7']);
  });

  test.each([
    ['p95', ['mean', 'min'], 'count, sum, mean, min, max, range;'],
    ['variance', ['count'], 'gives count;'],
    ['rate', ['last', 'median'], 'count, first, last, median, percentiles such as p95;'],
    ['duration_4', ['duration_3'], 'coverage, duration_3;'],
  ])('are refused where the parts do not keep what they take: %s of %j', (name, parts, allowed) => {
    expect(() => new AggregatePlan([name], {}, new AggregatePlan(parts))).toThrow(
      expect.objectContaining({
        message: `Cannot merge "${name}": what it is made from does not keep what it takes`,
        hint: expect.stringContaining(allowed),
      }),
    );
  });

  test('have another form where the parts know the time at other values', () => {
    const form = (parts: readonly string[]) =>
      JSON.stringify(new AggregatePlan(['rate'], {}, new AggregatePlan(parts)).form);
    expect(form(['rate', 'duration_3'])).not.toBe(form(['rate', 'duration_4']));
    expect(form(['rate', 'duration_3'])).toBe(form(['delta', 'duration_3']));
  });
});
