import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Aggregate, Result } from '../../../../gateway/core/result.ts';
import { OrderedWindowStage } from '../../../../gateway/pipeline/windows/ordered-window-stage.ts';
import { Plant, throughDisk } from '../make-reading.ts';
import { AGGREGATES, expectSameFields, readingsOf, step } from './random-readings.ts';
import { type OrderedWitnessResult, witnessCounts } from './reference-ordered-windows.ts';

const setting = fc.record({
  count: fc.integer({ min: 1, max: 12 }),
  every: fc.integer({ min: 1, max: 12 }),
});

test('random readings, disorder and restarts give the windows that a witness computes that goes through all readings', {
  timeout: 600_000,
}, () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`ordered-window-stage.property: SEED=${seed}\n`);
  fc.assert(
    fc.property(
      setting,
      fc.array(step, { minLength: 1, maxLength: 220, size: 'max' }),
      ({ count, every: wanted }, steps) => {
        const plant = new Plant();
        const every = Math.min(count, wanted);
        const make = () =>
          new OrderedWindowStage({
            windows: [{ name: 'counted', series: '*', window: { count, every }, aggregates: AGGREGATES }],
            findSeries: (key) => plant.registry.get(key),
          });
        let stage = make();
        const results: Aggregate[] = [];
        const emit = (result: Result) => {
          if (result.kind === 'aggregate') results.push(result);
        };
        const readings = readingsOf(steps);
        readings.forEach((one, index) => {
          if (steps[index]!.restart) {
            const resumed = make();
            resumed.restore(throughDisk(stage.snapshot()));
            stage = resumed;
          }
          const { value, quality, sourceTime, receiveTime: at } = one;
          stage.process(plant.reading(`${one.device}/${one.metric}`, value, sourceTime, { at, quality }), emit);
        });
        const series = Map.groupBy(readings, ({ device, metric }) => `${device}/${metric}`);
        for (const [key, ofSeries] of series) {
          expectEqual(
            results.filter((one) => one.series.key === key),
            witnessCounts({ name: 'counted', count, every }, ofSeries),
          );
        }
      },
    ),
    { seed, numRuns: Number(process.env['RUNS'] ?? 1000) },
  );
});

/** Results of one series and name come in order. */
function expectEqual(results: readonly Aggregate[], expected: readonly OrderedWitnessResult[]): void {
  expect(results.map(({ window, start, end }) => [window, start, end])).toEqual(
    expected.map(({ window, start, end }) => [window, start, end]),
  );
  results.forEach((one, i) => {
    expectSameFields(one, expected[i]!);
  });
}
