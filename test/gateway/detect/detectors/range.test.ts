import { expect, test } from 'vitest';
import { RangeDetector } from '../../../../gateway/detect/detectors/range.ts';

function judged(detector: RangeDetector, value: number): { score: number; anomaly: boolean } {
  const { score, anomaly } = detector.judge(value, 0);
  return { score, anomaly };
}

test('with both bounds the score is 0 in the middle, 1 at a bound, and one more for each half span beyond', () => {
  const range = new RangeDetector({ min: 10, max: 30 });
  expect(judged(range, 20)).toEqual({ score: 0, anomaly: false });
  expect(judged(range, 10)).toEqual({ score: 1, anomaly: false });
  expect(judged(range, 30)).toEqual({ score: 1, anomaly: false });
  expect(judged(range, 40)).toEqual({ score: 2, anomaly: true });
  expect(judged(range, 0)).toEqual({ score: 2, anomaly: true });
});

test('a single bound scores by its own size', () => {
  expect(judged(new RangeDetector({ max: 80 }), 160)).toEqual({ score: 2, anomaly: true });
  expect(judged(new RangeDetector({ max: 80 }), 40)).toEqual({ score: 0.5, anomaly: false });
  expect(judged(new RangeDetector({ max: 80 }), -1e9)).toEqual({ score: 0, anomaly: false });
  expect(judged(new RangeDetector({ min: -10 }), -20)).toEqual({ score: 2, anomaly: true });
  expect(judged(new RangeDetector({ min: 0 }), -3)).toEqual({ score: 4, anomaly: true });
});

test('the smallest step beyond a bound is an anomaly that scores at least 1', () => {
  const range = new RangeDetector({ min: 0.1, max: 0.3 });
  const beyond = judged(range, 0.3 + Number.EPSILON / 4);
  expect(beyond.anomaly).toBe(true);
  expect(beyond.score).toBeGreaterThanOrEqual(1);
  expect(judged(range, 0.3)).toMatchObject({ anomaly: false, score: expect.toSatisfy((score) => score <= 1) });
});

test('equal bounds and the largest numbers give finite scores', () => {
  expect(judged(new RangeDetector({ min: 5, max: 5 }), 5)).toEqual({ score: 0, anomaly: false });
  expect(judged(new RangeDetector({ min: 5, max: 5 }), 6).anomaly).toBe(true);
  const widest = judged(new RangeDetector({ min: -1.7e308, max: 1.7e308 }), 1.79e308);
  expect(widest.anomaly).toBe(true);
  expect(widest.score).toBeCloseTo(1.79 / 1.7, 10);
  expect(Number.isFinite(judged(new RangeDetector({ max: 1e-300 }), 1e308).score)).toBe(true);
});

test('it says what would have been normal', () => {
  expect(new RangeDetector({ min: 10, max: 30.5 }).expected()).toBe('between 10 and 30.5');
  expect(new RangeDetector({ max: 80 }).expected()).toBe('at most 80');
  expect(new RangeDetector({ min: -1 }).expected()).toBe('at least -1');
});
