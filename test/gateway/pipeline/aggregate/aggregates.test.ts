import { expect, test } from 'vitest';
import { Quality } from '../../../../gateway/core/quality.ts';
import {
  AggregatePlan,
  aggregateNames,
  isAggregate,
  percentilePattern,
} from '../../../../gateway/pipeline/aggregate/aggregates.ts';

test('every listed name is an aggregate with a finite value', () => {
  const plan = new AggregatePlan(aggregateNames);
  const accumulator = plan.accumulator();
  accumulator.add(3, Quality.good, 0);
  const fields = plan.fields(accumulator);
  expect(Object.keys(fields)).toEqual([...aggregateNames]);
  for (const value of Object.values(fields)) expect(Number.isFinite(value)).toBe(true);
});

test.each(['p0', 'p5', 'p95', 'p99.9', 'p99.999', 'p100', 'p0.1'])('%s is a percentile', (name) => {
  expect(isAggregate(name)).toBe(true);
  expect(new RegExp(percentilePattern).test(name)).toBe(true);
});

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
  expect(plan.fields(plan.accumulator())).toEqual({ count: 0 });
  const other = new AggregatePlan(['mean', 'min', 'first']);
  expect(other.fields(other.accumulator())).toEqual({});
});

test('a name given twice gives one field', () => {
  expect(new AggregatePlan(['min', 'min']).names).toEqual(['min']);
});
