/** Streams of readings drawn at random, and how what came of them is compared. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Aggregate } from '../../../../gateway/core/result.ts';
import type { WitnessReading, WitnessResult } from './reference-windows.ts';

/** Names of the fates, by their number. */
export const FATES = ['aggregated', 'late', 'duplicate', 'filtered'];

/** What the witness knows. */
export const AGGREGATES = 'count sum mean min max range first last variance stddev median p90'.split(' ');

export interface Step {
  device: number;
  metric: number;
  /** How long after the reading before it was received. */
  after: number;
  /** Source time less receive time. */
  lag: number;
  value: number;
  quality: 0 | 1 | 2;
  /** Calls to `advance` before it, as shares of the time since the last reading. */
  calls: number[];
  restart: boolean;
}

export const whole = (min: number, max: number) => fc.integer({ min, max });

export const step: fc.Arbitrary<Step> = fc.record({
  device: whole(0, 2),
  metric: whole(0, 2),
  after: fc.oneof(
    { weight: 6, arbitrary: whole(0, 120) },
    whole(0, 1500),
    whole(-200, 5000),
    fc.double({ min: 0, max: 100, noNaN: true }),
  ),
  lag: fc.oneof({ weight: 5, arbitrary: whole(-300, 0) }, whole(-5000, 300)),
  value: fc.oneof(
    whole(-3, 3),
    fc.double({ min: -1000, max: 1000, noNaN: true }).map((value) => value + 0),
  ),
  quality: fc.constantFrom(0, 0, 0, 1, 2),
  calls: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
  restart: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

export function readingsOf(steps: readonly Step[]): WitnessReading[] {
  let time = 1_000_000;
  return steps.map(({ device, metric, after, lag, value, quality }) => {
    time += after;
    return {
      device: `device-${device}`,
      metric: `metric-${metric}`,
      value,
      quality,
      sourceTime: time + lag,
      receiveTime: time,
    };
  });
}

/** The same fields, to the last digit where nothing is rounded. */
export function expectSameFields({ fields, good }: Aggregate, expected: Pick<WitnessResult, 'fields' | 'good'>): void {
  // What is equal is not shown to `expect`, which takes longer than all the rest.
  const names = Object.keys(fields).sort();
  const expectedNames = Object.keys(expected.fields).sort();
  if (names.join() !== expectedNames.join()) expect(names).toEqual(expectedNames);
  if (good !== expected.good) expect(good).toBe(expected.good);
  for (const [name, value] of Object.entries(expected.fields)) {
    const given = fields[name]!;
    if (Object.is(given, value)) continue;
    const isRounded = ['sum', 'mean', 'variance', 'stddev', 'median', 'p90'].includes(name);
    if (isRounded && Math.abs(given - value) <= 1e-9 * Math.max(1, Math.abs(value))) continue;
    expect(given, name).toBe(value);
  }
}
