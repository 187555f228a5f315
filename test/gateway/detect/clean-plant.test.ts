import { expect, test } from 'vitest';
import { createDetector } from '../../../gateway/detect/detectors.ts';
import { cleanSensor } from './clean-plant.ts';
import { learningDetectors } from './learning-detectors.ts';
import { seededRandom } from './seeded-random.ts';

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
  expect(learningDetectors).toEqual(expect.arrayContaining(['auto', 'novelty', 'zscore']));
});

// Of novelty it is not promised: it tells what is new, and a clean plant is new for its first days.
test.each(learningDetectors.filter((name) => name !== 'novelty'))(
  '%s raises no alarm in a clean plant: 200 sensors a day a minute, 20 every ten seconds, 200 every quarter of an hour for a fortnight',
  (name) => {
    expect(anomaliesOf(name, 60_000, 200, 1)).toBe(0);
    expect(anomaliesOf(name, 10_000, 20, 1)).toBe(0);
    expect(anomaliesOf(name, 900_000, 200, 14)).toBe(0);
  },
);
