import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Reading } from '../../../../gateway/core/reading.ts';
import { Fate } from '../../../../gateway/core/stage.ts';
import { Tables } from '../../../../gateway/pipeline/enrich/tables.ts';
import { Join } from '../../../../gateway/pipeline/join/join.ts';
import type { JoinKind } from '../../../../gateway/pipeline/join/join-definition.ts';
import { Plant, throughDisk } from '../make-reading.ts';
import { type WitnessReading, type WitnessRules, witnessJoin } from './reference-joins.ts';

interface Step {
  readonly device: number;
  readonly metric: number;
  /** How long after the reading before it was received. */
  readonly after: number;
  /** Source time less receive time. */
  readonly lag: number;
  readonly value: number;
  readonly quality: 0 | 1 | 2;
  /** Calls to `advance` before it, as shares of the time since the last reading. */
  readonly calls: readonly number[];
  readonly restart: boolean;
}

const METRICS = ['left-1', 'left-2', 'right'];
const whole = (min: number, max: number) => fc.integer({ min, max });

const step: fc.Arbitrary<Step> = fc.record({
  device: whole(0, 1),
  metric: whole(0, 2),
  after: fc.oneof({ weight: 8, arbitrary: whole(0, 150) }, whole(0, 1500), whole(0, 6000)),
  lag: fc.oneof({ weight: 6, arbitrary: whole(-300, 0) }, whole(-3000, 500)),
  value: whole(-9, 9),
  quality: fc.constantFrom(0, 0, 0, 0, 1, 2),
  calls: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 2 }),
  restart: whole(0, 9).map((n) => n === 0),
});

const setting = fc.record({
  sizeMs: fc.constantFrom(0, 1, 100, 250, 1000, 4000),
  waitMs: fc.constantFrom(1, 400, 1500, 5000),
  outOfOrdernessMs: fc.constantFrom(0, 0, 100, 400),
});

const KINDS: readonly { name: string; kindOf: (sizeMs: number) => JoinKind }[] = [
  { name: 'an interval', kindOf: (withinMs) => ({ withinMs }) },
  { name: 'as-of', kindOf: (asOfMs) => ({ asOfMs }) },
  { name: 'a window pairs', kindOf: (sizeMs) => ({ tumblingMs: Math.max(100, sizeMs), aggregate: 'pairs' }) },
  { name: 'a window', kindOf: (sizeMs) => ({ tumblingMs: Math.max(100, sizeMs), aggregate: 'mean' }) },
];

function readingsOf(steps: readonly Step[]): WitnessReading[] {
  let receiveTime = 1_000_000;
  return steps.map(({ device, metric, after, lag, value, quality }) => {
    receiveTime += after;
    // Of no two series the same, so that it does not matter which comes first.
    const sourceTime = receiveTime + lag + metric / 4;
    return {
      device: `d${device}`,
      metric: METRICS[metric]!,
      isLeft: metric < 2,
      value,
      quality,
      sourceTime,
      receiveTime,
    };
  });
}

/** Everything that the join derives, and how many of the readings were late. */
function run(steps: readonly Step[], make: (plant: Plant) => Join, disturbed: boolean) {
  const plant = new Plant();
  const derived: Reading[] = [];
  const outlet = {
    derive: (reading: Reading) => {
      derived.push(reading);
    },
    fail: (reason: string) => {
      throw new Error(reason);
    },
  };
  let join = make(plant);
  let late = 0;
  let now = 0;
  const advance = (time: number) => {
    for (let due = join.nextDue; due <= time; due = join.nextDue) join.advance(due, outlet);
    join.advance(time, outlet);
    now = time;
  };
  readingsOf(steps).forEach(({ device, metric, value, sourceTime, quality, receiveTime }, index) => {
    const { restart, calls } = steps[index]!;
    if (disturbed && restart) {
      const resumed = make(plant);
      resumed.restore(throughDisk(join.snapshot()));
      join = resumed;
    }
    const before = now;
    if (disturbed && before > 0) for (const share of calls.toSorted()) advance(before + share * (receiveTime - before));
    advance(receiveTime);
    const fate = join.process(
      plant.reading(`${device}/${metric}`, value, sourceTime, { at: receiveTime, quality }),
      outlet,
    );
    if (fate === Fate.late) late++;
  });
  advance(1e12);
  return { derived, late, held: join.bounds(0)[0]?.used };
}

test.each(KINDS)(
  'of random readings, disorder, silence and restarts $name join gives what a witness finds that keeps all and sorts it',
  {
    timeout: 600_000,
  },
  ({ name, kindOf }) => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    process.stderr.write(`join.property (${name}): SEED=${seed}\n`);
    fc.assert(
      fc.property(
        setting,
        fc.array(step, { minLength: 1, maxLength: 150, size: 'max' }),
        ({ sizeMs, ...times }, steps) => {
          const kind = kindOf(sizeMs);
          const settings = {
            name: 'j',
            left: '*/left-*',
            right: '*/right',
            on: ['device'],
            kind,
            ...times,
            metric: 'joined',
            value: 'left * 1000 + right + (device == "d0" ? 0 : 0.5)',
          };
          // Of two series of the left one device has, the derived ones are told apart by a tag of the metric.
          const make = (plant: Plant) =>
            new Join(settings, {
              find: (key) => plant.registry.get(key),
              derive: (identity, unit) => plant.registry.derive(identity, unit),
              tables: new Tables([]),
            });
          const { derived, late, held } = run(steps, make, true);
          const undisturbed = run(steps, make, false);
          expect(derived.map(told)).toEqual(undisturbed.derived.map(told));
          let lateExpected = 0;
          for (const device of ['d0', 'd1']) {
            const rules: WitnessRules = {
              kind,
              ...times,
              value: (left, right) => left * 1000 + right + (device === 'd0' ? 0 : 0.5),
            };
            const expected = witnessJoin(
              rules,
              readingsOf(steps).filter((one) => one.device === device),
            );
            lateExpected += expected.late;
            const found = derived.filter(({ series }) => series.device === device);
            expect(found.map(({ sourceTime, value, quality }) => ({ time: sourceTime, value, quality }))).toEqual(
              expected.pairs.map(({ time, value, quality }) => ({ time, value, quality })),
            );
          }
          expect(late).toBe(lateExpected);
          // What an interval may still meet stays.
          if (!('withinMs' in kind)) expect(held).toBe(0);
        },
      ),
      { seed, numRuns: Number(process.env['RUNS'] ?? 400) },
    );
  },
);

function told({ series, value, sourceTime, receiveTime, quality }: Reading): unknown {
  return [series.key, value, sourceTime, receiveTime, quality];
}
