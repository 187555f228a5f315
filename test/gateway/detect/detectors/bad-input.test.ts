import { describe, expect, test } from 'vitest';
import { createDetector, detectorKinds } from '../../../../gateway/detect/detectors/detectors.ts';
import { seededRandom } from '../seeded-random.ts';
import { learningDetectors } from './learning-detectors.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const START = Date.UTC(2026, 0, 5);
const READINGS = 60_000;

/** Values of a sensor, a reading a minute for six weeks, or at the times given beside. */
interface Input {
  readonly value: (i: number, random: () => number) => number;
  readonly time?: (i: number, random: () => number) => number;
}

const noise = (_: number, random: () => number) => 20 + random();

/** What a sensor may say, and that is nothing strange of it. */
const HARMLESS: Readonly<Record<string, Input>> = {
  'a constant': { value: () => 21.5 },
  'a constant 0': { value: () => 0 },
  'two values in turns': { value: (i) => (i % 2 === 0 ? 10 : 900) },
  'the largest numbers, of both signs': { value: (i) => (i % 3 === 0 ? 1e308 : -1e308) },
  'the largest numbers, with noise': { value: (_, random) => 1e308 * (0.9 + 0.1 * random()) },
  'the smallest numbers': { value: (_, random) => 5e-324 * Math.floor(random() * 4) },
  integers: { value: (_, random) => Math.floor(random() * 5) },
  'a switch': { value: (_, random) => (random() < 0.3 ? 1 : 0) },
  'a switch that is seldom on': { value: (_, random) => (random() < 0.003 ? 1 : 0) },
  'a counter of nothing, then noise on it': { value: (i, random) => (i < 20_000 ? 0 : 3 * Math.floor(2 * random())) },
  'gaps of days': { value: noise, time: (i) => i * MINUTE + Math.floor(i / 500) * 3 * DAY },
  'times out of order': { value: noise, time: (i, random) => i * MINUTE - Math.floor(random() * 50) * MINUTE },
  'times that stand still': { value: noise, time: (i) => Math.floor(i / 100) * MINUTE },
};

/** Novelty tells of the first movement ever, and of the first further one: nothing like them was seen. */
const ALLOWED: Readonly<Record<string, number>> = { 'novelty: a counter of nothing, then noise on it': 2 };

function judged(name: string, { value, time = (i) => i * MINUTE }: Input, count = READINGS) {
  const random = seededRandom(name.length + 5);
  const detector = createDetector(name);
  let anomalies = 0;
  let learning = 0;
  for (let i = 0; i < count; i++) {
    const verdict = detector.judge(value(i, random), START + time(i, random));
    if (!(verdict.score >= 0 && verdict.score < Number.POSITIVE_INFINITY))
      throw new Error(`score ${verdict.score} at ${i}`);
    if (verdict.anomaly) anomalies++;
    if (verdict.learning) learning++;
  }
  return { anomalies, learning };
}

describe.each(learningDetectors)('%s', (name) => {
  test.each(Object.keys(HARMLESS))('calls nothing an anomaly in %s', (input) => {
    expect(judged(name, HARMLESS[input]!).anomalies).toBe(ALLOWED[`${name}: ${input}`] ?? 0);
  });

  test('is still learning after two readings, and says so', () => {
    expect(judged(name, { value: (i) => i * 1000 }, 2)).toEqual({ anomalies: 0, learning: 2 });
  });

  test('raises no storm where the level shifts again and again', () => {
    const shifts = { value: (i: number, random: () => number) => 20 + random() + 50 * Math.floor(i / 10_000) };
    // Five shifts; each may be told for as long as the detector states.
    expect(judged(name, shifts).anomalies).toBeLessThan(READINGS / 2);
  });
});

test('every detector is among those that learn, or is told its limits', () => {
  const told = detectorKinds.map(({ name }) => name).filter((name) => !learningDetectors.includes(name));
  expect(told).toEqual(['range', 'flatline', 'rate-of-change', 'heartbeat']);
});
