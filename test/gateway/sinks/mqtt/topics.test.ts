import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NoTopic, topicLevel, topicOf } from '../../../../gateway/sinks/mqtt/topics.ts';
import { aggregate, alarm, seriesOf } from '../results.ts';

const SEED = Number(process.env['HEADGATE_SEED'] ?? Date.now() % 2 ** 31);

it('an ordinary name is a level as it is', () => {
  for (const name of ['press-1', 'oil_temperature', '°C', '日本', 'a b', 'x,y=z', '$SYS', '😀', '.'])
    expect(topicLevel(name)).toBe(name);
});

it('what a topic must not hold, or would divide it, is percent-encoded, and so is the percent sign', () => {
  expect(topicLevel('a/b+c#d%e')).toBe('a%2Fb%2Bc%23d%25e');
  expect(topicLevel('\0\n\x7f\x85')).toBe('%00%0A%7F%C2%85');
  expect(topicLevel('\ufffe\u{1ffff}')).toBe('%EF%BF%BE%F0%9F%BF%BF');
});

it('no two names become one level, none of which a broker refuses', () => {
  process.stderr.write(`topics: seed ${SEED}\n`);
  const name = fc.string({
    unit: fc.constantFrom('a', '%', '/', '+', '#', '2', 'F', '\0', '\n', '\uffff', 'é'),
    maxLength: 6,
  });
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(topicLevel(a) === topicLevel(b)).toBe(a === b);
      expect(topicLevel(a)).not.toMatch(/[/+#\p{Cc}\uffff]/u);
      expect(decodeURIComponent(topicLevel(a))).toBe(a);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

it('results of windows and alarms have the topics of the contract', () => {
  expect(topicOf(aggregate(), 'headgate/press-hall')).toBe('headgate/press-hall/aggregates/press-1/temperature/minute');
  expect(topicOf(alarm(), 'a/b/press-hall')).toBe('a/b/press-hall/alarms/press-1/temperature');
  expect(topicOf(aggregate({ window: 'minute:late' }), 'h/g')).toBe('h/g/aggregates/press-1/temperature/minute:late');
});

it('a name that is not Unicode, or too long, has no topic, with the reason', () => {
  expect(topicOf(alarm({ series: seriesOf('a\udc00', 'm') }), 'h')).toBeInstanceOf(NoTopic);
  expect(topicOf(alarm({ series: seriesOf('a', '\ud800') }), 'h')).toMatchObject({
    reason: expect.stringContaining('Unicode'),
  });
  const long = topicOf(alarm({ series: seriesOf('/'.repeat(22_000), 'm') }), 'h');
  expect(long).toMatchObject({ reason: expect.stringContaining('MQTT allows 65535') });
});
