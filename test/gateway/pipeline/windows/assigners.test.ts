import { expect, test } from 'vitest';
import { type Assigner, MAX_OVERLAP, makeAssigner } from '../../../../gateway/pipeline/windows/assigners.ts';

test('windows are half-open and counted from the epoch', () => {
  const minutes = makeAssigner({ tumblingMs: 60_000 });
  expect(minutes.startOf(0)).toBe(0);
  expect(minutes.startOf(59_999.999)).toBe(0);
  expect(minutes.startOf(60_000)).toBe(60_000);
});

test('a time before 1970 has its window too', () => {
  const seconds = makeAssigner({ tumblingMs: 1000 });
  expect(seconds.startOf(-0.5)).toBe(-1000);
  expect(seconds.startOf(-1000)).toBe(-1000);
  expect(seconds.startOf(-1001)).toBe(-2000);
});

test('the last double before a boundary stays in the earlier window', () => {
  for (const size of [1, 7, 1000, 60_000, 86_400_000]) {
    const tumbling = makeAssigner({ tumblingMs: size });
    const boundary = Math.ceil(1_767_225_600_000 / size) * size;
    const justBefore = boundary - 2 ** -12;
    expect(justBefore).toBeLessThan(boundary);
    expect(tumbling.startOf(justBefore)).toBe(boundary - size);
    expect(tumbling.startOf(boundary)).toBe(boundary);
  }
});

test('a size that is no whole number of milliseconds is refused, with what is allowed', () => {
  for (const size of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => makeAssigner({ tumblingMs: size })).toThrow(`Cannot make windows of ${size} ms`);
  }
});

/** `[start, end)` of each window that holds the time, the newest first. */
function holding(assigner: Assigner, time: number): [start: number, end: number][] {
  const windows: [number, number][] = [];
  let start = assigner.startOf(time);
  for (let i = 0; i < assigner.overlap; i++) {
    windows.push([start, assigner.endOf(start)]);
    start = assigner.stepBack(start);
  }
  return windows;
}

test('hopping windows overlap, and one begins at each multiple of the step', () => {
  const hopping = makeAssigner({ hoppingMs: 300, everyMs: 100 });
  expect(holding(hopping, 250)).toEqual([
    [200, 500],
    [100, 400],
    [0, 300],
  ]);
});

test('a step that does not divide the size, or too often, is refused', () => {
  for (const [hoppingMs, everyMs] of [
    [300, 200],
    [100, 200],
    [(MAX_OVERLAP + 1) * 10, 10],
  ] as const) {
    expect(() => makeAssigner({ hoppingMs, everyMs })).toThrow('Cannot make windows of');
  }
});
