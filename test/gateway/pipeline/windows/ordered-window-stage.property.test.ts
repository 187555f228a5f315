import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Aggregate, Result } from '../../../../gateway/core/result.ts';
import type { OrderedSettings } from '../../../../gateway/pipeline/windows/ordered-definition.ts';
import { OrderedWindowStage } from '../../../../gateway/pipeline/windows/ordered-window-stage.ts';
import type { StateCondition } from '../../../../gateway/pipeline/windows/state-windows.ts';
import { Plant, throughDisk } from '../make-reading.ts';
import { AGGREGATES, expectSameFields, FATES, readingsOf, step } from './random-readings.ts';
import {
  type OrderedWitnessResult,
  type WitnessState,
  WitnessTurns,
  witnessCounts,
  witnessLate,
  witnessSliding,
  witnessStates,
} from './reference-ordered-windows.ts';

const setting = fc.record({
  count: fc.integer({ min: 1, max: 12 }),
  every: fc.integer({ min: 1, max: 12 }),
  size: fc.constantFrom(1, 100, 1500),
  disorder: fc.constantFrom(0, 50, 500),
  idle: fc.constantFrom(300, 2000),
});

const ZERO: WitnessState = { name: 'zero', begins: (value) => value === 0, goesOn: (value) => value === 0 };

/** Values are mostly whole and from -3 to 3. */
const STATES: readonly (WitnessState & { readonly condition: StateCondition })[] = [
  { name: 'above', condition: { above: 0 }, begins: (value) => value > 0, goesOn: (value) => value > 0 },
  {
    name: 'hysteresis',
    condition: { above: 1, until: -1 },
    begins: (value) => value > 1,
    goesOn: (value) => value >= -1,
  },
  { name: 'below', condition: { below: -1, until: 1 }, begins: (value) => value < -1, goesOn: (value) => value <= 1 },
  { ...ZERO, condition: { equals: 0 } },
  {
    name: 'same',
    condition: { unchanged: true },
    begins: () => true,
    goesOn: (value, first) => value === first,
  },
];

test('random readings, disorder, silence and restarts give what a witness computes that keeps everything and sorts it', {
  timeout: 600_000,
}, () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`ordered-window-stage.property: SEED=${seed}\n`);
  fc.assert(
    fc.property(
      setting,
      fc.array(step, { minLength: 1, maxLength: 220, size: 'max' }),
      ({ count, every: wanted, size, disorder, idle }, steps) => {
        const plant = new Plant();
        const counted = { name: 'counted', count, every: Math.min(count, wanted) };
        const windows: readonly OrderedSettings[] = [
          { name: counted.name, series: '*', window: counted, aggregates: AGGREGATES },
          { name: 'early', series: '*', window: counted, aggregates: AGGREGATES, earlyMs: size },
          { name: 'early-state', series: '*', window: { while: { equals: 0 } }, aggregates: AGGREGATES, earlyMs: size },
          { name: 'sliding', series: '*', window: { slidingMs: size }, aggregates: AGGREGATES, late: 'store' },
          ...STATES.map(
            ({ name, condition }): OrderedSettings => ({
              name,
              series: '*',
              window: { while: condition },
              aggregates: AGGREGATES,
              late: 'store',
            }),
          ),
        ];
        const make = () =>
          new OrderedWindowStage({
            windows,
            time: { outOfOrdernessMs: disorder, idleTimeoutMs: idle },
            findSeries: (key) => plant.registry.get(key),
          });
        let stage = make();
        const undisturbed = make();
        const [results, emit] = collecting();
        const [undisturbedResults, emitUndisturbed] = collecting();
        const series = new Map<string, WitnessTurns>();
        let now = Number.NEGATIVE_INFINITY;
        readingsOf(steps).forEach((one, index) => {
          const { value, quality, sourceTime, receiveTime: at } = one;
          const { calls, restart } = steps[index]!;
          if (at > now && Number.isFinite(now)) {
            for (const share of calls.toSorted((a, b) => a - b)) stage.advance(now + (at - now) * share, emit);
          }
          if (restart) {
            const resumed = make();
            resumed.restore(throughDisk(stage.snapshot()));
            stage = resumed;
          }
          now = Math.max(now, at);
          for (const turns of series.values()) turns.until(now);
          const key = `${one.device}/${one.metric}`;
          const turns = series.get(key) ?? new WitnessTurns({ disorder, idle });
          series.set(key, turns);
          const reading = plant.reading(key, value, sourceTime, { at, quality });
          undisturbed.process(reading, emitUndisturbed);
          const fate = stage.process(reading, emit);
          expect(FATES[fate]).toBe(turns.reading(one, now) ? 'late' : 'aggregated');
        });
        stage.advance(now + 100_000, emit);
        undisturbed.advance(now + 100_000, emitUndisturbed);
        expect(JSON.stringify(results)).toBe(JSON.stringify(undisturbedResults));
        for (const [key, turns] of series) {
          turns.until(now + 100_000);
          const of = (window: string) => results.filter((one) => one.series.key === key && one.window === window);
          expectEqual(of('counted'), witnessCounts(counted, turns.arrived));
          expectEqual(finalOf(of('early')), witnessCounts(counted, turns.arrived));
          expectEqual(finalOf(of('early-state')), witnessStates(ZERO, turns.turned));
          expectEqual(of('sliding'), witnessSliding({ name: 'sliding', size }, turns.turned));
          expectEqual(of('sliding:late'), witnessLate({ name: 'sliding' }, turns));
          for (const state of STATES) {
            expectEqual(of(state.name), witnessStates(state, turns.turned));
            expectEqual(of(`${state.name}:late`), witnessLate(state, turns));
          }
        }
      },
    ),
    { seed, numRuns: Number(process.env['RUNS'] ?? 1000) },
  );
});

function collecting(): [Aggregate[], (result: Result) => void] {
  const results: Aggregate[] = [];
  return [
    results,
    (result) => {
      if (result.kind === 'aggregate') results.push(result);
    },
  ];
}

/** What windows give at their end, as if they had given nothing before. */
function finalOf(results: readonly Aggregate[]): Aggregate[] {
  const given = new Map<number, number>();
  for (const { start, revision } of results) {
    expect(revision).toBe(given.get(start) ?? 0);
    given.set(start, revision + 1);
  }
  return results.flatMap((one) => {
    const { partial, ...fields } = one.fields;
    return partial === 0 ? [{ ...one, revision: 0, fields }] : [];
  });
}

/** Results of one series and name come in order. */
function expectEqual(results: readonly Aggregate[], expected: readonly OrderedWitnessResult[]): void {
  expect(results.map(({ start, end, revision }) => [start, end, revision])).toEqual(
    expected.map(({ start, end, revision }) => [start, end, revision]),
  );
  results.forEach((one, i) => {
    expectSameFields(one, expected[i]!);
  });
}
