import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../gateway/core/result.ts';
import { type Sink, SinkError } from '../../gateway/core/sink.ts';
import { aggregate, alarm, seriesOf, T0 } from '../gateway/sinks/results.ts';

/** An aggregate as it is found at the place where a sink put it. */
export interface StoredAggregate {
  readonly device: string;
  readonly metric: string;
  readonly window: string;
  readonly start: number;
  readonly fields: Readonly<Record<string, number>>;
  readonly good: number;
}

/** A sink under test and a look at what it stored, as far as possible without its own code. */
export interface SinkRig {
  readonly sink: Sink;
  aggregates(): Promise<readonly StoredAggregate[]>;
  /** How many alarms are active. */
  activeAlarms(): Promise<number>;
  dispose(): Promise<void>;
}

const going = () => new AbortController().signal;

/** What every sink promises: the words of `core/sink.ts` and `core/lifecycle.ts` as tests. Call it inside a `describe`. */
export function sinkContract(makeRig: () => Promise<SinkRig>): void {
  let rig: SinkRig;
  beforeEach(async () => {
    rig = await makeRig();
  });
  afterEach(async () => {
    await rig.sink.stop(going());
    await rig.dispose();
  });
  const write = (...batch: Result[]) => rig.sink.write(batch, going());

  describe('every sink', () => {
    it('stores the results of a batch', async () => {
      await rig.sink.start(going());
      expect(await write(aggregate(), aggregate({ series: seriesOf('press-2', 'temperature') }), alarm())).toEqual([]);
      const stored = await rig.aggregates();
      expect(stored.map((row) => row.device).sort()).toEqual(['press-1', 'press-2']);
      expect(stored.find((row) => row.device === 'press-1')).toEqual({
        device: 'press-1',
        metric: 'temperature',
        window: 'minute',
        start: T0,
        fields: { count: 60, mean: 21.5, min: 20, max: 23 },
        good: 1,
      });
      expect(await rig.activeAlarms()).toBe(1);
    });

    it('stores a batch once, however often it is sent', async () => {
      await rig.sink.start(going());
      const batch = [aggregate(), aggregate({ start: T0 + 60_000 }), alarm()];
      for (let time = 0; time < 3; time++) expect(await rig.sink.write(batch, going())).toEqual([]);
      expect((await rig.aggregates()).map((row) => row.start)).toEqual([T0, T0 + 60_000]);
      expect(await rig.activeAlarms()).toBe(1);
    });

    it('replaces a result by its later revision, in one batch or in two', async () => {
      await rig.sink.start(going());
      const late = (revision: number, mean: number) => aggregate({ revision, fields: { mean } });
      await write(aggregate({ fields: { mean: 1 } }), late(1, 2));
      expect((await rig.aggregates()).map((row) => row.fields['mean'])).toEqual([2]);
      await write(late(2, 3));
      expect((await rig.aggregates()).map((row) => row.fields['mean'])).toEqual([3]);
    });

    it('ends an alarm that is cleared', async () => {
      await rig.sink.start(going());
      await write(alarm(), alarm({ state: 'cleared', time: T0 + 9000, value: 22 }));
      expect(await rig.activeAlarms()).toBe(0);
    });

    it('takes an empty batch', async () => {
      await rig.sink.start(going());
      expect(await write()).toEqual([]);
    });

    it('stores what lies beside a result it refuses, and says why it refuses', async () => {
      await rig.sink.start(going());
      const odd = ['__proto__', 'a\nb', 'a\\', 'a b,c=d"e', '日本', 'constructor', '#'].map((name) =>
        aggregate({ series: seriesOf(name, name) }),
      );
      const rejections = await write(aggregate(), ...odd, aggregate({ start: T0 + 60_000 }));
      for (const { result, reason } of rejections) {
        expect(odd).toContain(result);
        expect(reason.length).toBeGreaterThan(10);
      }
      const refused = new Set(rejections.map(({ result }) => result));
      const expected = [
        'press-1',
        'press-1',
        ...odd.filter((one) => !refused.has(one)).map((one) => one.series.device),
      ];
      expect((await rig.aggregates()).map((row) => row.device).sort()).toEqual(expected.sort());
    });

    it('is done, one way or the other, soon after its signal aborts', async () => {
      await rig.sink.start(going());
      const aborter = new AbortController();
      const writing = rig.sink.write([aggregate()], aborter.signal);
      aborter.abort();
      const end = await writing.then(
        () => 'stored',
        (error) => error,
      );
      if (end !== 'stored') expect(end).toBeInstanceOf(SinkError);
    });

    it('may be stopped before it is started, and twice', async () => {
      await rig.sink.stop(going());
      await rig.sink.stop(going());
    });

    it('works again after a stop and a start, and keeps what it had', async () => {
      await rig.sink.start(going());
      await write(aggregate());
      await rig.sink.stop(going());
      await rig.sink.start(going());
      await write(aggregate({ start: T0 + 60_000 }));
      expect((await rig.aggregates()).map((row) => row.start)).toEqual([T0, T0 + 60_000]);
    });

    it('refuses with a SinkError what is written to it after its stop', async () => {
      await rig.sink.start(going());
      await rig.sink.stop(going());
      await expect(write(aggregate())).rejects.toBeInstanceOf(SinkError);
    });
  });
}
