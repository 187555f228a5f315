import { describe, expect, test } from 'vitest';
import { falseShare, labelledSeriesPresent, nabResults, printNabResults } from './labelled-series.ts';

describe.skipIf(!labelledSeriesPresent)('novelty on labelled series, one configuration for all', () => {
  test('reaches the NAB score it was chosen for, at the best threshold and at its own', async () => {
    const { best, own } = await nabResults('novelty');
    printNabResults('novelty', { best, own });
    expect(best.standard.score).toBeGreaterThan(62);
    expect(best.reward_low_FP_rate.score).toBeGreaterThan(57);
    expect(best.reward_low_FN_rate.score).toBeGreaterThan(68);
    // It is set for a quiet plant, not for the benchmark.
    expect(own.standard.score).toBeGreaterThan(39);
  });

  test('calls at most one reading in a thousand an anomaly in normal operation', async () => {
    expect(await falseShare('novelty')).toBeLessThan(0.001);
  });
});
