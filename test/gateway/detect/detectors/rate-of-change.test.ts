import { expect, test } from 'vitest';
import { RateOfChangeDetector } from '../../../../gateway/detect/detectors/rate-of-change.ts';

test('the score is the rate over the fastest allowed one, either way', () => {
  const rate = new RateOfChangeDetector({ maxPerSecond: 2 });
  expect(rate.judge(100, 0)).toEqual({ score: 0, anomaly: false, learning: true });
  expect(rate.judge(101, 1000)).toEqual({ score: 0.5, anomaly: false, learning: false });
  expect(rate.judge(103, 2000)).toEqual({ score: 1, anomaly: false, learning: false });
  expect(rate.judge(93, 3000)).toEqual({ score: 5, anomaly: true, learning: false });
});

test('jitter of fast readings is not a rate', () => {
  const rate = new RateOfChangeDetector({ maxPerSecond: 2 });
  rate.judge(0, 0);
  expect(rate.judge(1, 10).score).toBe(0.5);
  expect(rate.judge(3, 20).score).toBe(1.5);
});

test('a steady climb in small quick steps is seen', () => {
  const rate = new RateOfChangeDetector({ maxPerSecond: 2 });
  let highest = 0;
  for (let i = 0; i <= 300; i++) highest = Math.max(highest, rate.judge(i * 0.05, i * 10).score);
  expect(highest).toBeCloseTo(2.5, 6);
});

test('after a gap the change is spread over the gap', () => {
  const rate = new RateOfChangeDetector({ maxPerSecond: 2 });
  rate.judge(0, 0);
  expect(rate.judge(100, 100_000).score).toBe(0.5);
});

test('the largest change has a finite score', () => {
  const rate = new RateOfChangeDetector({ maxPerSecond: 1e-300 });
  rate.judge(-1.7e308, 0);
  expect(Number.isFinite(rate.judge(1.7e308, 1).score)).toBe(true);
});

test('it says what would have been normal', () => {
  expect(new RateOfChangeDetector({ maxPerSecond: 2.5 }).expected()).toBe(
    'a change of at most 2.5 each second, measured over at least 1 s',
  );
});

test('it says how fast a value moved, and which way', () => {
  const rate = new RateOfChangeDetector({ maxPerSecond: 2 });
  rate.judge(100, 0);
  rate.judge(130, 2000);
  expect(rate.seen()).toBe('rises by 15 each second');
  rate.judge(127, 2500);
  expect(rate.seen()).toBe('falls by 3 each second');
  rate.judge(-1.7e308, 4000);
  rate.judge(1.7e308, 5000);
  expect(rate.seen()).toBe('rises by 1.79769e+308 each second');
});

test('a snapshot that is not its own is refused', () => {
  expect(() => new RateOfChangeDetector({ maxPerSecond: 1 }).restore('x')).toThrow('Cannot restore a rate-of-change');
});
