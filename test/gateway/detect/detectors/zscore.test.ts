import { expect, test } from 'vitest';
import { ZscoreDetector, zscoreSettings } from '../../../../gateway/detect/detectors/zscore.ts';
import { anomaliesIn, deviationContract, noise, scoresOf } from './deviation-contract.ts';

const MINUTE = 60_000;

deviationContract((warmUp) => new ZscoreDetector(zscoreSettings({ warmUp })));

test('the score is the distance from the mean in standard deviations, over the threshold', () => {
  const detector = new ZscoreDetector();
  scoresOf(detector, noise(1000));
  const sigmas = (51 - 50) / Math.sqrt(1 / 12);
  expect(detector.judge(51, 1000 * MINUTE).score).toBeCloseTo(sigmas / 6, 1);
  const verdict = detector.judge(53, 1001 * MINUTE);
  expect(verdict).toMatchObject({ anomaly: true, learning: false });
  expect(detector.expected()).toMatch(/^between 48\.[123]\S* and 51\.[789]\S*$/);
});

test('an anomaly does not join its own baseline: what lasts for less than the time scores the same to its end', () => {
  const values = noise(2000).map((value, i) => (i >= 1000 && i < 1055 ? value + 20 : value));
  const got = scoresOf(new ZscoreDetector(), values);
  const during = got.slice(1000, 1055);
  expect(Math.min(...during)).toBeGreaterThan(0.9 * Math.max(...during));
  expect(Math.max(...got.slice(1055))).toBeLessThan(1);
});

test('a new level is learnt after the stated time, through a time of learning', () => {
  const detector = new ZscoreDetector();
  const values = noise(3000).map((value, i) => (i >= 1000 ? value + 20 : value));
  const judged = values.map((value, i) => ({ ...detector.judge(value, i * MINUTE) }));
  expect(judged.flatMap(({ anomaly }, i) => (anomaly ? [i] : []))).toEqual(
    Array.from({ length: 60 }, (_, i) => 1000 + i),
  );
  expect(judged.flatMap(({ learning }, i) => (learning && i >= 1000 ? [i] : []))).toEqual(
    Array.from({ length: 200 }, (_, i) => 1060 + i),
  );
  // Where the old level was is strange now.
  expect(detector.judge(50, 3000 * MINUTE).anomaly).toBe(true);
});

test('more noise is an anomaly at first, and then known', () => {
  const values = noise(6000).map((value, i) => (i >= 1000 ? 50 + (value - 50) * 20 : value));
  const at = anomaliesIn(scoresOf(new ZscoreDetector(), values));
  expect(at.length).toBeGreaterThan(10);
  expect(at.at(-1)).toBeLessThan(1200);
});

test('a level that is fine by the word of a person is learnt at once, and there is nothing to learn of what is over', () => {
  const detector = new ZscoreDetector(zscoreSettings({ warmUp: 50 }));
  const values = noise(2000).map((value, i) => (i >= 1000 ? value + 500 : value));
  const anomalies = values.flatMap((value, i) => {
    if (i === 900) expect(detector.accept()).toBe(false);
    if (i === 1003) expect(detector.accept()).toBe(true);
    return detector.judge(value, i * 1000).anomaly ? [i] : [];
  });
  expect(anomalies).toEqual([1000, 1001, 1002]);
});
