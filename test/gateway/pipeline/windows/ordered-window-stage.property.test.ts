import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Aggregate, type Result, resultId } from '../../../../gateway/core/result.ts';
import type { OrderedSettings } from '../../../../gateway/pipeline/windows/ordered-definition.ts';
import { OrderedWindowStage } from '../../../../gateway/pipeline/windows/ordered-window-stage.ts';
import type { StateCondition } from '../../../../gateway/pipeline/windows/state-windows.ts';
import { Plant, throughDisk } from '../make-reading.ts';
import { AGGREGATES, expectSameFields, FATES, readingsOf, step } from './random-readings.ts';
import {
  numbersAmong,
  type OrderedWitnessResult,
  type WitnessState,
  WitnessTurns,
  witnessCounts,
  witnessLate,
  witnessSliding,
  witnessStates,
  witnessTexts,
} from './reference-ordered-windows.ts';
import type { WitnessReading } from './reference-windows.ts';

const setting = fc.record({
  count: fc.integer({ min: 1, max: 12 }),
  every: fc.integer({ min: 1, max: 12 }),
  size: fc.constantFrom(1, 100, 1500),
  disorder: fc.constantFrom(0, 50, 500),
  learns: fc.boolean(),
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

const TEXT = { name: 'text', text: 'on' };

/** One series has texts among its numbers. */
function withTexts(reading: WitnessReading): WitnessReading {
  const text = reading.metric === 'metric-0' ? (['off', 'on'] as const)[reading.value - 1] : undefined;
  return text === undefined ? reading : { ...reading, text, value: 1 };
}

test('random readings, disorder, silence and restarts give what a witness computes that keeps everything and sorts it', {
  timeout: 600_000,
}, () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`ordered-window-stage.property: SEED=${seed}\n`);
  fc.assert(
    fc.property(
      setting,
      fc.array(step, { minLength: 1, maxLength: 220, size: 'max' }),
      ({ count, every: wanted, size, disorder, learns, idle }, steps) => {
        const plant = new Plant();
        const maxDisorder = learns ? 400 + disorder : disorder;
        const counted = { name: 'counted', count, every: Math.min(count, wanted) };
        const windows: readonly OrderedSettings[] = [
          { name: counted.name, series: '*', window: counted, aggregates: AGGREGATES },
          { name: 'early', series: '*', window: counted, aggregates: AGGREGATES, earlyMs: size },
          { name: 'early-state', series: '*', window: { while: { equals: 0 } }, aggregates: AGGREGATES, earlyMs: size },
          { name: 'sliding', series: '*', window: { slidingMs: size }, aggregates: AGGREGATES, late: 'store' },
          {
            name: TEXT.name,
            series: '*',
            window: { while: { equals: TEXT.text } },
            aggregates: ['count'],
            late: 'store',
          },
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
            time: { outOfOrdernessMs: disorder, maxOutOfOrdernessMs: maxDisorder, idleTimeoutMs: idle },
            findSeries: (key) => plant.registry.get(key),
          });
        let stage = make();
        const undisturbed = make();
        const [results, emit] = collecting();
        const [undisturbedResults, emitUndisturbed] = collecting();
        const series = new Map<string, WitnessTurns>();
        let now = Number.NEGATIVE_INFINITY;
        readingsOf(steps)
          .map(withTexts)
          .forEach((one, index) => {
            const { value, text, quality, sourceTime, receiveTime: at } = one;
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
            const turns = series.get(key) ?? new WitnessTurns({ disorder, maxDisorder, idle });
            series.set(key, turns);
            const reading = plant.reading(key, text ?? value, sourceTime, { at, quality });
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
          const arrived = numbersAmong(turns.arrived);
          const turned = numbersAmong(turns.turned);
          expectEqual(of('counted'), witnessCounts(counted, arrived));
          expectEqual(finalOf(numberedOn(of('early'))), witnessCounts(counted, arrived));
          expectEqual(finalOf(numberedOn(of('early-state'))), witnessStates(ZERO, turned));
          expectEqual(of('sliding'), witnessSliding({ name: 'sliding', size }, turned));
          expectEqual(of('sliding:late'), witnessLate({ name: 'sliding' }, turns));
          expectEqual(of(TEXT.name), witnessTexts(TEXT, turns.turned));
          expectEqual(of(`${TEXT.name}:late`), witnessLate(TEXT, turns));
          for (const state of STATES) {
            expectEqual(of(state.name), witnessStates(state, turned));
            expectEqual(of(`${state.name}:late`), witnessLate(state, turns));
          }
        }
      },
    ),
    { seed, numRuns: Number(process.env['RUNS'] ?? 1000) },
  );
});

