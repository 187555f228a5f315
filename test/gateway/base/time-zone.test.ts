import fc from 'fast-check';
import { expect, test } from 'vitest';
import { zonedTime, zoneOffset } from '../../../gateway/base/time-zone.ts';

const HOUR_MS = 3_600_000;

test('clocks are ahead of UTC as they are there, in summer and in winter, and east and west', () => {
  const offset = (timeZone: string, time: string) => zoneOffset(timeZone)(Date.parse(time)) / HOUR_MS;
  expect(offset('UTC', '2026-07-01T12:00Z')).toBe(0);
  expect(offset('Europe/Berlin', '2026-07-01T12:00Z')).toBe(2);
  expect(offset('Europe/Berlin', '2026-12-01T12:00Z')).toBe(1);
  expect(offset('America/New_York', '2026-12-01T12:00Z')).toBe(-5);
  expect(offset('Asia/Kolkata', '2026-12-01T12:00Z')).toBe(5.5);
});

test('whatever is asked for before, the offset is that of the moment, to the millisecond at which clocks are changed', () => {
  const seed = Date.now() & 0x7fffffff;
  process.stdout.write(`time-zone seed ${seed}\n`);
  const changes = ['2026-03-29T01:00Z', '2026-10-25T01:00Z', '2025-10-26T01:00Z', '1980-04-06T00:00Z'].map(Date.parse);
  const time = fc.oneof(
    fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -2, max: 2 })).map(([change, by]) => change! + by),
    fc.integer({ min: 0, max: 2e12 }),
  );
  fc.assert(
    fc.property(fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kolkata'), fc.array(time), (zone, times) => {
      const [offset, show] = [zoneOffset(zone), zonedTime(zone)];
      for (const one of times) expect(offset(one)).toBe(show(one).offsetNanoseconds / 1e6);
    }),
    { seed, numRuns: 100 },
  );
});

test('a time zone that is not known is refused', () => {
  expect(() => zoneOffset('Mars/Olympus')).toThrow(RangeError);
});
