import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Value } from '../../../gateway/core/reading.ts';
import { Deduplicator } from '../../../gateway/pipeline/deduplicate.ts';
import { Plant } from './make-reading.ts';

const plant = new Plant();

function seen(deduplicator: Deduplicator, path: string, value: Value, time: number): boolean {
  return deduplicator.isDuplicate(plant.reading(path, value, time));
}

test('a reading counts once, whatever was received between', () => {
  const deduplicator = new Deduplicator(65_536);
  expect(seen(deduplicator, 'a/b', 1, 1000)).toBe(false);
  expect(seen(deduplicator, 'a/b', 1, 2000)).toBe(false);
  expect(seen(deduplicator, 'a/b', 1, 1000)).toBe(true);
});

test('another series, time or value makes another reading', () => {
  const deduplicator = new Deduplicator(65_536);
  seen(deduplicator, 'a/b', 1, 1000);
  expect(seen(deduplicator, 'a/c', 1, 1000)).toBe(false);
  expect(seen(deduplicator, 'a/b', 1, 1000.0002)).toBe(false);
  expect(seen(deduplicator, 'a/b', 1 + Number.EPSILON, 1000)).toBe(false);
});

test('instances that skip what others were given know together what one would', () => {
  const said = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 9 })), { maxLength: 200 });
  fc.assert(
    fc.property(said, fc.integer({ min: 1, max: 30 }), (readings, capacity) => {
      const whole = new Deduplicator(capacity);
      const parts = [0, 1, 2].map(() => ({ deduplicator: new Deduplicator(capacity), told: 0 }));
      for (const [place, [series, value]] of readings.entries()) {
        const part = parts[series % 3]!;
        part.deduplicator.skip(place - part.told);
        part.told = place + 1;
        const expected = whole.isKnown(series, value, 0);
        expect(part.deduplicator.isKnown(series, value, 0)).toBe(expected);
      }
    }),
  );
});

test('values of different kinds are different values', () => {
  const deduplicator = new Deduplicator(65_536);
  for (const value of [1, true, '1', 'true']) expect(seen(deduplicator, 'a/b', value, 0)).toBe(false);
  for (const value of [1, true, '1', 'true']) expect(seen(deduplicator, 'a/b', value, 0)).toBe(true);
});

test('texts are compared whole', () => {
  const deduplicator = new Deduplicator(65_536);
  const long = 'x'.repeat(10_000);
  expect(seen(deduplicator, 'a/b', `${long}1`, 0)).toBe(false);
  expect(seen(deduplicator, 'a/b', `${long}2`, 0)).toBe(false);
  expect(seen(deduplicator, 'a/b', `${long}1`, 0)).toBe(true);
  expect(seen(deduplicator, 'a/b', 'short', 0)).toBe(false);
  expect(seen(deduplicator, 'a/b', 'short', 0)).toBe(true);
});

test('texts with equal hashes are told apart', () => {
  const deduplicator = new Deduplicator(65_536);
  // Known pairs of words with one 32-bit FNV-1a hash.
  for (const [one, other] of [
    ['costarring', 'liquid'],
    ['declinate', 'macallums'],
    ['altarage', 'zinke'],
  ] as const) {
    expect(seen(deduplicator, 'a/b', one, 0)).toBe(false);
    expect(seen(deduplicator, 'a/b', other, 0)).toBe(false);
    expect(seen(deduplicator, 'a/b', other, 0)).toBe(true);
  }
});

test('random readings are judged as by a list of the last readings, exactly, for every capacity', () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.constantFrom('on', 'off'));
  const step = fc.tuple(fc.constantFrom('a/b', 'a/c', 'd/b'), value, fc.integer({ min: 0, max: 4 }));
  const steps = fc.array(step, { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), steps, fc.nat(), (capacity, readings, cut) => {
      let deduplicator = new Deduplicator(capacity);
      const restartAt = readings.length === 0 ? 0 : cut % readings.length;
      readings.forEach(([path, one, time], index) => {
        const from = index - deduplicator.remembered;
        if (index === restartAt) {
          deduplicator = new Deduplicator(capacity);
          for (const [p, v, t] of readings.slice(from, index)) seen(deduplicator, p, v, t);
          expect(index - deduplicator.remembered).toBe(from);
        }
        expect(deduplicator.remembered).toBeGreaterThanOrEqual(Math.min(index, capacity));
        expect(deduplicator.remembered).toBeLessThanOrEqual(2 * capacity);
        // The turn of the generations comes with the reading: then only the last `capacity` are left.
        const start = deduplicator.remembered === 2 * capacity ? index - capacity : from;
        const expected = readings.slice(start, index).some(([p, v, t]) => p === path && v === one && t === time);
        expect(seen(deduplicator, path, one, time)).toBe(expected);
      });
    }),
    { numRuns: 200 },
  );
});

test.each([0, -1, 1.5, 2 ** 22 + 1, Number.NaN])('the capacity %s is refused', (capacity) => {
  expect(() => new Deduplicator(capacity)).toThrow(`Cannot remember ${capacity} readings`);
});

test('it remembers 65 536 readings of 5 000 interleaved series', () => {
  const deduplicator = new Deduplicator(65_536);
  const readings = Array.from({ length: deduplicator.capacity }, (_, i) =>
    plant.reading(`device-${i % 5000}/x`, (i % 7) / 3, 1e12 + Math.floor(i / 5000)),
  );
  expect(readings.filter((reading) => deduplicator.isDuplicate(reading))).toEqual([]);
  expect(readings.filter((reading) => !deduplicator.isDuplicate(reading))).toEqual([]);
});

test('readings that differ in one part only are never taken for one another, though parts of their hashes are equal', () => {
  const all = (capacity: number, make: (i: number) => [path: string, value: number, time: number]) => {
    const deduplicator = new Deduplicator(capacity);
    return Array.from({ length: deduplicator.capacity }, (_, i) => make(i)).filter((one) => seen(deduplicator, ...one));
  };
  expect(all(2 ** 18, (i) => ['a/b', i / 8, 1000])).toEqual([]);
  expect(all(2 ** 18, (i) => ['a/b', 1, i / 8])).toEqual([]);
  expect(all(2 ** 16, (i) => [`device-${i}/b`, 1, 1000])).toEqual([]);
});
