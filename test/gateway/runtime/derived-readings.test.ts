import { describe, expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Series } from '../../../gateway/core/reading.ts';
import { type Deriver, Fate, type Outlet } from '../../../gateway/core/stage.ts';
import type { DerivationSettings } from '../../../gateway/pipeline/derive/derivation.ts';
import type { JoinSettings } from '../../../gateway/pipeline/join/join-definition.ts';
import { DerivedReadings } from '../../../gateway/runtime/derived-readings.ts';
import { Ledger } from '../../../gateway/runtime/ledger.ts';
import { type Box, CHECKPOINT_EVERY_MS, newBox, START } from './box.ts';

const DOUBLE: DerivationSettings = { name: 'double', series: 'd/a', metric: 'b', unit: 'V', value: 'value * 2' };
const SHARE: DerivationSettings = { name: 'share', series: 'd/b', metric: 'c', value: '1000 / (value - 8)' };

async function boxWith(...derive: DerivationSettings[]): Promise<Box> {
  const box = await newBox();
  box.derive = derive;
  await box.boot();
  return box;
}

async function send(box: Box, from: number, ...values: number[]): Promise<void> {
  values.forEach((value, i) => {
    box.send({ metric: 'a', value, time: START + (from + i) * 1000 });
  });
  await box.acknowledged();
}

function derived(box: Box): unknown {
  return box.gateway.status().derived;
}

