import { expect, test } from 'vitest';
import { AutoDetector, autoSettings } from '../../../../gateway/detect/detectors/auto.ts';
import { seededRandom } from '../seeded-random.ts';

const FIVE_MINUTES = 300_000;
const DAY = 288;

/** Scores of values that come every five minutes. */
function scores(values: Iterable<number>, detector = new AutoDetector(), from = 0): number[] {
  return Array.from(values, (value, i) => detector.judge(value, from + i * FIVE_MINUTES).score);
}

/** A daily wave with noise. */
function wave(days: number, seed = 7): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: days * DAY }, (_, i) => 20 + 5 * Math.sin((i / DAY) * 2 * Math.PI) + random() - 0.5);
}

test('a value far outside everything seen is an anomaly, and only its onset', () => {
  const values = wave(10);
  for (let i = 2000; i < 2030; i++) values[i] = 40;
  const got = scores(values);
  expect(got[2000]).toBeGreaterThan(2);
  expect(got.slice(0, 2000).filter((score) => score >= 1)).toEqual([]);
  expect(got.slice(2001, 2100).filter((score) => score >= 1).length).toBeLessThan(3);
});

test('a value that is usual, but not at this time of the day, is an anomaly', () => {
  const random = seededRandom(9);
  const shift = (i: number) => (i % DAY >= 100 && i % DAY < 220 ? 80 : 20) + random();
  const values = Array.from({ length: 14 * DAY }, (_, i) => shift(i));
  const idle = values.slice();
  for (let i = 11 * DAY + 100; i < 11 * DAY + 220; i++) idle[i] = 20 + random();
  const detector = new AutoDetector();
  scores(values.slice(0, 11 * DAY + 110), detector);
  expect(detector.judge(20.5, (11 * DAY + 110) * FIVE_MINUTES).score).toBeGreaterThan(0);
  expect(detector.expected()).toMatch(
    /^between 79\.\S+ and 81\.\S+ at this time of the day$|^between 80\.\S+ and 81\.\S+ at this time of the day$/,
  );
  const between = (got: number[]) => Math.max(...got.slice(11 * DAY, 12 * DAY));
  expect(between(scores(idle))).toBeGreaterThan(between(scores(values)) + 0.5);
});

test('a series that becomes restless within its range is told by its spread', () => {
  const random = seededRandom(11);
  const calm = Array.from({ length: 4000 }, (_, i) => 50 + 10 * Math.sin(i / 150) + 0.4 * (random() - 0.5));
  for (let i = 3500; i < 3700; i++) calm[i]! += i % 2 === 0 ? 3 : -3;
  const detector = new AutoDetector();
  const got = scores(calm, detector);
  expect(Math.max(...got.slice(3500, 3600))).toBeGreaterThan(1);
  expect(Math.max(...got.slice(1000, 3500))).toBeLessThan(1);
});

test('it is learning until its warm-up is over, and calls nothing an anomaly', () => {
  const detector = new AutoDetector();
  for (let i = 0; i < 200; i++) {
    expect(detector.judge(i === 150 ? 1e6 : i % 7, i)).toEqual({ score: 0, anomaly: false, learning: true });
  }
  expect(detector.judge(3, 200).learning).toBe(false);
});

test('a constant scores 0 for ever; its first step is told but tells only how large steps are, a far larger one is an anomaly', () => {
  const values = new Array<number>(5000).fill(21.5);
  values[3000] = 21.6;
  values[4000] = 23;
  const got = scores(values);
  expect(got.slice(0, 3000).every((score) => score === 0)).toBe(true);
  expect(got[3000]).toBeGreaterThan(0);
  expect(got.flatMap((score, i) => (score >= 1 ? [i] : []))).toEqual([4000]);
});

test('a slow sensor that rounds coarsely raises no alarm when it takes its next step', () => {
  const values = Array.from({ length: 5000 }, (_, i) => Math.round(200 + i / 300) / 10);
  expect(Math.max(...scores(values))).toBeLessThan(1);
});

test('rounding noise on a large constant is no movement', () => {
  const got = scores(Array.from({ length: 6000 }, (_, i) => 1e6 + (i % 700 === 5 ? 2e-10 : 0)));
  expect(Math.max(...got)).toBeLessThan(0.01);
});

test('a switch that goes on and off as ever, and a sensor that alternates, are no anomalies', () => {
  const random = seededRandom(3);
  expect(Math.max(...scores(Array.from({ length: 8000 }, () => (random() < 0.3 ? 1 : 0))))).toBeLessThan(1);
  expect(Math.max(...scores(Array.from({ length: 8000 }, (_, i) => i % 2)))).toBeLessThan(1);
});

test('a level that shifts raises no storm of anomalies', () => {
  const values = wave(20).map((value, i) => (i > 2500 ? value + 30 : value));
  const at = scores(values).flatMap((score, i) => (score >= 1 ? [i] : []));
  expect(at[0]).toBe(2501);
  expect(at.length).toBeLessThan(5);
});

