import { expect, test } from 'vitest';
import { FlatlineDetector } from '../../../../gateway/detect/detectors/flatline.ts';

/** Scores of values that come every `stepMs`. */
function scores(detector: FlatlineDetector, values: readonly number[], stepMs: number, from = 0): number[] {
  return values.map((value, i) => detector.judge(value, from + i * stepMs).score);
}

test('the score grows to 1 after the given time without a change, and a change sets it to 0', () => {
  const flatline = new FlatlineDetector({ forMs: 10_000 });
  const got = scores(flatline, [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6], 1000);
  expect(got).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 0]);
});

test('two equal values around a long gap are no flatline', () => {
  const flatline = new FlatlineDetector({ forMs: 10_000 });
  flatline.judge(5, 0);
  expect(flatline.judge(5, 3_600_000)).toMatchObject({ score: 0.25, anomaly: false });
});

test('readings that come more rarely than the given time are told after five equal ones', () => {
  const flatline = new FlatlineDetector({ forMs: 10_000 });
  expect(scores(flatline, [5, 5, 5, 5, 5], 3_600_000)).toEqual([0, 0.25, 0.5, 0.75, 1]);
});

test('changes within the tolerance count as none, a drift beyond it does', () => {
  const noisy = new FlatlineDetector({ forMs: 4000, tolerance: 0.5 });
  expect(scores(noisy, [10, 10.4, 9.6, 10.5, 9.5], 1000).at(-1)).toBe(1);
  const drifting = new FlatlineDetector({ forMs: 4000, tolerance: 0.5 });
  expect(Math.max(...scores(drifting, [10, 10.2, 10.4, 10.6, 10.8, 11, 11.2, 11.4], 1000))).toBe(0.5);
});

test('the difference of the largest numbers is a change', () => {
  const flatline = new FlatlineDetector({ forMs: 1 });
  flatline.judge(-1.7e308, 0);
  expect(flatline.judge(1.7e308, 1000).score).toBe(0);
});

test('it says what would have been normal', () => {
  expect(new FlatlineDetector({ forMs: 600_000 }).expected()).toBe('a change within 10 min');
  expect(new FlatlineDetector({ forMs: 600_000, tolerance: 0.2 }).expected()).toBe(
    'a change of more than 0.2 within 10 min',
  );
});

test('a snapshot that is not its own is refused', () => {
  expect(() => new FlatlineDetector({ forMs: 1 }).restore([1, 2])).toThrow('Cannot restore a flatline detector');
});
