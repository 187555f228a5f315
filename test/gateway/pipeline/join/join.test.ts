import { describe, expect, test } from 'vitest';
import type { Reading } from '../../../../gateway/core/reading.ts';
import { Fate, type Outlet } from '../../../../gateway/core/stage.ts';
import { Tables } from '../../../../gateway/pipeline/enrich/tables.ts';
import { Join } from '../../../../gateway/pipeline/join/join.ts';
import type { JoinSettings } from '../../../../gateway/pipeline/join/join-definition.ts';
import { Plant, throughDisk } from '../make-reading.ts';

const SETTINGS: JoinSettings = {
  name: 'sum',
  left: '*/a',
  right: '*/b',
  on: ['device'],
  kind: { withinMs: 1000 },
  waitMs: 5000,
  outOfOrdernessMs: 0,
  metric: 'c',
  value: 'left * 100 + right',
};

/** A join, what it derives and what it tells. */
class Bench {
  readonly plant = new Plant();
  readonly derived: Reading[] = [];
  readonly failures: string[] = [];
  readonly outlet: Outlet = {
    derive: (reading) => {
      this.derived.push(reading);
    },
    fail: (reason) => {
      this.failures.push(reason);
    },
  };
  join: Join;

  constructor(settings: Partial<JoinSettings> = {}, maxHeld?: number) {
    this.join = this.make(settings, maxHeld);
  }

  make(settings: Partial<JoinSettings> = {}, maxHeld?: number): Join {
    const { registry } = this.plant;
    return new Join(
      { ...SETTINGS, ...settings },
      {
        find: (key) => registry.get(key),
        derive: (identity, unit) => registry.derive(identity, unit),
        tables: new Tables([]),
      },
      maxHeld,
    );
  }

  send(path: string, value: number, time: number, at = time): Fate {
    this.join.advance(at, this.outlet);
    return this.join.process(this.plant.reading(path, value, time, { at }), this.outlet);
  }

  get values(): unknown {
    return this.derived.map(({ series, value, sourceTime }) => [series.key, value, sourceTime]);
  }
}

describe('what a join holds', () => {
  test('is bounded: of too much the oldest is matched with what there is, and what comes later for it is late', () => {
    const bench = new Bench({ kind: { asOfMs: 10_000 } }, 3);
    bench.send('m/b', 1, 0);
    for (let i = 1; i <= 5; i++) bench.send('m/a', i, i * 100);
    expect(bench.values).toEqual([
      ['m/c', 101, 100],
      ['m/c', 201, 200],
    ]);
    expect(bench.join.bounds(10)).toEqual([{ name: 'join:sum: readings held', used: 3, max: 23, unit: 'readings' }]);
    expect(bench.send('m/b', 2, 150, 500)).toBe(Fate.late);
    expect(bench.send('m/b', 3, 250, 500)).toBe(Fate.aggregated);
    bench.send('m/b', 4, 600, 600);
    bench.join.advance(100_000, bench.outlet);
    expect(bench.values).toEqual([
      ['m/c', 101, 100],
      ['m/c', 201, 200],
      ['m/c', 303, 300],
      ['m/c', 403, 400],
      ['m/c', 503, 500],
    ]);
    expect(bench.failures).toEqual([]);
    expect(bench.join.bounds(10)[0]?.used).toBe(0);
  });

  test('beyond the bound misses pairs, and says so', () => {
    const bench = new Bench({}, 4);
    for (let i = 0; i < 4; i++) {
      bench.send('m/a', i, i);
      bench.send('m/b', 0, i);
    }
    expect(bench.failures).toHaveLength(4);
    expect(bench.failures[0]).toBe('more readings are held than 4: the oldest meets no further ones');
    expect(bench.join.bounds(0)[0]?.used).toBe(4);
    expect(bench.derived.length).toBeLessThan(16);
  });

  test('of one group is not given up for another that holds more', () => {
    const bench = new Bench({ kind: { asOfMs: 1000 } }, 2);
    bench.send('n/a', 1, 0);
    for (let i = 0; i < 5; i++) bench.send('m/a', i, i);
    bench.send('m/b', 1, 4);
    bench.send('n/b', 7, 0, 4);
    expect(bench.derived.filter(({ series }) => series.device === 'n').map(({ value }) => value)).toEqual([107]);
  });

  test('does not grow while the other side is dead', () => {
    const bench = new Bench({ waitMs: 10 });
    for (let i = 0; i < 1000; i++) bench.send('m/a', i, i * 100);
    expect(bench.join.bounds(0)[0]?.used).toBeLessThanOrEqual(12);
  });
});

