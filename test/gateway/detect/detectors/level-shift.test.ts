import { expect, test } from 'vitest';
import { createDetector } from '../../../../gateway/detect/detectors/detectors.ts';
import { seededRandom } from '../seeded-random.ts';
import { learningDetectors } from './learning-detectors.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How long after a shift of its level each detector calls the new one strange at the most, at a reading a minute, as its documentation states; 0
 * where a level is nothing to it.
 */
const LEARNT_AFTER: Readonly<Record<string, number>> = {
  auto: 200 * MINUTE,
  novelty: 200 * MINUTE,
  zscore: HOUR,
  mad: 51 * MINUTE,
  spread: 0,
  seasonal: 25 * HOUR,
  // Forty batches of a thousand readings, as it has learnt of the season, and what it takes to tell.
  cusum: 36 * DAY,
};

test.each(learningDetectors)(
  '%s tells of a level shift, and has learnt the new level after the time it states',
  (name) => {
    const after = LEARNT_AFTER[name];
    expect(after, 'state in docs/detection.md how long it takes, and here').toBeDefined();
    const random = seededRandom(17);
    const shiftAt = 40 * DAY;
    const detector = createDetector(name);
    const anomalies: number[] = [];
    for (let time = 0; time < 80 * DAY; time += MINUTE) {
      const value = 50 + random() + Math.sin((time / DAY) * 2 * Math.PI) / 4 + (time >= shiftAt ? 30 : 0);
      if (detector.judge(value, time).anomaly) anomalies.push(time - shiftAt);
    }
    expect(anomalies.filter((time) => time < 0)).toEqual([]);
    expect(anomalies.length > 0).toBe(after! > 0);
    expect(Math.max(0, ...anomalies)).toBeLessThanOrEqual(after!);
  },
);
