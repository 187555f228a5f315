import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { consumersOf } from '../../../gateway/catalog/consumers.ts';
import { configurationOf } from '../../config/load-text.ts';

const consumers = consumersOf(
  configurationOf(`
windows:
  - { name: minute, series: "*/voltage", window: { tumbling: 1m }, aggregates: [mean] }
  - { name: hundred, window: { count: 100 }, aggregates: [mean] }
rollups:
  - { name: day, from: hour, window: { tumbling: 1d } }
  - { name: hour, from: minute, window: { tumbling: 1h } }
reduce:
  - { series: "*/voltage", deadband: 0.5, atLeastEvery: 5m }
  - { series: "*", deadband: 0 }
derive: [{ name: kilo, series: "*/current", metric: kiloampere, value: value / 1000.0 }]
join: [{ name: power, left: "*/voltage", right: "*/current", on: device, within: 500ms, value: left * right }]
detect:
  - { series: "motor/*", detector: range, min: 1 }
  - { series: "*/heat", detector: flatline, for: 10m }
  - { together: ["*/heat", "*/speed"], detector: mahalanobis, relearnAfter: 2h }
`),
);

function of(metric: string) {
  const series = new SeriesRegistry().intern({ device: 'motor', metric });
  if (typeof series === 'string') throw new Error(series);
  return consumers(series);
}

test('the rule that decides for a series is told as the file has it, and rollups with what they are made from', () => {
  expect(of('voltage')).toEqual({
    reduction: 'series: */voltage, deadband: 0.5, atLeastEvery: 5m',
    readBy: ['join:power (left)'],
    windows: ['minute', 'hundred', 'hour', 'day'],
    detectors: [{ detector: 'range', options: { min: 1 } }],
  });
});

test('derivations and joins are told with the side they read', () => {
  expect(of('current')).toMatchObject({
    reduction: 'series: *, deadband: 0',
    readBy: ['derive:kilo', 'join:power (right)'],
    windows: ['hundred'],
  });
});

test('detectors are told with their options as the file has them, and those of several series with whom they judge', () => {
  expect(of('heat').detectors).toEqual([
    { detector: 'range', options: { min: 1 } },
    { detector: 'flatline', options: { for: '10m', tolerance: 0 } },
    {
      detector: 'mahalanobis',
      options: { together: '*/heat, */speed', smooth: 20, memory: 4000, warmUp: 200, threshold: 5, relearnAfter: '2h' },
    },
  ]);
});
