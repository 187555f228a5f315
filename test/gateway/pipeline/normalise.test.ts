import { beforeEach, expect, test } from 'vitest';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Value } from '../../../gateway/core/reading.ts';
import { MAX_TEXT_LENGTH, Normaliser } from '../../../gateway/pipeline/normalise.ts';
import { Plant } from './make-reading.ts';

const NOW = Date.UTC(2026, 5, 1);
let plant: Plant;

beforeEach(() => {
  plant = new Plant();
});

function normalised(normaliser: Normaliser, value: Value, path = 'press-1/temperature'): Value | string {
  return normaliser.normalise(plant.series(path), value, Quality.good, NOW, NOW) ?? normaliser.value;
}

test('a value is scaled, then offset', () => {
  const normaliser = new Normaliser([{ series: 'temperature', scale: 0.5, offset: 10 }]);
  expect(normalised(normaliser, 8)).toBe(14);
});

test('the first setting that matches decides', () => {
  const normaliser = new Normaliser([
    { series: 'press-1/*', scale: 2 },
    { series: '*', scale: 3 },
  ]);
  expect(normalised(normaliser, 1)).toBe(2);
  expect(normalised(normaliser, 1, 'press-2/temperature')).toBe(3);
});

test('a series that no setting names stays as it is', () => {
  const normaliser = new Normaliser([{ series: 'pressure', scale: 2 }]);
  expect(normalised(normaliser, 20.5)).toBe(20.5);
});

test('the configured unit becomes that of the series', () => {
  const normaliser = new Normaliser([{ series: 'temperature', unit: '°C' }]);
  normalised(normaliser, 1);
  expect(plant.series('press-1/temperature').unit).toBe('°C');
});

test('minus zero becomes zero', () => {
  expect(normalised(new Normaliser([]), -0)).toBe(0);
  expect(normalised(new Normaliser([{ series: '*', scale: -1, offset: -0 }]), 0)).toBe(0);
});

test('booleans and texts pass unscaled, and a number after them is a number again', () => {
  const normaliser = new Normaliser([{ series: '*', scale: 2 }]);
  expect(normalised(normaliser, true)).toBe(true);
  expect(normalised(normaliser, 'running')).toBe('running');
  expect(normalised(normaliser, 4)).toBe(8);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('the value %s is refused', (value) => {
  expect(normalised(new Normaliser([]), value)).toBe(`the value ${value} is not a finite number`);
});

test('a value that scaling carries beyond the largest double is refused', () => {
  expect(normalised(new Normaliser([{ series: '*', scale: 10 }]), 1e308)).toBe(
    'the value 1e+308 becomes Infinity by scale 10 and offset 0; only finite numbers are allowed',
  );
});

test('a text beyond the limit is refused with its beginning', () => {
  expect(normalised(new Normaliser([]), 'x'.repeat(MAX_TEXT_LENGTH))).toHaveLength(MAX_TEXT_LENGTH);
  expect(normalised(new Normaliser([]), 'x'.repeat(MAX_TEXT_LENGTH + 1))).toContain(
    'has 16385 characters; at most 16384',
  );
});

test('a quality that there is not is refused', () => {
  const normaliser = new Normaliser([]);
  const quality = 3 as Quality;
  expect(normaliser.normalise(plant.series('a/b'), 1, quality, NOW, NOW)).toContain('the quality 3 is none of');
});

test('a source time before 2000 is refused', () => {
  const normaliser = new Normaliser([]);
  expect(normaliser.normalise(plant.series('a/b'), 1, Quality.good, 0, NOW)).toBe(
    'the source time is 1970-01-01T00:00:00.000Z, before 2000-01-01T00:00:00.000Z, the earliest allowed',
  );
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('the source time %s is refused', (time) => {
  const problem = new Normaliser([]).normalise(plant.series('a/b'), 1, Quality.good, time, NOW);
  expect(problem).toBe(`the source time ${time} is not a finite number of milliseconds`);
});

test('a source time more than an hour ahead is taken, and not believed', () => {
  const normaliser = new Normaliser([]);
  const isAhead = (sourceTime: number | undefined) => {
    expect(normaliser.normalise(plant.series('a/b'), 1, Quality.good, sourceTime, NOW)).toBeUndefined();
    return normaliser.isAhead;
  };
  expect(isAhead(NOW + 3_600_000)).toBe(false);
  expect(isAhead(NOW + 3_600_001)).toBe(true);
  expect(isAhead(Number.MAX_VALUE)).toBe(true);
  expect(isAhead(undefined)).toBe(false);
});

test('a gateway that does not know the time does not judge the future', () => {
  const normaliser = new Normaliser([]);
  expect(normaliser.normalise(plant.series('a/b'), 1, Quality.good, NOW, undefined)).toBeUndefined();
  expect(normaliser.isAhead).toBe(false);
  expect(normaliser.normalise(plant.series('a/b'), 1, Quality.good, Number.POSITIVE_INFINITY, undefined)).toContain(
    'finite',
  );
});

test('nor is a time taken there that no calendar reaches, as one in nanoseconds', () => {
  const problem = new Normaliser([]).normalise(plant.series('a/b'), 1, Quality.good, NOW * 1e6, undefined);
  expect(problem).toMatch(/^the source time is \d+ ms since 1970, after 9999-12-31T00:00:00.000Z, the latest allowed$/);
});

test.each([NOW, 60_000, undefined])(
  'a reading without a time is taken, whatever the gateway knows of the time: %s',
  (now) => {
    expect(new Normaliser([]).normalise(plant.series('a/b'), 1, Quality.good, undefined, now)).toBeUndefined();
  },
);

test('limits can be chosen', () => {
  const normaliser = new Normaliser([], { earliest: 0, maxFutureMs: 1000 });
  const at = (sourceTime: number) => normaliser.normalise(plant.series('a/b'), 1, Quality.good, sourceTime, NOW);
  expect(at(0)).toBeUndefined();
  expect(at(NOW + 1001)).toBeUndefined();
  expect(normaliser.isAhead).toBe(true);
});

test.each([0, Number.NaN, Number.POSITIVE_INFINITY])('the scale %s is refused', (scale) => {
  expect(() => new Normaliser([{ series: '*', scale }])).toThrow(`the scale is ${scale}`);
});

test('an offset that is not finite is refused', () => {
  expect(() => new Normaliser([{ series: '*', offset: Number.NaN }])).toThrow('the offset is NaN');
});
