import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Aggregate, Result } from '../../../../gateway/core/result.ts';
import { WindowStage } from '../../../../gateway/pipeline/windows/window-stage.ts';
import { Plant, throughDisk } from '../make-reading.ts';
import { AGGREGATES, expectSameFields, FATES, readingsOf, step } from './random-readings.ts';
import { Witness, type WitnessResult } from './reference-windows.ts';

const setting = fc.record({
  size: fc.constantFrom(100, 1000, 1500),
  lateness: fc.constantFrom(0, 400, 3000),
  disorder: fc.constantFrom(0, 50, 500),
  learnt: fc.constantFrom(0, 0, 250, 4000),
  idle: fc.constantFrom(300, 2000),
  delay: fc.constantFrom(1, 250, 1000),
});

test('random readings, disorder, lateness, idleness and restarts give what a witness that keeps everything computes', {
  timeout: 600_000,
}, () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`window-stage.property: SEED=${seed}\n`);
  fc.assert(
    fc.property(
      setting,
      fc.array(step, { minLength: 1, maxLength: 220, size: 'max' }),
      ({ size, lateness, disorder, learnt, idle, delay }, drawn) => {
        const maxDisorder = disorder + learnt;
        // What was learnt is forgotten after an hour or two: now and then so much passes.
        const steps = drawn.map((one) => (learnt > 0 && one.after > 4500 ? { ...one, after: 2_000_000 } : one));
        const plant = new Plant();
        const definitions = [
          { name: 'a', size, every: size, lateness, stores: true },
          { name: 'b', size: size * 3, every: size * 3, lateness: lateness / 2 },
          { name: 'c', size: size * 4, every: size * 2, lateness, early: size, stores: true },
          { name: 'd', size: 0, every: 0, gap: size / 2, lateness, early: size * 3, stores: true },
        ];
        const rollups = [
          { name: 'e', from: 'a', size: size * 5, every: size * 5, lateness, stores: true },
          { name: 'f', from: 'e', size: size * 10, every: size * 10, lateness, early: size * 2, stores: true },
        ];
        const witness = new Witness([...definitions, ...rollups], { disorder, maxDisorder, idle, delay });
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
              late: one.stores === true ? 'store' : 'count',
            })),
            rollups: rollups.map(({ name, from, size: tumblingMs, early: earlyMs }) => ({
              name,
              from,
              window: { tumblingMs },
              earlyMs,
            })),
            time: {
              outOfOrdernessMs: disorder,
              maxOutOfOrdernessMs: maxDisorder,
              idleTimeoutMs: idle,
              correctionDelayMs: delay,
            },
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
          expect(stage.outOfOrdernessOf(reading.series)).toBe(witness.disorder(one.device));
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
    expectSameFields(found.get(place(one.key, one.window, one.start, one.revision))!, one);
  }
}
