import { expect, test } from 'vitest';
import { Tumbling } from '../../../gateway/pipeline/tumbling.ts';

test('windows are half-open and counted from the epoch', () => {
  const minutes = new Tumbling(60_000);
  expect(minutes.startOf(0)).toBe(0);
  expect(minutes.startOf(59_999.999)).toBe(0);
  expect(minutes.startOf(60_000)).toBe(60_000);
});

test('a time before 1970 has its window too', () => {
  const seconds = new Tumbling(1000);
  expect(seconds.startOf(-0.5)).toBe(-1000);
  expect(seconds.startOf(-1000)).toBe(-1000);
  expect(seconds.startOf(-1001)).toBe(-2000);
});

test('the last double before a boundary stays in the earlier window', () => {
  for (const size of [1, 7, 1000, 60_000, 86_400_000]) {
    const tumbling = new Tumbling(size);
    const boundary = Math.ceil(1_767_225_600_000 / size) * size;
    const justBefore = boundary - 2 ** -12;
    expect(justBefore).toBeLessThan(boundary);
    expect(tumbling.startOf(justBefore)).toBe(boundary - size);
    expect(tumbling.startOf(boundary)).toBe(boundary);
  }
});

test('a size that is no whole number of milliseconds is refused, with what is allowed', () => {
  for (const size of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new Tumbling(size)).toThrow(`Cannot make tumbling windows of ${size} ms`);
  }
});
