import { expect, test } from 'vitest';
import { toMqttFilter, topicFilter, topicTemplate } from '../../../devices/mqtt/topic-template.ts';

test.each([
  ['sensors/_/+', 'sensors/a/b', true],
  ['sensors/_/+', 'sensors/a', false],
  ['sensors/#', 'sensors', true],
  ['sensors/#', 'sensors/a/b/c', true],
  ['#', 'a/b', true],
  ['+/a', '/a', true],
])('the filter %s and the topic %s: %s', (filter, topic, matches) => {
  expect(topicFilter(filter)(topic.split('/'))).toBe(matches);
});

test.each(['', 'a/#/b', 'a+/b', 'a#'])('the filter %j is refused', (filter) => {
  expect(() => topicFilter(filter)).toThrow('Cannot use the topic filter');
});

test('`_` is `+` to MQTT', () => {
  expect(toMqttFilter('a/_/b_c/+/#')).toBe('a/+/b_c/+/#');
});

test('a template names the levels', () => {
  expect(topicTemplate('_/site/device/metric')('x/plant/p1/t'.split('/'))).toEqual({
    device: 'p1',
    metric: 't',
    tags: { site: 'plant' },
  });
  expect(topicTemplate('device/metric/device/metric*')('a/b/c/d/e'.split('/'))).toMatchObject({
    device: 'a_c',
    metric: 'b_d_e',
  });
  expect(topicTemplate('_/device')(['a'])).toBeUndefined();
  expect(() => topicTemplate('_/de vice')).toThrow('Cannot use the word "de vice"');
});
