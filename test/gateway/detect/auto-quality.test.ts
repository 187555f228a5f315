import { describe, expect, test } from 'vitest';
import { AutoDetector } from '../../../gateway/detect/auto.ts';
import { type Distortion, falseShare, labelledSeriesPresent, nabResults, printNabResults } from './labelled-series.ts';
import { seededRandom } from './seeded-random.ts';

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

/** One day of a sensor in order: a season of minutes, hours or a day, noise, for some a slow wander, and the rounding of a transmitter. */
function cleanDay(random: () => number, stepMs: number): number[] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const base = 10 ** (random() * 3);
  const swing = base * (0.02 + 0.2 * random());
  const noise = base * 10 ** (-1.3 - 1.5 * random());
  const wander = random() < 0.5 ? noise * (1 + 3 * random()) : 0;
  const seasonMs = [86_400_000, 28_800_000, 3_600_000, 600_000, 45_000][Math.floor(random() * 5)]!;
  const phase = random();
  const keep = Math.exp(-stepMs / 600_000);
  const decimals = 10 ** Math.floor(1 + random() * 3);
  let strayed = 0;
  return Array.from({ length: Math.floor(86_400_000 / stepMs) }, (_, i) => {
    strayed = keep * strayed + wander * Math.sqrt(1 - keep * keep) * normal();
    const value = base + swing * Math.sin(2 * Math.PI * ((i * stepMs) / seasonMs + phase)) + strayed + noise * normal();
    return Math.round(value * decimals) / decimals;
  });
}

test.each([
  [60_000, 200],
  [10_000, 100],
  [1000, 5],
])('raises no alarm in the first day of a clean plant, a reading every %i ms, %i sensors', (stepMs, sensors) => {
  const random = seededRandom(stepMs);
  let anomalies = 0;
  for (let sensor = 0; sensor < sensors; sensor++) {
    const detector = new AutoDetector();
    cleanDay(random, stepMs).forEach((value, i) => {
      if (detector.judge(value, 1.7e12 + i * stepMs).anomaly) anomalies++;
    });
  }
  expect(anomalies).toBe(0);
});
