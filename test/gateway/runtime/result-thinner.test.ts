import { describe, expect, it } from 'vitest';
import type { Aggregate, AlarmEvent, Result } from '../../../gateway/core/result.ts';
import { decodeResults, encodeResults } from '../../../gateway/runtime/result-codec.ts';
import { resultThinner } from '../../../gateway/runtime/result-thinner.ts';

const MINUTE = 60_000;
const series = (device: string) => ({ key: `${device}/flow`, device, metric: 'flow', tags: {} });

function aggregate(device: string, minute: number, revision = 0): Aggregate {
  const start = (29_000_000 + minute) * MINUTE;
  return {
    kind: 'aggregate',
    series: series(device),
    window: 'minute',
    start,
    end: start + MINUTE,
    revision,
    fields: { count: 1 },
    good: 1,
  };
}

const alarm: AlarmEvent = {
  kind: 'alarm',
  id: 'range@a/flow@1',
  series: series('a'),
  detector: 'range',
  severity: 'warning',
  state: 'raised',
  time: 60_000,
  raisedAt: 60_000,
  score: 1,
  value: 9,
  message: 'too high',
};

/** Of windows named `minute`; nothing is known of others. */
const thinner = resultThinner((window) => (window === 'minute' ? MINUTE : undefined));

const thin = (results: readonly Result[], level: number): readonly Result[] => {
  const thinned = thinner.thin(encodeResults(results), level);
  return thinned === undefined ? results : decodeResults(thinned.payload);
};
const minutesOf = (results: readonly Result[]) =>
  results.flatMap((result) => (result.kind === 'aggregate' ? result.start / MINUTE - 29_000_000 : []));

describe('thinning of results', () => {
  const hour = Array.from({ length: 60 }, (_, minute) => aggregate('a', minute));

  it('keeps every second window, then every fourth, evenly spaced', () => {
    expect(minutesOf(thin(hour, 1))).toEqual(hour.map((_, minute) => minute).filter((minute) => minute % 2 === 0));
    const fourth = minutesOf(thin(hour, 2));
    expect(fourth.slice(1).map((minute, index) => minute - fourth[index]!)).toEqual(Array(14).fill(4));
  });

  it('keeps as many windows whose distance varies, and all revisions of one, however long it has become', () => {
    const session = (start: number, seconds: number): Aggregate => {
      const length = seconds * 1000;
      return { ...aggregate('a', 0), window: 'session', start, end: start + length };
    };
    for (const step of [1000, 60_000, 3_600_000, 86_400_000]) {
      const starts = Array.from({ length: 1000 }, (_, i) => 1_790_000_000_000 + i * step);
      const kept = starts.filter((start) => {
        const fates = [30, 60, 90].map((seconds) => thin([session(start, seconds)], 1).length);
        expect(new Set(fates).size).toBe(1);
        return fates[0] === 1;
      });
      expect(kept.length).toBeGreaterThan(400);
      expect(kept.length).toBeLessThan(600);
    }
  });

  it('keeps the same at a level whatever was thinned before', () => {
    expect(thin(thin(thin(hour, 1), 2), 3)).toEqual(thin(hour, 3));
  });

  it('lets all revisions of a window share its fate, in whatever record they are', () => {
    for (const minute of [0, 1, 2, 3]) {
      const fates = [0, 1, 2].map((revision) => thin([aggregate('a', minute, revision)], 2).length);
      expect(new Set(fates).size).toBe(1);
    }
  });

  it('keeps every alarm', () => {
    expect(thin([alarm, aggregate('a', 1), alarm], 10)).toEqual([alarm, alarm]);
  });

  it('counts what it takes out, by series', () => {
    const payload = encodeResults([aggregate('a', 0), aggregate('a', 1), aggregate('b', 1), aggregate('b', 3), alarm]);
    const thinned = thinner.thin(payload, 1);
    expect(thinned).toMatchObject({ items: 2 });
    expect(thinned!.removed).toEqual(
      new Map([
        ['a/flow', 1],
        ['b/flow', 2],
      ]),
    );
    expect(thinner.seriesOf(payload)).toEqual(
      new Map([
        ['a/flow', 3],
        ['b/flow', 2],
      ]),
    );
  });

  it('takes nothing out of what it cannot read', () => {
    const payload = Buffer.from('no JSON');
    expect(thinner.thin(payload, 5)).toBeUndefined();
    expect(thinner.seriesOf(payload).size).toBe(0);
  });
});