test('one wild reading does not blind it, and one that comes again and again is soon known', () => {
  for (const wild of [100, 65_535, 1e9]) {
    const values = wave(10);
    values[1000] = wild;
    values[2000] = 40;
    const got = scores(values);
    expect(got[1000]).toBeGreaterThan(1);
    expect(got[2000]).toBeGreaterThan(1);
  }
  const again = wave(60).map((value, i) => (i % 500 === 499 ? -127 : value));
  expect(scores(again).filter((score) => score >= 1).length).toBeLessThan(8);
});

test('a gap of days, and two readings ever, are no trouble', () => {
  const detector = new AutoDetector();
  const values = wave(8);
  expect(Math.max(...scores(values.slice(0, 1000), detector))).toBeLessThan(1);
  // Three days and a little later: the season goes on where it is then.
  const got = scores(values.slice(1000), detector, 1000 * FIVE_MINUTES + 3 * 86_400_000);
  expect(Math.max(...got)).toBeLessThan(1);
  expect(scores([5, 5])).toEqual([0, 0]);
});

test('shifting, scaling or mirroring values, or shifting times, leaves the scores as they are', () => {
  const values = wave(14);
  values[2500] = 90;
  for (let i = 3000; i < 3050; i++) values[i]! += i % 3;
  for (let i = 3600; i < 3800; i++) values[i]! -= 9;
  const original = scores(values);
  expect(original.filter((score) => score > 0.1).length).toBeGreaterThan(2);
  for (const [factor, offset, from] of [
    [-1, 0, 0],
    [1024, 0, 0],
    [-0.125, 0, 777],
    [37.3, -4200, 86_400_000 * 3 + 1234],
  ] as const) {
    const moved = scores(
      values.map((value) => value * factor + offset),
      new AutoDetector(),
      from,
    );
    // Compared where rounding cannot turn a score of nearly 0 into 0; profiles are kept in single precision.
    for (const [i, score] of moved.entries()) {
      if (Math.max(score, original[i]!) > 0.1) expect(score).toBeCloseTo(original[i]!, 3);
    }
  }
});

test('the more often a series is read, the more evidence an anomaly takes', () => {
  // Before the seasons have a say, so that nothing but the time between readings is different.
  const values = wave(4).slice(0, 1000);
  values[900] = 27;
  const everyMs = (stepMs: number) => {
    const detector = new AutoDetector();
    return values.map((value, i) => detector.judge(value, i * stepMs).score)[900]!;
  };
  expect(everyMs(FIVE_MINUTES)).toBeGreaterThan(1);
  expect(everyMs(360_000) / everyMs(FIVE_MINUTES)).toBeCloseTo(1, 1);
  expect(everyMs(FIVE_MINUTES) / everyMs(60_000)).toBeCloseTo(1.4, 1);
  expect(everyMs(FIVE_MINUTES) / everyMs(1000)).toBeCloseTo(2.4, 1);
});

test('series that are judged in turns score as they do alone', () => {
  const series = [wave(10, 1), wave(10, 2).map((value) => value * -100), wave(10, 3).map((value) => Math.round(value))];
  const detectors = series.map(() => new AutoDetector());
  const inTurns = series.map(() => [] as number[]);
  for (let i = 0; i < series[0]!.length; i++) {
    for (const [k, detector] of detectors.entries()) {
      inTurns[k]!.push(detector.judge(series[k]![i]!, i * FIVE_MINUTES).score);
    }
  }
  for (const [k, values] of series.entries()) expect(inTurns[k]).toEqual(scores(values));
});

test('the largest numbers there are give finite scores and words', () => {
  const detector = new AutoDetector(autoSettings({ warmUp: 1 }));
  for (let i = 0; i < 3000; i++) {
    const { score } = detector.judge(i % 3 === 0 ? 1.79e308 : -1.79e308, i * FIVE_MINUTES);
    expect(Number.isFinite(score)).toBe(true);
    expect(detector.expected()).not.toMatch(/NaN|Infinity/);
  }
});

test('its snapshot is one block below 5 kB, and another is refused with a hint', () => {
  const detector = new AutoDetector();
  expect((detector.snapshot() as Uint8Array).length).toBeLessThan(5000);
  expect(() => detector.restore(null)).toThrow('Cannot restore the auto detector');
  expect(() => detector.restore(new Uint8Array(9))).toThrow('its snapshot is 9 bytes, not');
});

test('a snapshot does not change when its detector goes on', () => {
  const detector = new AutoDetector();
  scores(wave(2), detector);
  const snapshot = detector.snapshot() as Uint8Array;
  const copy = Uint8Array.from(snapshot);
  scores(wave(2), detector);
  expect(snapshot).toEqual(copy);
});
