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

test('an identity that is too large as a whole makes no series, however short each name is', () => {
  const registry = new SeriesRegistry();
  const tags = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`name-${i}`, 'value of this tag']));
  expect(registry.intern({ device: 'd', metric: 'm', tags })).toMatch(
    /^device, metric and tags have \d+ bytes together; at most 2048 are allowed$/,
  );
  expect(registry.intern({ device: 'd', metric: '温'.repeat(256), tags: { a: '温'.repeat(256) } })).toHaveProperty(
    'id',
  );
  expect(
    registry.intern({ device: '温'.repeat(256), metric: '温'.repeat(256), tags: { a: '温'.repeat(256) } }),
  ).toContain('have 2308 bytes');
});
