import { expect, it } from 'vitest';
import { FORMATS, ntfyTopic } from '../../../../gateway/sinks/webhook/formats.ts';
import { alarm, seriesOf, T0 } from '../results.ts';

const hall = { name: 'hall', tags: { area: 'north', site: 'overruled' } };
const url = new URL('https://alerts.example/hooks/press-hall');
const series = { ...seriesOf('press-1', 'temperature', { site: 'plant-7' }), unit: '°C' };
const raised = alarm({ series, detector: 'range', severity: 'critical', message: 'x is 31 °C, a < b & c > d.' });
const cleared = { ...raised, state: 'cleared', active: false, time: T0 + 9000, message: 'x is 22 °C.' } as const;

it('json has the type and time of the step, and the words of the API', () => {
  expect(FORMATS.json(raised, hall, url)).toMatchObject({
    url,
    body: {
      type: 'alarm.raised',
      timestamp: '2026-01-05T08:00:05.000Z',
      data: {
        id: `hall/${raised.id}@raised`,
        alarm: raised.id,
        series: 'plant-7/press-1/temperature',
        tags: { area: 'north', site: 'plant-7' },
        active: true,
        message: raised.message,
      },
    },
  });
  expect(FORMATS.json(cleared, hall, url).body).toMatchObject({ type: 'alarm.cleared', data: { active: false } });
});

it('Alertmanager knows an alarm by the same labels from its beginning to its end', () => {
  const [begins] = FORMATS.alertmanager(raised, hall, url).body as [Record<string, unknown>];
  const [ends] = FORMATS.alertmanager(cleared, hall, url).body as [Record<string, unknown>];
  expect(begins).toEqual({
    labels: {
      alertname: 'range',
      gateway: 'hall',
      area: 'north',
      site: 'plant-7',
      device: 'press-1',
      metric: 'temperature',
      detector: 'range',
      severity: 'critical',
    },
    annotations: { summary: raised.message, alarm: raised.id, score: '1.75', value: '31' },
    startsAt: '2026-01-05T08:00:05.000Z',
    endsAt: '2027-01-05T08:00:05.000Z',
  });
  expect(ends['labels']).toEqual(begins['labels']);
  expect(ends).toMatchObject({ startsAt: begins['startsAt'], endsAt: '2026-01-05T08:00:09.000Z' });
});

it('Alertmanager gets names of labels that it takes, and a tag does not take the place of a label of ours', () => {
  const odd = seriesOf('press-1', 'flow', { 'my tag': 'a', '9': 'b', device: 'c', severity: 'd' });
  const [sent] = FORMATS.alertmanager(alarm({ series: odd }), hall, url).body as [{ labels: object }];
  expect(sent.labels).toMatchObject({ my_tag: 'a', _9: 'b', device: 'press-1', severity: 'warning' });
});

it('Slack gets a line in which its characters are escaped', () => {
  expect(FORMATS.slack(raised, hall, url).body).toEqual({
    text: '🔴 critical: x is 31 °C, a &lt; b &amp; c &gt; d. (hall)',
  });
  expect(FORMATS.slack(cleared, hall, url).body).toEqual({ text: '✅ cleared: x is 22 °C. (hall)' });
});

it('ntfy gets a message for the topic at the end of the address, posted to what is before', () => {
  expect(FORMATS.ntfy(raised, hall, url)).toEqual({
    url: new URL('https://alerts.example/hooks/'),
    body: {
      topic: 'press-hall',
      title: 'critical: press-1 temperature (hall)',
      message: raised.message,
      priority: 5,
      tags: ['rotating_light'],
    },
  });
  expect(FORMATS.ntfy(cleared, hall, url).body).toMatchObject({ priority: 3, tags: ['white_check_mark'] });
  expect(ntfyTopic(new URL('https://ntfy.example/a%20b?auth=x'))).toBe('a b');
  expect(ntfyTopic(new URL('https://ntfy.example/'))).toBeUndefined();
});
