import { expect, test } from 'vitest';
import { Router } from '../../../devices/mqtt/reading-rules.ts';
import { RecordingIntake } from '../recording-intake.ts';

function route(rules: ConstructorParameters<typeof Router>[0], topic: string, payload: string) {
  const intake = new RecordingIntake(10);
  const legal = new Router(rules, intake).handle(topic, Buffer.from(payload), 1);
  return { legal, readings: intake.summary(), reasons: intake.rejections.map(({ reason }) => reason), intake };
}

test('without a template the last level is the metric, the one before the device', () => {
  expect(route([{ topic: '#' }], 'a/b/c', '1').readings).toEqual(['b/c=1']);
  expect(route([{ topic: '#' }], 'p1', '1').readings).toEqual(['p1/value=1']);
  expect(route([{ topic: '#' }], 'p1', '{"t":1}').readings).toEqual(['p1/t=1']);
});

test('the payload goes before the rule, the rule before the topic', () => {
  const rule = { topic: '#', device: 'ruled', json: { device: 'd' } };
  expect(route([rule], 'a/b', '{"value":1}').readings).toEqual(['ruled/b=1']);
  expect(route([rule], 'a/b', '{"value":1,"d":"said"}').readings).toEqual(['said/b=1']);
});

test('the first rule that matches wins', () => {
  const rules = [{ topic: 'a/#', plain: true as const, tags: { site: 's' } }, { topic: '#' }];
  expect(route(rules, 'a/b', '1').readings).toEqual(['s/a/b=1']);
  expect(route(rules, 'a/b', '{"value":1}').reasons).toHaveLength(1);
});

test('a topic that fits no rule, or not its template, is refused with the filters', () => {
  expect(route([{ topic: 'x/+' }, { topic: 'y' }], 'z', '1').reasons).toEqual([
    'the topic "z" fits no rule; the filters are: x/+, y',
  ]);
  expect(route([{ topic: 'x/#', template: '_/device' }], 'x/a/b', '1').reasons).toEqual([
    'the topic "x/a/b" has 3 levels and does not fit the template _/device of the filter x/#',
  ]);
});

test('a name that cannot be a series is refused with the reason, its neighbours are read', () => {
  expect(route([{ topic: '#' }], 'a//b', '{"value":1}').reasons).toEqual(['the device is empty']);
  expect(route([{ topic: '#' }], 'a/b', '{"a\\nb":1,"c":2}')).toMatchObject({
    readings: ['a/c=2'],
    reasons: ['the metric "a\\nb" has a control character or is not valid Unicode'],
  });
});

test('a series beyond the bound is refused with the bound, those that are known are read on', () => {
  const intake = new RecordingIntake(1);
  const router = new Router([{ topic: '#' }], intake);
  for (const topic of ['a/b', 'a/c', 'a/b']) router.handle(topic, Buffer.from('1'), 1);
  expect(intake.summary()).toEqual(['a/b=1', 'a/b=1']);
  expect(intake.rejections).toMatchObject([
    { subject: 'a/c', reason: expect.stringContaining('1 are known, the most allowed by storage.maxSeries') },
  ]);
});

test('line protocol brings its own names', () => {
  expect(route([{ topic: 'telegraf/#', line: {} }], 'telegraf/x', 'cpu,host=h idle=1').readings).toEqual([
    'h/cpu_idle=1',
  ]);
});

test('two formats in one rule are refused', () => {
  expect(() => route([{ topic: 'a', plain: true, json: {} }], 'a', '1')).toThrow('names 2 formats');
});

test('an illegal topic is told to the caller and handed to nobody', () => {
  expect(route([{ topic: '#' }], 'a/\u0000', '1')).toMatchObject({ legal: false, readings: [], reasons: [] });
});
