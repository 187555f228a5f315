import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Quality } from '../../../../gateway/core/quality.ts';
import type { Aggregate, Result } from '../../../../gateway/core/result.ts';
import { Computation } from '../../../../gateway/pipeline/windows/computation.ts';
import { MAX_QUEUED, ReadingTally } from '../../../../gateway/pipeline/windows/reading-queue.ts';
import { checkedSliding, SlidingWindows } from '../../../../gateway/pipeline/windows/sliding-windows.ts';
import { Plant, throughDisk } from '../make-reading.ts';
import { AGGREGATES, expectSameFields } from './random-readings.ts';
import { witnessSliding } from './reference-ordered-windows.ts';
import type { WitnessReading } from './reference-windows.ts';

const series = new Plant().series('d/a');

function makeWindows(slidingMs: number, aggregates: readonly string[], tally = new ReadingTally(1_000_000)) {
  const computation = new Computation({ name: 'last', series: '*', aggregates });
  const make = () => new SlidingWindows(computation, series, { slidingMs }, tally);
  const results: Aggregate[] = [];
  const emit = (result: Result) => {
    if (result.kind === 'aggregate') results.push(result);
  };
  return { make, results, emit };
}

test('windows of many readings are what a witness computes from all of them, also where they are resumed at any place', {
  timeout: 600_000,
}, () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`sliding-windows: SEED=${seed}\n`);
  // Order statistics of more than 64 readings are within one percent only.
  const aggregates = [...AGGREGATES.filter((name) => !/^(median|p90)$/.test(name)), 'delta', 'changes'];
  const step = fc.record({
    after: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 0, max: 20 }) }, fc.integer({ min: 0, max: 3000 })),
    value: fc.integer({ min: -3, max: 1000 }),
    quality: fc.constantFrom<0 | 1 | 2>(0, 0, 0, 0, 1, 2),
    restart: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.constantFrom(300, 1000, 3000), fc.array(step, { maxLength: 500, size: 'max' }), (size, steps) => {
      const { make, results, emit } = makeWindows(size, aggregates);
      let windows = make();
      let time = 1_000_000;
      const readings = steps.map(({ after, value, quality, restart }): WitnessReading => {
        time += after;
        if (restart) {
          const resumed = make();
          resumed.restore(throughDisk(windows.snapshot()));
          windows = resumed;
        }
        windows.take(value, quality, time, emit);
        return { device: 'd', metric: 'a', value, quality, sourceTime: time, receiveTime: time };
      });
      const expected = witnessSliding({ name: 'last', size }, readings);
      expect(results.map(({ start, end, revision }) => [start, end, revision])).toEqual(
        expected.map(({ start, end, revision }) => [start, end, revision]),
      );
      results.forEach((one, i) => {
        const { median: _, p90: __, ...fields } = expected[i]!.fields;
        const { delta, changes, ...others } = one.fields;
        expectSameFields({ ...one, fields: others }, { ...expected[i]!, fields });
        const values = inWindow(readings, expected[i]!);
        expect(delta).toBe(values.at(-1)! - values[0]!);
        expect(changes).toBe(values.filter((value, at) => at > 0 && value !== values[at - 1]).length);
      });
    }),
    { seed, numRuns: Number(process.env['RUNS'] ?? 100) },
  );
});

/** The trusted values of a window, in order, up to as many as its count says. */
function inWindow(
  readings: readonly WitnessReading[],
  { start, fields }: ReturnType<typeof witnessSliding>[number],
): number[] {
  const trusted = readings.filter(({ quality, sourceTime }) => quality !== 2 && sourceTime >= start);
  return trusted.slice(0, fields['count']).map(({ value }) => value);
}

test('a window goes on to the same digit after a restart, wherever its blocks lie', () => {
  const { make, results, emit } = makeWindows(100, ['sum', 'stddev', 'p95', 'time_mean']);
  const whole = make();
  let resumed = make();
  for (let time = 0; time < 500; time++) {
    const before = resumed;
    resumed = make();
    resumed.restore(throughDisk(before.snapshot()));
    for (const one of [whole, resumed]) one.take(Math.sin(time) * 10 ** (time % 9), Quality.good, time, emit);
    expect(results.pop()).toEqual(results.pop());
  }
});

test('of more readings than there is room for, a window is that of the latest, and says so until it is whole again', () => {
  const tally = new ReadingTally(1_000_000);
  const { make, results, emit } = makeWindows(1000, ['count', 'min'], tally);
  const windows = make();
  for (let i = 0; i <= MAX_QUEUED; i++) windows.take(i, Quality.good, i / 10, emit);
  expect(results.at(-2)!.fields).toEqual({ count: MAX_QUEUED, min: 0 });
  expect(results.at(-1)!.fields).toEqual({ count: MAX_QUEUED, min: 1, cut: 1 });
  const resumed = make();
  resumed.restore(throughDisk(windows.snapshot()));
  resumed.take(-1, Quality.good, 999, emit);
  expect(results.at(-1)!.fields).toEqual({ count: MAX_QUEUED, min: -1, cut: 1 });
  resumed.take(5, Quality.good, 1000.9, emit);
  expect(results.at(-1)!.fields['cut']).toBeUndefined();
  const before = tally.count;
  windows.beginAnew(emit);
  expect(tally.count).toBe(before - MAX_QUEUED);
});

test('where the readings of all windows are too many, the one that takes another gives up its oldest', () => {
  const { make, results, emit } = makeWindows(1000, ['count'], new ReadingTally(2));
  const [one, other] = [make(), make()];
  one.take(1, Quality.good, 0, emit);
  one.take(1, Quality.good, 1, emit);
  other.take(1, Quality.good, 1, emit);
  other.take(1, Quality.good, 2, emit);
  expect(results.map(({ fields }) => fields)).toEqual([{ count: 1 }, { count: 2 }, { count: 1 }, { count: 1, cut: 1 }]);
});

test.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('a size of %s ms is refused', (slidingMs) => {
  expect(() => checkedSliding({ slidingMs })).toThrow(`Cannot make sliding windows of ${slidingMs} ms`);
});