test('a snapshot of another version, or one that is damaged, is refused', () => {
  const bench = new Bench();
  bench.send('m/a', 1, 0);
  const snapshot = throughDisk(bench.join.snapshot()) as Record<string, unknown>;
  const damages: unknown[] = [
    null,
    { ...snapshot, version: 2 },
    { ...snapshot, groups: [{ ...(snapshot['groups'] as object[])[0], series: [['m/gone', true, 0]] }] },
    { ...snapshot, groups: [{ ...(snapshot['groups'] as object[])[0], pending: [[7, 0, 0, 0, false]] }] },
    { ...snapshot, watermarks: undefined },
  ];
  for (const damaged of damages) expect(() => bench.make().restore(damaged)).toThrow('Cannot restore');
  expect(() => bench.make().restore(snapshot)).not.toThrow();
});

test('a join that has changed drops what it held; another expression or metric is no change', () => {
  const bench = new Bench();
  bench.send('m/a', 1, 0);
  const snapshot = throughDisk(bench.join.snapshot());
  const same = bench.make({ value: 'left - right', metric: 'd', waitMs: 1, outOfOrdernessMs: 5 });
  same.restore(snapshot);
  expect([same.notRestored, same.bounds(0)[0]?.used]).toEqual([undefined, 1]);
  const other = bench.make({ on: ['site'] });
  other.restore(snapshot);
  expect([other.notRestored, other.bounds(0)[0]?.used]).toEqual([
    'join:sum: what 1 groups held is dropped: the join has changed',
    0,
  ]);
});

test('how far readings are out of order is learnt up to a bound', () => {
  const bench = new Bench({ kind: { asOfMs: 5_000 }, maxOutOfOrdernessMs: 400 });
  const fates = [1000, 700, 1500, 1200, 1199, 5000, 4650, 6000, 5650].map((time) => {
    bench.send('m/b', 0, time, 2000);
    return bench.send('m/a', time, time, 2000);
  });
  expect(fates).toEqual([0, 1, 0, 0, 1, 0, 1, 0, 0].map((late) => (late === 1 ? Fate.late : Fate.aggregated)));
});

test('a clock that is set ahead makes nobody idle', () => {
  const bench = new Bench();
  bench.send('m/a', 1, 0, 1000);
  bench.join.step(1_001_000, 1_000_000, bench.outlet);
  bench.join.advance(1_005_999, bench.outlet);
  expect(bench.join.nextDue).toBe(1_006_000);
  bench.send('m/b', 2, 0, 1_005_999);
  expect(bench.values).toEqual([['m/c', 102, 0]]);
});

test('a series of the left that would be a second one of the right is told as that after a restart, too', () => {
  const settings = { left: '*/a', right: '*/m*/*', on: ['site'] };
  const bench = new Bench(settings);
  bench.send('hall/m1/b', 1, 0);
  bench.send('hall/m2/a', 2, 1);
  expect(bench.failures).toHaveLength(1);
  const resumed = bench.make(settings);
  resumed.restore(throughDisk(bench.join.snapshot()));
  bench.join = resumed;
  bench.send('hall/m2/a', 3, 2);
  expect(bench.failures[1]).toBe(bench.failures[0]);
});

test('a reading that has waited before it came makes nobody idle sooner', () => {
  const bench = new Bench();
  bench.send('m/a', 1, 0, 10_000);
  bench.join.process(bench.plant.reading('m/a', 2, 1, { at: 7_000 }), bench.outlet);
  expect(bench.join.nextDue).toBe(15_000);
});

test('a series that stands on both sides is on each', () => {
  const bench = new Bench({ left: 'm/*', right: 'm/b', kind: { asOfMs: 0 } });
  bench.send('m/b', 3, 0);
  bench.send('m/a', 2, 0);
  bench.send('m/b', 5, 10);
  bench.send('m/a', 4, 10);
  bench.join.advance(100_000, bench.outlet);
  expect(bench.failures).toEqual([]);
  // The first of `m/b` waited for no other series of the left: there was none yet.
  expect(bench.derived.map(({ value }) => value)).toEqual([303, 203, 405, 505]);
});

