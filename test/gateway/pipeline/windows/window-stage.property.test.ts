import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Aggregate, Result } from '../../../../gateway/core/result.ts';
import { WindowStage } from '../../../../gateway/pipeline/windows/window-stage.ts';
import { Plant, throughDisk } from '../make-reading.ts';
import { Witness, type WitnessReading, type WitnessResult } from './reference-windows.ts';

/** By the number of the fate. */
const FATES = ['aggregated', 'late', 'duplicate', 'filtered'];
const AGGREGATES = 'count sum mean min max range first last variance stddev median p90'.split(' ');

interface Step {
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

const whole = (min: number, max: number) => fc.integer({ min, max });

const step: fc.Arbitrary<Step> = fc.record({
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

const setting = fc.record({
  size: fc.constantFrom(100, 1000, 1500),
  lateness: fc.constantFrom(0, 400, 3000),
  disorder: fc.constantFrom(0, 50, 500),
  idle: fc.constantFrom(300, 2000),
  delay: fc.constantFrom(1, 250, 1000),
});

function readingsOf(steps: readonly Step[]): WitnessReading[] {
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

test('random readings, disorder, lateness, idleness and restarts give what a witness that keeps everything computes', {
  timeout: 600_000,
}, () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`window-stage.property: SEED=${seed}\n`);
  fc.assert(
    fc.property(
      setting,
      fc.array(step, { minLength: 1, maxLength: 220, size: 'max' }),
      ({ size, lateness, disorder, idle, delay }, steps) => {
        const plant = new Plant();
        const definitions = [
          { name: 'a', size, every: size, lateness },
          { name: 'b', size: size * 3, every: size * 3, lateness: lateness / 2 },
          { name: 'c', size: size * 4, every: size * 2, lateness, early: size },
          { name: 'd', size: 0, every: 0, gap: size / 2, lateness, early: size * 3 },
        ];
        const witness = new Witness(definitions, { disorder, idle, delay });
        const make = () =>
          new WindowStage({
            windows: definitions.map((one) => ({
              name: one.name,
              series: '*',
              window: {
                ...(one.gap === undefined ? { hoppingMs: one.size, everyMs: one.every } : { sessionGapMs: one.gap }),
                allowedLatenessMs: one.lateness,
              },
              aggregates: AGGREGATES,
              earlyMs: one.early,
            })),
            time: { outOfOrdernessMs: disorder, idleTimeoutMs: idle, correctionDelayMs: delay },
            findSeries: (key) => plant.registry.get(key),
          });
        let stage = make();
        const results: Aggregate[] = [];
        const emit = (result: Result) => {
          if (result.kind === 'aggregate') results.push(result);
        };
        const fates: (string | undefined)[] = [];
        let before = Number.NEGATIVE_INFINITY;
        readingsOf(steps).forEach((one, index) => {
          const { calls, restart } = steps[index]!;
          const gap = one.receiveTime - before;
          if (gap > 0 && Number.isFinite(gap)) {
            for (const share of calls.toSorted((a, b) => a - b)) stage.advance(before + gap * share, emit);
          }
          if (restart) {
            const resumed = make();
            resumed.restore(throughDisk(stage.snapshot()));
            stage = resumed;
          }
          before = Math.max(before, one.receiveTime);
          const reading = plant.reading(`${one.device}/${one.metric}`, one.value, one.sourceTime, {
            at: one.receiveTime,
            quality: one.quality,
          });
          fates.push(FATES[stage.process(reading, emit)]);
          witness.reading(one);
          expect(stage.watermarkOf(reading.series)).toBe(witness.watermark(one.device));
        });
        witness.until(before + 100_000);
        stage.advance(before + 100_000, emit);
        expect(fates).toEqual(witness.fates);
        expectEqual(results, witness.results);
      },
    ),
    { seed, numRuns: Number(process.env['RUNS'] ?? 1000) },
  );
});

/** Results of one series and window come in order; between them the order is free. */
function expectEqual(results: readonly Aggregate[], expected: readonly WitnessResult[]): void {
  const place = (key: string, window: string, start: number, revision: number) =>
    `${key} ${window} ${start} ${revision}`;
  const found = new Map(results.map((one) => [place(one.series.key, one.window, one.start, one.revision), one]));
  expect(found.size).toBe(results.length);
  expect([...found.keys()].sort()).toEqual(
    expected.map((one) => place(one.key, one.window, one.start, one.revision)).sort(),
  );
  for (const one of expected) {
    const { fields, good } = found.get(place(one.key, one.window, one.start, one.revision))!;
    expect(good).toBe(one.good);
    expect(Object.keys(fields).sort()).toEqual(Object.keys(one.fields).sort());
    for (const [name, value] of Object.entries(one.fields)) {
      const rounded = ['sum', 'mean', 'variance', 'stddev', 'median', 'p90'].includes(name);
      if (!rounded) expect(fields[name], name).toBe(value);
      else if (Math.abs(fields[name]! - value) > 1e-9 * Math.max(1, Math.abs(value)))
        expect(fields[name], name).toBe(value);
    }
  }
}
