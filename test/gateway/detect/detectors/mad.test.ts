import { expect, test } from 'vitest';
import { MadDetector, madSettings } from '../../../../gateway/detect/detectors/mad.ts';
import { anomaliesIn, deviationContract, noise, scoresOf } from './deviation-contract.ts';

deviationContract((warmUp) => new MadDetector(madSettings({ warmUp })));

test('the score is the distance from the rolling median in scaled MADs, over the threshold', () => {
  const detector = new MadDetector();
  scoresOf(detector, noise(2000));
  const verdict = detector.judge(55, 2000 * 60_000);
  expect(verdict.score).toBeCloseTo(5 / (6 * 1.4826 * 0.25), 0);
  expect(verdict).toMatchObject({ anomaly: true, learning: false });
  expect(detector.expected()).toMatch(/^between 47\.\d+ and 52\.\d+$/);
});

test('anomalies do not hide each other, nor what follows: a fifth of a window of them scores as a single one', () => {
  const values = noise(2000);
  for (let i = 1000; i < 1020; i++) values[i] = 60;
  values[1500] = 60;
  const got = scoresOf(new MadDetector(), values);
  expect(anomaliesIn(got)).toEqual([...Array.from({ length: 20 }, (_, i) => 1000 + i), 1500]);
  expect(got[1019]).toBeGreaterThan(0.6 * got[1000]!);
});

test('a new level is learnt when half of the window has seen it', () => {
  const at = anomaliesIn(
    scoresOf(
      new MadDetector(),
      noise(2000).map((value, i) => (i >= 1000 ? value + 20 : value)),
    ),
  );
  expect(at[0]).toBe(1000);
  expect(at.length).toBeGreaterThanOrEqual(50);
  expect(at.at(-1)).toBeLessThanOrEqual(1051);
});

test('what a third of the readings are is not strange, though the MAD does not see it', () => {
  const values = noise(6000).map((value, i) => (i % 3 === 0 ? value + 15 : value));
  expect(anomaliesIn(scoresOf(new MadDetector(), values))).toEqual([]);
});
