import { expect, test } from 'vitest';
import { NoveltyDetector, noveltySettings } from '../../../../gateway/detect/detectors/novelty.ts';
import { seededRandom } from '../seeded-random.ts';

/** Scores of values that come once a second. */
function scores(values: Iterable<number>, detector = new NoveltyDetector()): number[] {
  return Array.from(values, (value, i) => detector.judge(value, i * 1000).score);
}

/** A daily wave of 288 steps with noise. */
function wave(length: number, seed = 7): number[] {
  const random = seededRandom(seed);
  return Array.from({ length }, (_, i) => 20 + 5 * Math.sin((i / 288) * 2 * Math.PI) + random() - 0.5);
}

test('a value far outside everything seen is an anomaly, and only its onset', () => {
  const values = wave(3000);
  for (let i = 2000; i < 2030; i++) values[i] = 40;
  const got = scores(values);
  expect(got[2000]).toBeGreaterThan(2);
  expect(Math.max(...got.slice(2001, 2100))).toBe(0);
  expect(got.slice(1000, 2000).filter((score) => score >= 1)).toEqual([]);
});

test('while an anomaly lasts, a worse value counts again', () => {
  const values = wave(2100);
  values[2000] = 30;
  values[2010] = 60;
  values[2020] = 45;
  const got = scores(values);
  expect(got[2010]).toBeGreaterThan(got[2000]!);
  expect(got[2020]).toBe(0);
});

test('nothing is called an anomaly while it is learning', () => {
  const detector = new NoveltyDetector();
  for (let i = 0; i < 200; i++) {
    expect(detector.judge(i === 150 ? 1e6 : i % 7, i)).toEqual({ score: 0, anomaly: false, learning: true });
  }
  expect(detector.judge(-1e6, 200)).toMatchObject({ anomaly: true, learning: false });
});

test('a constant scores 0 for ever, and its first change is an anomaly with a finite score', () => {
  const values = new Array<number>(5000).fill(21.5);
  values[4999] = 21.6;
  const got = scores(values);
  expect(got.slice(0, 4999).every((score) => score === 0)).toBe(true);
  expect(got[4999]).toBeGreaterThan(1);
  expect(got[4999]).toBeLessThanOrEqual(4000 / 0.5);
});

test('rounding noise on a large constant is no movement', () => {
  const got = scores(Array.from({ length: 3000 }, (_, i) => 1e6 + (i === 2500 ? 2e-10 : 0)));
  expect(Math.max(...got)).toBeLessThan(1);
});

test('a switch that goes on and off as ever is no anomaly', () => {
  const random = seededRandom(3);
  const got = scores(Array.from({ length: 5000 }, () => (random() < 0.3 ? 1 : 0)));
  expect(Math.max(...got.slice(500))).toBeLessThan(1);
});

test('what happens once a day is news in the first weeks only', () => {
  const day = 5000;
  const daily = Array.from({ length: 40 * day }, (_, i) => (i % day > day - 100 ? 3 : 1) + (i % 5) / 10);
  const days = scores(daily).flatMap((score, i) => (score >= 1 ? [Math.floor(i / day)] : []));
  expect(days[0]).toBe(0);
  expect(days.at(-1)).toBeLessThan(20);
});

test('a counter that climbs steadily is no anomaly, and its reset is', () => {
  const got = scores(Array.from({ length: 4000 }, (_, i) => (i < 3000 ? i * 10 : (i - 3000) * 10)));
  expect(Math.max(...got.slice(0, 3000))).toBeLessThan(1);
  expect(got[3000]).toBeGreaterThan(1);
});

test('shifting, scaling and mirroring a series leave its scores as they are', () => {
  const values = wave(3000);
  values[2500] = 90;
  const original = scores(values);
  for (const [factor, offset] of [
    [-1, 0],
    [1024, 0],
    [-0.125, 0],
    [37.3, -4200],
  ] as const) {
    const moved = scores(values.map((value) => value * factor + offset));
    // Compared where rounding cannot turn a score of nearly 0 into 0.
    for (const [i, score] of moved.entries()) {
      if (Math.max(score, original[i]!) > 0.1) expect(score).toBeCloseTo(original[i]!, 6);
    }
    expect(moved[2500]).toBeCloseTo(original[2500]!, 6);
  }
});

test('a wild spike is forgotten: a smaller one is seen later', () => {
  const values = wave(100_000);
  values[1000] = 1000;
  values[99_000] = 950;
  expect(scores(values)[99_000]).toBeGreaterThan(1);
  const never = new NoveltyDetector(noveltySettings({ forget: 0, fade: 0 }));
  expect(scores(values, never)[99_000]).toBe(0);
});

test('the largest numbers there are give finite scores and words', () => {
  const detector = new NoveltyDetector(noveltySettings({ warmUp: 1 }));
  for (let i = 0; i < 1000; i++) {
    const { score } = detector.judge(i % 3 === 0 ? 1.79e308 : -1.79e308, i);
    expect(Number.isFinite(score)).toBe(true);
    expect(detector.expected()).not.toMatch(/NaN|Infinity/);
  }
});

test('it says what would have been normal just before the last value', () => {
  const detector = new NoveltyDetector();
  for (let i = 0; i < 1000; i++) detector.judge(20 + (i % 3), i);
  detector.judge(99, 1000);
  const [low, high] = /^between (\S+) and (\S+)$/.exec(detector.expected())!.slice(1).map(Number);
  expect(low).toBeCloseTo(20, 0);
  expect(high).toBeCloseTo(22, 0);
});

test('its snapshot is one small block, and one of another window is refused with a hint', () => {
  const small = new NoveltyDetector(noveltySettings({ window: 50 })).snapshot();
  expect((new NoveltyDetector().snapshot() as Uint8Array).length).toBeLessThan(1100);
  expect(() => new NoveltyDetector().restore(small)).toThrow('Cannot restore the novelty detector');
  expect(() => new NoveltyDetector().restore(null)).toThrow('Cannot restore the novelty detector');
});

test('a snapshot does not change when its detector goes on', () => {
  const detector = new NoveltyDetector();
  scores(wave(500), detector);
  const snapshot = detector.snapshot() as Uint8Array;
  const copy = Uint8Array.from(snapshot);
  scores(wave(500), detector);
  expect(snapshot).toEqual(copy);
});
