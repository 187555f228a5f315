import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';

test('while new series are refused, those that are known are found', () => {
  const registry = new SeriesRegistry();
  const known = registry.intern({ device: 'a', metric: 'm' });
  registry.refusal = 'no new series is taken while memory is short';
  expect(registry.intern({ device: 'a', metric: 'm' })).toBe(known);
  expect(registry.intern({ device: 'b', metric: 'm' })).toBe('no new series is taken while memory is short');
  expect(registry.all()).toHaveLength(1);
  registry.refusal = undefined;
  expect(registry.intern({ device: 'b', metric: 'm' })).toMatchObject({ device: 'b' });
});
