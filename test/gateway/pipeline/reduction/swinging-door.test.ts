import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SwingingDoor } from '../../../../gateway/pipeline/reduction/swinging-door.ts';
import { throughDisk } from '../make-reading.ts';

type Point = readonly [time: number, value: number];

/** The points that go on. */
function thinned(points: readonly Point[], deviation: number, door = new SwingingDoor(deviation)): Point[] {
  const kept: Point[] = [points[0]!];
  door.open(...points[0]!);
  let before: Point | undefined;
  for (const point of points.slice(1)) {
    if (before !== undefined && !door.lets(...point)) {
      kept.push(before);
      door.open(...before);
    }
    door.leaveOut(...point);
    before = point;
  }
  if (before !== undefined) kept.push(before);
  return kept;
}

test('of a straight line only the ends go on', () => {
  const line = Array.from({ length: 100 }, (_, i): Point => [i * 1000, i * 0.25]);
  expect(thinned(line, 0.01)).toEqual([line[0], line[99]]);
});

test('a bend goes on, and so does a step on both its sides', () => {
  expect(
    thinned(
      [
        [0, 0],
        [1, 0],
        [2, 0],
        [3, 2],
        [4, 4],
        [5, 4],
      ],
      0.1,
    ),
  ).toEqual([
    [0, 0],
    [2, 0],
    [4, 4],
    [5, 4],
  ]);
});

test('lines between what goes on come within the deviation of everything, also when stopped and resumed', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.double({ min: -5, max: 5, noNaN: true })), {
    minLength: 2,
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 4, noNaN: true }), (all, deviation) => {
      let [time, value] = [1_800_000_000_000, 20];
      const points = all.map(([after, change]): Point => {
        time += after;
        value += change;
        return [time, value];
      });
      const resumed = new SwingingDoor(deviation);
      const resume = (name: 'open' | 'leaveOut') => (at: number, of: number) => {
        const next = new SwingingDoor(deviation);
        next.restore(throughDisk(resumed.snapshot()) as number[]);
        next[name](at, of);
        resumed.restore(next.snapshot());
      };
      const kept = thinned(points, deviation, {
        deviation,
        open: resume('open'),
        leaveOut: resume('leaveOut'),
        lets: (at: number, of: number) => resumed.lets(at, of),
      } as SwingingDoor);
      expect(kept).toEqual(thinned(points, deviation));
      for (const [at, of] of points) {
        const to = kept.findIndex(([end]) => end >= at);
        const [endTime, end] = kept[to]!;
        const [startTime, start] = kept[Math.max(0, to - 1)]!;
        const line = endTime === startTime ? end : start + ((end - start) * (at - startTime)) / (endTime - startTime);
        expect(Math.abs(line - of)).toBeLessThanOrEqual(deviation + 1e-9);
      }
    }),
  );
});
