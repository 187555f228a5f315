import { describe, expect, test } from 'vitest';
import { AutoDetector } from '../../../../gateway/detect/detectors/auto.ts';
import { seededRandom } from '../seeded-random.ts';
import { cleanSensor } from './clean-plant.ts';
import { type Distortion, falseShare, labelledSeriesPresent, nabResults, printNabResults } from './labelled-series.ts';

/** What auto reaches on the series as they are, found out once. */
const original = labelledSeriesPresent ? nabResults('auto') : undefined;

describe.skipIf(!labelledSeriesPresent)('auto on labelled series, one configuration for all', () => {
  test('reaches the NAB score it was chosen for', async () => {
    const results = (await original)!;
    printNabResults('auto', results);
    expect(results.best.standard.score).toBeGreaterThan(78);
    expect(results.best.reward_low_FP_rate.score).toBeGreaterThan(72);
    expect(results.best.reward_low_FN_rate.score).toBeGreaterThan(82);
    expect(results.own.standard.fpRows).toBeLessThan(10);
    expect(results.own.standard.detected).toBeGreaterThan(25);
  });

  test.each<[string, Distortion]>([
    ['mirrored', (value, time) => [-value, time]],
    [
      'in another unit, with another zero, weeks later',
      (value, time) => [value * 0.37 + 1234, time + 3 * 7 * 86_400_000],
    ],
    ['three hours and a bit earlier', (value, time) => [value * -55, time - 10_801_000]],
  ])('reaches the same on copies that are %s', async (_title, distort) => {
    const { best } = await nabResults('auto', distort);
    expect(Math.abs(best.standard.score - (await original)!.best.standard.score)).toBeLessThan(1);
  });

  test('calls at most one reading in ten thousand an anomaly in normal operation', async () => {
    expect(await falseShare('auto')).toBeLessThan(0.0001);
  });
});

test.each([
  [60_000, 200],
  [10_000, 100],
  [1000, 5],
])('raises no alarm in the first day of a clean plant, a reading every %i ms, %i sensors', (stepMs, sensors) => {
  const random = seededRandom(stepMs);
  let anomalies = 0;
  for (let sensor = 0; sensor < sensors; sensor++) {
    const detector = new AutoDetector();
    const next = cleanSensor(random, stepMs);
    for (let time = 0; time < 86_400_000; time += stepMs) {
      if (detector.judge(next(), 1.7e12 + time).anomaly) anomalies++;
    }
  }
  expect(anomalies).toBe(0);
});