describe('a derived reading', () => {
  test('is a reading of a series like any other: it is shown, goes into windows and is judged', async () => {
    const box = await boxWith(SHARE, DOUBLE);
    await send(box, 0, 3, 5, 4.5);
    const series = box.gateway.series();
    expect(series.map(({ key, unit, last }) => [key, unit, last?.value])).toEqual([
      ['d/a', null, 4.5],
      ['d/b', 'V', 9],
      ['d/c', null, 1000],
    ]);
    const rows = box.gateway.readings({ series: 'd/c', limit: 9 });
    expect(rows?.map(({ value, anomaly }) => [value, anomaly])).toEqual([
      [-500, false],
      [500, true],
      [1000, true],
    ]);
    await box.clock.advance(90_000);
    const ofMinute = box.stored().filter((result) => result.kind === 'aggregate' && result.window === 'm');
    expect(ofMinute).toMatchObject([
      { series: { key: 'd/a' }, fields: { count: 3, last: 4.5 } },
      { series: { key: 'd/b', unit: 'V' }, fields: { count: 3, last: 9 } },
      { series: { key: 'd/c' }, fields: { count: 3, last: 1000 } },
    ]);
    const alarms = box.stored().filter(({ kind }) => kind === 'alarm');
    expect(alarms).toMatchObject([{ series: { key: 'd/c' }, state: 'raised', value: 500 }]);
    await box.stop();
  });

  test('is counted in a row of its own, which balances, and what has no number is counted as rejected there, with the reason', async () => {
    const box = await boxWith(DOUBLE, SHARE);
    await send(box, 0, 3, 4, 5);
    const counts = { inFlight: 0, filtered: 0, duplicate: 0, late: 0, dropped: 0 };
    const expected = [
      {
        name: 'derive:double',
        series: 1,
        ledger: { ...counts, received: 3, aggregated: 3, rejected: 0 },
        lastProblem: null,
      },
      {
        name: 'derive:share',
        series: 1,
        ledger: { ...counts, received: 3, aggregated: 2, rejected: 1 },
        lastProblem: 'it gives Infinity, which is no number, for 8 of d/b',
      },
    ];
    expect(derived(box)).toEqual(expected);
    const { ledger, sources } = box.gateway.status();
    expect(ledger).toMatchObject({ received: 3, aggregated: 3 });
    expect(sources).toEqual([]);
    expect(box.gateway.ledgerReport(9)).toMatchObject({
      total: { received: 3, imbalance: 0 },
      sources: [{ name: 'floor', received: 3, imbalance: 0 }],
      groups: [{ name: 'd', received: 3, imbalance: 0 }],
    });
    await box.crash();
    expect(derived(box)).toEqual(expected);
    await box.stop();
  });

  test('comes once, whether a crash comes before or after the checkpoint', async () => {
    const whole = await boxWith(DOUBLE, SHARE);
    await send(whole, 0, 1, 2, 3, 5, 6, 7, 0.5);
    await whole.clock.advance(90_000);
    const box = await boxWith(DOUBLE, SHARE);
    await send(box, 0, 1, 2);
    await box.crash();
    await send(box, 2, 3, 5);
    await box.untilCheckpoint();
    await box.crash();
    await send(box, 4, 6, 7);
    await box.crash();
    await send(box, 6, 0.5);
    await box.clock.advance(90_000);
    expect(box.latest()).toEqual(whole.latest());
    expect(derived(box)).toMatchObject([{ ledger: { received: 7 } }, { ledger: { received: 7 } }]);
    await box.stop();
    await whole.stop();
  });

  test('of a device that goes on holds no window of the device open where it stops coming', async () => {
    const box = await boxWith({ ...DOUBLE, value: '1 / (value - 1)' });
    await send(box, 0, 2);
    await send(box, 1, ...Array.from({ length: 80 }, () => 1));
    const minutes = () => box.stored().filter((result) => result.kind === 'aggregate' && result.window === 'm');
    // It is 80 s by the times of the device, and nobody has been idle yet.
    await box.clock.advance(1);
    expect(minutes()).toMatchObject([{ series: { key: 'd/a' }, fields: { count: 60 } }]);
    await box.clock.advance(90_000);
    expect(minutes()).toContainEqual(expect.objectContaining({ series: expect.objectContaining({ key: 'd/b' }) }));
    await box.stop();
  });

  test('has room beside the series that are measured, and only so much', async () => {
    const box = await newBox();
    box.maxSeries = 2;
    box.derive = [
      { name: 'x', series: '*/a', metric: 'x', value: 'value' },
      { name: 'y', series: '*/a', metric: 'y', value: 'value' },
      { name: 'z', series: '*/a', metric: 'z', value: 'value' },
    ];
    await box.boot();
    await send(box, 0, 1);
    expect(box.gateway.series().map(({ key }) => key)).toEqual(['d/a', 'd/x', 'd/y']);
    expect(box.gateway.status().series).toMatchObject({ count: 1, max: 2 });
    expect(derived(box)).toMatchObject([
      { series: 1 },
      { series: 1 },
      {
        series: 0,
        ledger: { received: 1, rejected: 1 },
        lastProblem: 'no room for another derived series: there are as many as storage.maxSeries allows, 2',
      },
    ]);
    box.send({ metric: 'e', value: 1, time: START });
    await box.acknowledged();
    expect(box.gateway.series().map(({ key }) => key)).toContain('d/e');
    expect(box.gateway.status().memory.bounds).toContainEqual({
      name: 'derived series',
      used: 2,
      max: 2,
      unit: 'series',
    });
    await box.crash();
    expect(box.gateway.status().series).toMatchObject({ count: 2, max: 2 });
    await box.stop();
  });

  test('of a series that a source brings too is told apart from what the source has brought', async () => {
    const box = await boxWith(DOUBLE);
    await send(box, 0, 1, 2);
    box.send({ metric: 'b', value: 50, time: START + 5000 });
    await box.acknowledged();
    expect(derived(box)).toMatchObject([{ ledger: { received: 2, aggregated: 2 } }]);
    expect(box.gateway.status().ledger).toMatchObject({ received: 3, inFlight: 0, aggregated: 3 });
    expect(box.gateway.readings({ series: 'd/b', limit: 9 })?.map(({ value }) => value)).toEqual([2, 4, 50]);
    await box.stop();
  });

  test('passes the reduction as well', async () => {
    const box = await boxWith(DOUBLE);
    box.reduce = [{ series: 'd/b', deadband: 3 }];
    await box.crash();
    await send(box, 0, 1, 2, 3);
    expect(derived(box)).toMatchObject([{ ledger: { received: 3, aggregated: 2, filtered: 1 } }]);
    expect(box.gateway.status().ledger).toMatchObject({ received: 3, aggregated: 3 });
    await box.stop();
  });

  test('waits at a swinging door as well, and is counted once it has gone on', async () => {
    const box = await boxWith(DOUBLE);
    box.reduce = [{ series: 'd/b', swingingDoor: 1 }];
    await box.crash();
    await box.clock.advance(CHECKPOINT_EVERY_MS - 1000);
    await send(box, 0, 1, 2, 3);
    await box.untilCheckpoint(1000);
    await box.crash();
    expect(derived(box)).toMatchObject([{ ledger: { received: 2, aggregated: 1, filtered: 1 } }]);
    await box.clock.advance(90_000);
    expect(derived(box)).toMatchObject([{ ledger: { received: 3, aggregated: 2, filtered: 1 } }]);
    expect(box.gateway.status().ledger).toMatchObject({ received: 3, inFlight: 0, aggregated: 3 });
    await box.stop();
  });
});

const SUM: JoinSettings = {
  name: 'sum',
  left: 'd/a',
  right: 'd/b',
  on: ['device'],
  kind: { withinMs: 200 },
  waitMs: 4_000,
  outOfOrdernessMs: 0,
  metric: 'c',
  value: 'left + right',
};

