import { describe, expect, it } from 'vitest';
import { pointOf } from '../../../../gateway/sinks/influxdb/points.ts';
import { aggregate, alarm, seriesOf, T0 } from '../results.ts';

const gatewayTags = { gateway: 'press-hall' };

describe('pointOf', () => {
  it('gives the measurement, tags, fields and time that the contract promises', () => {
    const series = seriesOf('press-1', 'temperature', { site: 'plant-7' });
    expect(pointOf(aggregate({ series, good: 0.5, revision: 3 }), gatewayTags)).toEqual({
      measurement: 'temperature',
      tags: { gateway: 'press-hall', site: 'plant-7', device: 'press-1', window: 'minute' },
      fields: { count: 60, mean: 21.5, min: 20, max: 23, good: 0.5 },
      time: T0,
    });
    expect(pointOf(alarm({ series, state: 'cleared', time: T0 + 9000 }), gatewayTags)).toEqual({
      measurement: 'alarms',
      tags: {
        gateway: 'press-hall',
        site: 'plant-7',
        device: 'press-1',
        metric: 'temperature',
        detector: 'novelty',
        severity: 'warning',
      },
      fields: {
        ...{ active: false, score: 1.75, value: 31, message: 'expected between 20 and 23, saw 31' },
        ...{ priority: 500, count: 1, shelved: false, suppressed: false },
      },
      time: T0 + 9000,
    });
  });

  it('tells of an alarm what belongs together, how often it came, and whether nobody was told', () => {
    const marks = { group: 'press-1@5', count: 7, priority: 620 };
    expect(pointOf(alarm({ ...marks, suppressed: 'flood' }), {})?.fields).toMatchObject({
      ...marks,
      ...{ active: true, shelved: false, suppressed: true },
    });
    expect(pointOf(alarm({ suppressed: 'shelved' }), {})?.fields).toMatchObject({ shelved: true, suppressed: true });
  });

  it('gives nothing for what a person does', () => {
    for (const state of ['acknowledged', 'shelved', 'unshelved'] as const) {
      expect(pointOf(alarm({ state }), gatewayTags)).toBeUndefined();
    }
  });

  it('prefers a tag of the series to a tag of the gateway', () => {
    const series = seriesOf('press-1', 'temperature', { site: 'hall-2' });
    expect(pointOf(aggregate({ series }), { site: 'plant-7' })?.tags['site']).toBe('hall-2');
  });

  it('keeps a metric called alarms, and its like, out of the alarms', () => {
    const measurements = ['alarms', 'alarms_', 'alarms__', 'alarm', 'alarms_2'].map(
      (metric) => pointOf(aggregate({ series: seriesOf('d', metric) }), gatewayTags)?.measurement,
    );
    expect(measurements).toEqual(['alarms_', 'alarms__', 'alarms___', 'alarm', 'alarms_2']);
  });

  it('never merges two series because a tag has a name with a meaning', () => {
    const tags = { device: 'other', window: 'x', time: 'noon', device_: 'y', __proto__x: 'z' };
    expect(pointOf(aggregate({ series: seriesOf('press-1', 'm', tags) }), {})?.tags).toEqual({
      device: 'press-1',
      window: 'minute',
      device_: 'other',
      window_: 'x',
      time_: 'noon',
      device__: 'y',
      __proto__x: 'z',
    });
  });

  it('keeps an aggregate called good beside the share of good readings', () => {
    expect(pointOf(aggregate({ fields: { good: 7 }, good: 1 }), {})?.fields).toEqual({ good_: 7, good: 1 });
  });
});
