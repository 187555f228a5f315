import { expect, test } from 'vitest';
import type { Result } from '../../../gateway/core/result.ts';
import { DetectStage } from '../../../gateway/detect/detect-stage.ts';
import { WindowStage } from '../../../gateway/pipeline/windows/window-stage.ts';
import { WARMED_AT_ONCE, warm } from '../../../gateway/runtime/warm.ts';
import { Plant } from '../pipeline/make-reading.ts';

const WINDOWS = [
  { name: 'm', series: '*', window: { tumblingMs: 10_000, allowedLatenessMs: 0 }, aggregates: ['mean', 'p95'] },
  { name: 'h', series: '*', window: { hoppingMs: 9000, everyMs: 3000, allowedLatenessMs: 0 }, aggregates: ['max'] },
  { name: 's', series: 'a/*', window: { sessionGapMs: 5000, allowedLatenessMs: 0 }, aggregates: ['time_mean'] },
];

/** What becomes of readings of some series that take turns, one of them seen by no stage. */
function analysed(isWarmed: boolean): unknown {
  const plant = new Plant();
  const windows = new WindowStage({
    windows: WINDOWS.map((one) => ({ ...one, series: one.series === '*' ? '*/x' : one.series })),
    time: { outOfOrdernessMs: 1000, idleTimeoutMs: 30_000 },
    findSeries: (key) => plant.registry.get(key),
  });
  const rules = ['novelty', 'auto', 'range'].map((detector) => ({
    series: '*/x',
    detector,
    ...(detector === 'range' ? { options: { max: 5 } } : {}),
  }));
  const detection = new DetectStage({ rules });
  const results: Result[] = [];
  const emit = (result: Result) => void results.push(result);
  const readings = Array.from({ length: 30 * WARMED_AT_ONCE + 3 }, (_, i) =>
    plant.reading(['a/x', 'b/x', 'c/y'][i % 3]!, Math.sin(i) * 10, i * 700),
  );
  readings.forEach((reading, i) => {
    if (isWarmed && i % WARMED_AT_ONCE === 0) warm([windows, detection], readings, i);
    windows.process(reading, emit);
    detection.process(reading, emit);
  });
  return { results, windows: windows.snapshot(), detection: detection.snapshot() };
}

test('warming changes nothing', () => {
  expect(analysed(true)).toEqual(analysed(false));
});

test('a stage reads of every series it knows, and of no other', () => {
  const plant = new Plant();
  const detection = new DetectStage({ rules: [{ series: 'a/*', detector: 'novelty' }] });
  for (let i = 0; i < 3; i++) for (const path of ['a/x', 'b/x']) detection.process(plant.reading(path, 8, i), () => {});
  expect(detection.warm(plant.series('a/x'))).toBeGreaterThan(0);
  expect(detection.warm(plant.series('b/x'))).toBe(0);
  expect(detection.warm(plant.series('a/unseen'))).toBe(0);
});