describe('what falls due', () => {
  /** Derives a reading at each of its times, and nothing else. */
  class Ticking implements Deriver {
    readonly source: string;
    readonly derivedSeries = 1;
    readonly #series: Series;
    readonly #times: number[];

    constructor(source: string, series: Series, times: readonly number[]) {
      this.source = source;
      this.#series = series;
      this.#times = [...times];
    }

    get nextDue(): number {
      return this.#times[0] ?? Number.POSITIVE_INFINITY;
    }

    process(): Fate {
      return Fate.filtered;
    }

    advance(now: number, outlet: Outlet): void {
      while (this.nextDue <= now) {
        const time = this.#times.shift()!;
        const times = { sourceTime: time, receiveTime: time };
        outlet.derive({ series: this.#series, source: this.source, value: time, quality: Quality.good, ...times });
      }
    }

    isDue(): boolean {
      return false;
    }

    derivedAt(): [] {
      return [];
    }

    step(): void {}

    snapshot(): unknown {
      return undefined;
    }

    restore(): void {}
  }

  test('is derived in the order of its times, whoever derives it, however seldom time is told', () => {
    const registry = new SeriesRegistry();
    const run = (...times: readonly number[]) => {
      const taken: string[] = [];
      const series = (metric: string) => registry.derive({ device: 'd', metric }) as Series;
      const derivers = [
        new Ticking('join:a', series('a'), [5, 9, 9.5]),
        new Ticking('join:b', series('b'), [5, 7, 20]),
      ];
      const readings = new DerivedReadings(derivers, new Ledger(), ({ source, value }) => {
        taken.push(`${source}@${value}`);
      });
      for (const time of times) readings.advance(time);
      return taken;
    };
    const expected = ['join:a@5', 'join:b@5', 'join:b@7', 'join:a@9', 'join:a@9.5'];
    expect(run(10)).toEqual(expected);
    expect(run(1, 5, 6, 7, 8, 9, 10)).toEqual(expected);
  });
});

describe('a joined reading', () => {
  const send = async (box: Box, metric: string, ...seconds: number[]) => {
    for (const second of seconds) box.send({ metric, value: second, time: START + second * 1000 });
    await box.acknowledged();
  };

  async function boxOf(join: JoinSettings, ...derive: DerivationSettings[]): Promise<Box> {
    const box = await newBox();
    box.join = [join];
    box.derive = derive;
    await box.boot();
    return box;
  }

  test('comes once, in its window, whatever crashes come between the two sides', async () => {
    const whole = await boxOf(SUM, { name: 'ten', series: 'd/c', metric: 'e', value: 'value * 10' });
    const box = await boxOf(SUM, { name: 'ten', series: 'd/c', metric: 'e', value: 'value * 10' });
    for (const one of [whole, box]) {
      const between = one === box ? () => one.crash() : async () => undefined;
      await send(one, 'a', 0, 1, 2, 3);
      await between();
      await send(one, 'b', 0, 1);
      if (one === box) await one.untilCheckpoint();
      else await one.clock.advance(10_000);
      await between();
      await send(one, 'b', 4, 5);
      await between();
      await send(one, 'a', 4, 5);
      await one.clock.advance(90_000);
      await between();
    }
    expect(box.latest()).toEqual(whole.latest());
    expect(whole.stored()).toContainEqual(
      expect.objectContaining({
        series: expect.objectContaining({ key: 'd/e' }),
        window: 'm',
        fields: expect.objectContaining({ count: 4, mean: 50, last: 100 }),
      }),
    );
    const counts = { received: 4, aggregated: 4, rejected: 0 };
    expect(derived(box)).toMatchObject([
      { name: 'derive:ten', ledger: counts },
      { name: 'join:sum', series: 1, ledger: counts },
    ]);
    expect(box.gateway.status().ledger).toMatchObject({ received: 10, aggregated: 10 });
    await box.stop();
    await whole.stop();
  });

  test('comes of a side that is silent when the time has passed, which survives a crash just then', async () => {
    const box = await boxOf({ ...SUM, kind: { asOfMs: 60_000 } });
    await send(box, 'b', 0);
    await send(box, 'a', 1, 2);
    expect(derived(box)).toMatchObject([{ ledger: { received: 0 } }]);
    await box.clock.advance(3_000);
    expect(derived(box)).toMatchObject([{ ledger: { received: 0 } }]);
    await box.clock.advance(2_000);
    const expected = [
      { sourceTime: START + 1000, value: 1, quality: 'good', anomaly: false },
      { sourceTime: START + 2000, value: 2, quality: 'good', anomaly: false },
    ];
    expect(box.gateway.readings({ series: 'd/c', limit: 9 })).toEqual(expected);
    await box.crash();
    expect(box.gateway.readings({ series: 'd/c', limit: 9 })).toEqual(expected);
    await box.stop();
  });

  test('of another definition begins anew, which the log tells, and all else goes on', async () => {
    const box = await boxOf(SUM, { name: 'ten', series: 'd/a', metric: 'e', value: 'value * 10' });
    await send(box, 'a', 0, 1);
    await box.untilCheckpoint();
    box.join = [{ ...SUM, kind: { withinMs: 100 } }];
    await box.crash();
    expect(box.logLines()).toContain('join:sum: what 1 groups held is dropped: the join has changed');
    await send(box, 'b', 1, 2);
    await send(box, 'a', 2);
    expect(derived(box)).toMatchObject([
      { name: 'derive:ten', ledger: { received: 3 } },
      { name: 'join:sum', ledger: { received: 1 } },
    ]);
    await box.stop();
  });
});
