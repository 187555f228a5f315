import { expect, test } from 'vitest';
import { resultSeries } from '../../../gateway/base/result-series.ts';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';

test('a result names its series in full, without the number that does not survive a restart', () => {
  const series = new SeriesRegistry().intern({ device: 'press-1', metric: 'oil', tags: { site: 'a' } }, '°C');
  if (typeof series === 'string') throw new Error(series);
  expect(resultSeries(series)).toEqual({
    key: 'a/press-1/oil',
    device: 'press-1',
    metric: 'oil',
    tags: { site: 'a' },
    unit: '°C',
  });
  series.unit = undefined;
  expect(Object.keys(resultSeries(series))).not.toContain('unit');
});
