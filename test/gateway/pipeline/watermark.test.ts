import { expect, test } from 'vitest';
import type { DeviceClock, SeriesClock } from '../../../gateway/pipeline/watermark.ts';
import { Watermarks } from '../../../gateway/pipeline/watermark.ts';
import { throughDisk } from './make-reading.ts';

const device = (name: string, site?: string) => ({ device: name, tags: site === undefined ? {} : { site } });

function setUp(outOfOrdernessMs = 0, idleTimeoutMs = 1000) {
  const watermarks = new Watermarks({ outOfOrdernessMs, idleTimeoutMs });
  return { watermarks, a: watermarks.track(device('press')), b: watermarks.track(device('press')) };
}

function expireAll(watermarks: Watermarks, now: number): DeviceClock[] {
  const expired: DeviceClock[] = [];
  for (let one = watermarks.expire(now); one !== undefined; one = watermarks.expire(now)) expired.push(one);
  return expired;
}

test('a device has no watermark before its first reading', () => {
  const { watermarks } = setUp();
  expect(watermarks.of(device('press'))).toBeUndefined();
  expect(watermarks.of(device('unknown'))).toBeUndefined();
});

test('the watermark is the least of what the series have reached, less the allowed disorder', () => {
  const { watermarks, a, b } = setUp(10);
  watermarks.observe(a, 100, 0);
  expect(watermarks.observe(b, 200, 0)).toBe(false);
  expect(watermarks.of(device('press'))).toBe(90);
  expect(watermarks.observe(a, 300, 0)).toBe(true);
  expect(watermarks.of(device('press'))).toBe(190);
});

test('the watermark never goes back', () => {
  const { watermarks, a, b } = setUp();
  watermarks.observe(a, 100, 0);
  expect(watermarks.observe(b, 50, 0)).toBe(false);
  expect(watermarks.observe(a, 20, 0)).toBe(false);
  expect(watermarks.of(device('press'))).toBe(100);
});

test('devices of one name on two sites have watermarks of their own', () => {
  const watermarks = new Watermarks({ outOfOrdernessMs: 0, idleTimeoutMs: 1000 });
  watermarks.observe(watermarks.track(device('press', 'north')), 100, 0);
  watermarks.observe(watermarks.track(device('press', 'south')), 900, 0);
  expect(watermarks.of(device('press', 'north'))).toBe(100);
  expect(watermarks.of(device('press', 'south'))).toBe(900);
});

test('a silent series is left out once it is idle, not before', () => {
  const { watermarks, a, b } = setUp();
  watermarks.observe(a, 100, 0);
  watermarks.observe(b, 100, 0);
  watermarks.observe(b, 500, 999);
  expect(watermarks.expire(999)).toBeUndefined();
  expect(watermarks.of(device('press'))).toBe(100);
  expect(watermarks.expire(1000)?.watermark).toBe(500);
  expect(a.idle).toBe(true);
});

test('a series that only repeats an old time becomes idle like a silent one', () => {
  const { watermarks, a } = setUp();
  watermarks.observe(a, 100, 0);
  watermarks.observe(a, 100, 900);
  watermarks.observe(a, 50, 950);
  expect(watermarks.expire(1000)?.active).toBe(0);
});

test('the watermark stays where it is when every series is idle', () => {
  const { watermarks, a, b } = setUp();
  watermarks.observe(a, 100, 0);
  watermarks.observe(b, 200, 0);
  expect(expireAll(watermarks, 5000)).toHaveLength(2);
  expect(watermarks.of(device('press'))).toBe(200);
  expect(watermarks.nextDeadline).toBe(Number.POSITIVE_INFINITY);
});

test('a series that returns counts again', () => {
  const { watermarks, a, b } = setUp();
  watermarks.observe(a, 100, 0);
  watermarks.observe(b, 100, 0);
  watermarks.observe(b, 200, 900);
  expireAll(watermarks, 1000);
  watermarks.observe(a, 250, 1100);
  watermarks.observe(b, 400, 1200);
  expect(watermarks.of(device('press'))).toBe(250);
});

test('idleness comes in order of its deadlines, equal ones in order of appearance', () => {
  const watermarks = new Watermarks({ outOfOrdernessMs: 0, idleTimeoutMs: 1000 });
  const names = ['c', 'a', 'b'];
  const clocks = names.map((name) => watermarks.track(device(name)));
  for (const clock of clocks) watermarks.observe(clock, 1, 0);
  watermarks.observe(clocks[0]!, 2, 500);
  expect(expireAll(watermarks, 10_000).map(({ key }) => key.trim())).toEqual(['a', 'b', 'c']);
});

test('a thousand series in turn, each with a time of its own, move the watermark reading by reading', () => {
  const watermarks = new Watermarks({ outOfOrdernessMs: 0, idleTimeoutMs: 1e9 });
  const clocks = Array.from({ length: 1000 }, () => watermarks.track(device('press')));
  for (let round = 0; round < 5; round++) {
    clocks.forEach((clock, i) => {
      watermarks.observe(clock, round * 1000 + i, 0);
      const least = round === 0 ? 0 : (round - 1) * 1000 + i + 1;
      expect(watermarks.of(device('press'))).toBe(i === 999 ? round * 1000 : least);
    });
  }
});

test('a restored watermark goes on as if nothing had happened', () => {
  const play = (restart: boolean): unknown[] => {
    let watermarks = new Watermarks({ outOfOrdernessMs: 5, idleTimeoutMs: 1000 });
    let clocks: readonly SeriesClock[] = ['x', 'x', 'y'].map((name) => watermarks.track(device(name)));
    const seen: unknown[] = [];
    for (let i = 0; i < 200; i++) {
      if (restart) {
        const next = new Watermarks({ outOfOrdernessMs: 5, idleTimeoutMs: 1000 });
        clocks = next.restore(throughDisk(watermarks.snapshot()));
        watermarks = next;
      }
      const now = i * 150;
      seen.push(expireAll(watermarks, now).map(({ key, active }) => [key, active]));
      watermarks.observe(clocks[((i * 7) % 11) % 3]!, ((i * 37) % 300) + i * 10, now);
      seen.push(watermarks.of(device('x')), watermarks.of(device('y')));
    }
    return seen;
  };
  expect(play(true)).toEqual(play(false));
});

test.each([undefined, {}, { devices: 1, series: [] }, { devices: [], series: [[0, 1, 2, false]] }])(
  'the damaged snapshot %j is refused',
  (snapshot) => {
    const { watermarks } = setUp();
    expect(() => watermarks.restore(snapshot)).toThrow(/^Cannot restore/);
  },
);