interface Moment {
  /** Of a device with a clock; else the reading gets the time at which it came. */
  own: boolean;
  after: number;
  lag: number;
  value: number;
  /** By how much the clock is set before it; 0: it is not. */
  set: number;
  restart: boolean;
}

const moment: fc.Arbitrary<Moment> = fc.record({
  own: fc.boolean(),
  after: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.double({ min: 0, max: 3, noNaN: true })),
  lag: fc.integer({ min: -100, max: 20 }),
  value: fc.integer({ min: -1, max: 1 }),
  set: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: -300, max: 300 })),
  restart: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

test('wherever the clock is set, each result has an identity of its own, no reading is counted twice or left out, and restarts change nothing', {
  timeout: 600_000,
}, () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`ordered-window-stage.property, clock: SEED=${seed}\n`);
  fc.assert(
    fc.property(
      fc.constantFrom(0, 30),
      fc.array(moment, { minLength: 1, maxLength: 120, size: 'max' }),
      (disorder, moments) => {
        const plant = new Plant();
        const common = { series: '*', aggregates: ['count'], late: 'store' } as const;
        const windows: readonly OrderedSettings[] = [
          { ...common, name: 'three', window: { count: 3 }, late: 'count', earlyMs: 40 },
          { ...common, name: 'same', window: { while: { unchanged: true } }, earlyMs: 40 },
          { ...common, name: 'last', window: { slidingMs: 100 } },
        ];
        const time = { outOfOrdernessMs: disorder, idleTimeoutMs: 100 };
        const make = () => new OrderedWindowStage({ windows, time, findSeries: (key) => plant.registry.get(key) });
        let stage = make();
        const undisturbed = make();
        const [results, emit] = collecting();
        const [undisturbedResults, emitUndisturbed] = collecting();
        let now = 1_000_000;
        for (const { own, after, lag, value, set, restart } of moments) {
          if (restart) {
            const resumed = make();
            resumed.restore(throughDisk(stage.snapshot()));
            stage = resumed;
          }
          now += after;
          stage.advance(now, emit);
          undisturbed.advance(now, emitUndisturbed);
          if (set !== 0) {
            now += set;
            stage.step(now, set, emit);
            undisturbed.step(now, set, emitUndisturbed);
          }
          const made = plant.reading(own ? 'own/x' : 'd/x', value, own ? now + lag : now, { at: now });
          stage.process({ ...made, stamped: !own }, emit);
          undisturbed.process({ ...made, stamped: !own }, emitUndisturbed);
        }
        stage.advance(now + 1000, emit);
        undisturbed.advance(now + 1000, emitUndisturbed);
        expect(JSON.stringify(results)).toBe(JSON.stringify(undisturbedResults));
        expect(new Set(results.map(resultId)).size).toBe(results.length);
        for (const own of [true, false]) {
          const count = moments.filter((one) => one.own === own).length;
          const of = (window: string) =>
            results.filter((one) => one.series.key === (own ? 'own/x' : 'd/x') && one.window === window);
          expect(sumOf(of('three'))).toBe(count - (count % 3));
          // Every reading that was not late is in one run of equal values or in the one that goes on, of which the last early result tells.
          expect(sumOf(of('same')) + goingOn(of('same')) + of('same:late').length).toBe(count);
          expect(of('last').length + of('last:late').length).toBe(count);
        }
      },
    ),
    { seed, numRuns: Number(process.env['RUNS'] ?? 1000) },
  );
});

/** How many readings windows held at their end. */
function sumOf(results: readonly Aggregate[]): number {
  return finalOf(results).reduce((sum, { fields }) => sum + fields['count']!, 0);
}

/** How many the last window holds, where it has not ended. */
function goingOn(results: readonly Aggregate[]): number {
  const last = results.at(-1)?.fields;
  return last?.['partial'] === 1 ? last['count']! : 0;
}

function collecting(): [Aggregate[], (result: Result) => void] {
  const results: Aggregate[] = [];
  return [
    results,
    (result) => {
      if (result.kind === 'aggregate') results.push(result);
    },
  ];
}

/** Results, when those of each start are numbered one by one. */
function numberedOn(results: readonly Aggregate[]): readonly Aggregate[] {
  const given = new Map<number, number>();
  for (const { start, revision } of results) {
    expect(revision).toBe(given.get(start) ?? 0);
    given.set(start, revision + 1);
  }
  return results;
}

/** What windows give at their end, as if they had given nothing before. */
function finalOf(results: readonly Aggregate[]): Aggregate[] {
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
