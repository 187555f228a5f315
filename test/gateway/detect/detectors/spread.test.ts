import { expect, test } from 'vitest';
import { SpreadDetector, spreadSettings } from '../../../../gateway/detect/detectors/spread.ts';
import { seededRandom } from '../seeded-random.ts';

const MINUTE = 60_000;

/** Places of anomalies among values that come every minute. */
function anomalies(values: readonly number[], detector = new SpreadDetector()): number[] {
  return values.flatMap((value, i) => (detector.judge(value, i * MINUTE).anomaly ? [i] : []));
}

/** A slow wave with uniform noise of width 1, which `noise` times where it is given, in readings. */
function wave(count: number, noise: (i: number) => number = () => 1): number[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, (_, i) => 50 + 20 * Math.sin(i / 200) + noise(i) * (random() - 0.5));
}

test('five times the noise, and a fifth of it, are told within a hundred readings', () => {
  for (const factor of [5, 1 / 5]) {
    const at = anomalies(wave(3200, (i) => (i >= 3000 && i < 3100 ? factor : 1)));
    expect(at[0]).toBeGreaterThan(3000);
    expect(at[0]).toBeLessThan(3100);
  }
});

test('a noisy sensor that stands still is suspiciously calm, and the alarm says by how much it steps', () => {
  const detector = new SpreadDetector();
  const values = wave(3000);
  const at = anomalies([...values, ...new Array<number>(100).fill(values.at(-1)!)], detector);
  expect(at[0]).toBeGreaterThan(3010);
  expect(at[0]).toBeLessThan(3100);
  expect(detector.seen()).toMatch(/^steps by 0\.0\d+ on average$/);
  expect(detector.expected()).toMatch(/^between 0\.1\d* and 0\.[6789]\d*$/);
});

test('a spike, a shift of the level and a slope are no change of the spread', () => {
  const values = wave(5000).map((value, i) => value + (i > 2000 ? 300 : 0) + Math.max(0, i - 3000) / 20);
  values[1500] = 1e6;
  expect(anomalies(values)).toEqual([]);
});

test('a new spread is learnt after the stated time', () => {
  const at = anomalies(wave(6000, (i) => (i >= 2000 ? 20 : 1)));
  expect(at.length).toBeGreaterThan(50);
  expect(at.at(-1)).toBeLessThan(2000 + 50 + 66);
});

test('a new spread that is fine by the word of a person is learnt at once', () => {
  const detector = new SpreadDetector();
  const values = wave(3000, (i) => (i >= 2000 ? 20 : 1));
  let accepted: number | undefined;
  for (const [i, value] of values.entries()) {
    if (i === 1999) expect(detector.accept()).toBe(false);
    if (!detector.judge(value, i * MINUTE).anomaly) continue;
    expect(accepted).toBeUndefined();
    expect(detector.accept()).toBe(true);
    accepted = i;
  }
  expect(accepted).toBeGreaterThan(1999);
});

test('a series that never moved is being learnt, and so is one that has just begun to', () => {
  const detector = new SpreadDetector(spreadSettings({ warmUp: 100 }));
  for (let i = 0; i < 5000; i++) {
    expect(detector.judge(21.5, i * MINUTE)).toEqual({ score: 0, anomaly: false, learning: true });
  }
  const learning = wave(1000).filter((value, i) => detector.judge(value, (5000 + i) * MINUTE).learning);
  expect(learning.length).toBe(100);
});

test('a sensor that alternates, a seldom switch and a coarse sensor are as they always were', () => {
  const random = seededRandom(3);
  expect(anomalies(Array.from({ length: 8000 }, (_, i) => (i % 2 === 0 ? 10 : 900)))).toEqual([]);
  expect(anomalies(Array.from({ length: 8000 }, () => (random() < 0.003 ? 1 : 0)))).toEqual([]);
  expect(anomalies(Array.from({ length: 8000 }, (_, i) => Math.round(200 + i / 300) / 10))).toEqual([]);
});

test('unit, offset and sign make no difference', () => {
  const values = wave(3200, (i) => (i >= 3000 ? 3 : 1));
  const scores = (of: readonly number[]) => {
    const detector = new SpreadDetector();
    return of.map((value, i) => detector.judge(value, i * MINUTE).score);
  };
  const original = scores(values);
  const moved = scores(values.map((value) => -0.37 * value + 1234));
  for (const [i, score] of moved.entries()) expect(score).toBeCloseTo(original[i]!, 6);
});

test('a sensor that rounds is still for hours, then flickers between two values, and is no more restless for that', () => {
  const random = seededRandom(13);
  const coarse = Array.from({ length: 100_000 }, (_, i) => Math.round(i / 20_000 + 0.05 * (random() - 0.5)));
  expect(coarse.filter((value, i) => i > 0 && value !== coarse[i - 1]).length).toBeGreaterThan(500);
  expect(anomalies(coarse)).toEqual([]);
});
