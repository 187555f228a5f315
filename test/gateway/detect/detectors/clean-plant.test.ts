import { describe, expect, test } from 'vitest';
import { createDetector } from '../../../../gateway/detect/detectors/detectors.ts';
import { seededRandom } from '../seeded-random.ts';
import { cleanSensor } from './clean-plant.ts';
import { learningDetectors } from './learning-detectors.ts';

const DAY_MS = 86_400_000;

/** Anomalies that a detector at its defaults tells of so many sensors, read every so often, in so many days. */
function anomaliesOf(detector: string, stepMs: number, sensors: number, days: number): number {
  const random = seededRandom(stepMs + 1);
  let anomalies = 0;
  for (let sensor = 0; sensor < sensors; sensor++) {
    const judge = createDetector(detector);
    const next = cleanSensor(random, stepMs);
    for (let time = 0; time < days * DAY_MS; time += stepMs) {
      if (judge.judge(next(), 1.7e12 + time).anomaly) anomalies++;
    }
  }
  return anomalies;
}

test('the detectors that need to be told nothing are known', () => {
  const learning = ['auto', 'novelty', 'zscore', 'mad', 'cusum', 'seasonal', 'spread'];
  expect([...learningDetectors].sort()).toEqual(learning.sort());
});

/** Anomalies a day. Novelty tells of the first movement of a constant, and some sensors round so coarsely that they are one for hours. */
const MOST: Readonly<Record<string, number>> = { auto: 0.05, novelty: 2 };

describe.each(learningDetectors)('%s raises no alarm in a clean plant', (name) => {
  test.each([
    { sensors: 200, every: 'minute', stepMs: 60_000, days: 1 },
    { sensors: 20, every: 'ten seconds', stepMs: 10_000, days: 1 },
    { sensors: 30, every: 'minute', stepMs: 60_000, days: 6 },
    { sensors: 100, every: 'quarter of an hour', stepMs: 900_000, days: 42 },
  ])('of $sensors sensors that are read every $every, in $days days', ({ sensors, stepMs, days }) => {
    expect(anomaliesOf(name, stepMs, sensors, days) / days).toBeLessThanOrEqual(MOST[name] ?? 0);
  });
});

test('heartbeat raises none of 200 sensors that are read a minute, give or take, in a day with outages of seconds', () => {
  const random = seededRandom(8);
  let anomalies = 0;
  for (let sensor = 0; sensor < 200; sensor++) {
    const judge = createDetector('heartbeat');
    let time = 1.7e12;
    while (time < 1.7e12 + DAY_MS) {
      time += 60_000 * (0.5 + random()) + (random() < 0.01 ? 30_000 : 0);
      if (judge.judge(1, time).anomaly) anomalies++;
    }
  }
  expect(anomalies).toBe(0);
});