describe('where the pairs of a reading stand is told', () => {
  test.each([
    ['within', { withinMs: 500 }, [1200, 1700], [1200, 1700]],
    ['as of', { asOfMs: 5000 }, [1200, 1200], [1200, 6200]],
    ['in a window', { tumblingMs: 1000, aggregate: 'mean' as const }, [1999, 1999], [1999, 1999]],
    ['in a window, each with each', { tumblingMs: 1000, aggregate: 'pairs' as const }, [1999, 1999], [1999, 1999]],
  ])('of a join %s: the times they can have, and whether more may follow', (_, kind, left, right) => {
    const bench = new Bench({ kind });
    const told = (path: string, time: number) => bench.join.derivedAt(bench.plant.series(path), time);
    expect(told('m/a', 1200)).toEqual([]);
    bench.send('m/b', 1, 1000);
    bench.send('m/a', 1, 1200);
    for (const path of ['m/a', 'm/b']) bench.send(path, 0, 2200);
    const both = { by: 'join:sum (left)', series: 'm/c', mayFollow: false };
    expect(told('m/a', 1200)).toEqual([{ ...both, from: left[0], to: left[1] }]);
    expect(told('m/b', 1200)).toEqual([
      { ...both, by: 'join:sum (right)', from: right[0], to: right[1], mayFollow: right[1]! > 2200 },
    ]);
    expect(told('m/a', 2300)).toMatchObject([{ mayFollow: true }]);
    expect(told('m/x', 1200)).toEqual([]);
  });

  test('of one of the right with each of the left', () => {
    const bench = new Bench({ left: '*/a', right: 'w/b', on: ['site'], kind: { asOfMs: 1000 } });
    bench.send('hall/w/b', 1, 0);
    for (const device of ['m', 'n']) bench.send(`hall/${device}/a`, 1, 500);
    bench.join.advance(100_000, bench.outlet);
    expect(bench.join.derivedAt(bench.plant.series('hall/w/b'), 0).map(({ series }) => series)).toEqual([
      'hall/m/c',
      'hall/n/c',
    ]);
  });
});

describe('what a side comes to in a window', () => {
  const HUGE = 1.7e308;
  const inWindow = (aggregate: 'mean' | 'sum') =>
    new Bench({ kind: { tumblingMs: 1000, aggregate }, value: 'left + right' });

  /** Sends both sides in one window, and what ends it. */
  function send(bench: Bench, left: readonly number[], right: readonly number[]): void {
    left.forEach((value, i) => {
      bench.send('m/a', value, i);
    });
    right.forEach((value, i) => {
      bench.send('m/b', value, i);
    });
    for (const path of ['m/a', 'm/b']) bench.send(path, 0, 1000);
  }

  test('is the mean of values whose sum no double holds, too', () => {
    const bench = new Bench({ kind: { tumblingMs: 1000, aggregate: 'mean' }, value: 'left / right' });
    send(bench, [HUGE, HUGE, HUGE], [-HUGE, -HUGE]);
    expect(bench.failures).toEqual([]);
    expect(bench.values).toEqual([['m/c', expect.closeTo(-1, 12), 999]]);
  });

  test('is the sum of huge values that cancel, and loses nothing by rounding', () => {
    const bench = inWindow('sum');
    send(bench, [3, HUGE, HUGE, -HUGE, -HUGE], [1, 1e100, 1, -1e100]);
    expect(bench.values).toEqual([['m/c', 5, 999]]);
  });

  test('is no sum where that is beyond the largest double, which is told with the side and the window', () => {
    const bench = inWindow('sum');
    send(bench, [1], [HUGE, HUGE]);
    expect(bench.derived).toEqual([]);
    expect(bench.failures).toEqual([
      'the sum of m/b from 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:01.000Z is beyond the largest number, 1.8e+308',
    ]);
  });

  test('goes on from a checkpoint, also from one that an earlier release has written', () => {
    for (const older of [false, true]) {
      const bench = inWindow('mean');
      for (const value of [0.1, 0.2, 0.3]) bench.send('m/a', value, 0);
      bench.send('m/b', 1, 0);
      const snapshot = throughDisk(bench.join.snapshot());
      if (older) withoutRounding(snapshot);
      bench.join = bench.make({ kind: { tumblingMs: 1000, aggregate: 'mean' }, value: 'left + right' });
      bench.join.restore(snapshot);
      send(bench, [], []);
      expect(bench.values).toEqual([['m/c', expect.closeTo(1.2, 12), 999]]);
    }
  });

  /** Takes out of a snapshot what earlier ones did not have. */
  function withoutRounding(snapshot: unknown): void {
    const { groups } = snapshot as { groups: { matcher: [number, unknown[], unknown[][]] }[] };
    const [, right, lefts] = groups[0]!.matcher;
    for (const summary of [right, ...lefts]) expect(summary.splice(8)).toHaveLength(2);
  }
});

test.each([
  [{ value: 'left *' }, 'Cannot compute join:sum by "left *": unexpected token: the end'],
  [{ on: [] }, 'Cannot join sum: nothing says which series belong together'],
  [{ on: ['line', 'line'] }, 'Cannot join sum: on names line twice'],
  [{ right: '*/a' }, 'Cannot join sum: both sides are */a'],
  [{ kind: { withinMs: -1 } }, 'Cannot join sum over -1 ms'],
  [{ kind: { asOfMs: Number.NaN } }, 'Cannot join sum over NaN ms'],
  [{ kind: { tumblingMs: 0, aggregate: 'mean' as const } }, 'Cannot join sum over 0 ms'],
])('%j is refused', (settings, message) => {
  expect(() => new Bench(settings)).toThrow(message);
});
