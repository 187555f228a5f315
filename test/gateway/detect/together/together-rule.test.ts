import { expect, test } from 'vitest';
import type { Series } from '../../../../gateway/core/reading.ts';
import { checkTogether, readyTogether, type TogetherRule } from '../../../../gateway/detect/together/together-rule.ts';

const RULE: TogetherRule = { together: ['*/a', '*/b'], on: ['device'], maxAgeMs: 1000, detector: 'mahalanobis' };

function series(device: string, tags: Readonly<Record<string, string>> = {}): Series {
  return { id: 0, key: `${device}/a`, device, metric: 'a', tags, unit: undefined };
}

test('series belong together in which what on names is equal', () => {
  const [byDevice] = readyTogether([RULE]);
  expect(byDevice!.groupOf(series('x'))).toBe('x');
  expect(byDevice!.groupOf(series('x', { site: 's' }))).toBe('s/x');
  const [byTags] = readyTogether([{ ...RULE, on: ['hall', 'device'] }]);
  expect(byTags!.groupOf(series('x', { hall: '7' }))).toBe('7+x');
  expect(byTags!.groupOf(series('x'))).toBeUndefined();
  const [all] = readyTogether([{ ...RULE, on: [] }]);
  expect(all!.groupOf(series('x'))).toBe('*/a+*/b');
});

test('rules are told apart by name, and known again by what they say', () => {
  const alarm = { severity: 'critical' } as const;
  const rules = readyTogether([RULE, { ...RULE, alarm }, { ...RULE, options: { threshold: 4 } }]);
  expect(rules.map(({ name }) => name)).toEqual(['mahalanobis', 'mahalanobis#2', 'mahalanobis#3']);
  const keys = rules.map(({ key }) => key);
  expect(keys[1]).toBe(`${keys[0]}#2`);
  expect(keys[2]).not.toContain(keys[0]);
  expect(readyTogether([{ ...RULE, alarm }])[0]!.key).toBe(keys[0]);
  expect(rules.map(({ alarmPolicy }) => alarmPolicy?.holdMs)).toEqual([undefined, 30_000, undefined]);
});

test('a rule that cannot be is told by its series', () => {
  const failing = (rule: Partial<TogetherRule>) => () => readyTogether([{ ...RULE, ...rule }]);
  expect(failing({ detector: 'auto' })).toThrow(
    'Cannot use the detect rule for */a, */b together: Cannot find a detector',
  );
  expect(failing({ maxAgeMs: -1 })).toThrow('its maxAgeMs is -1');
  expect(failing({ options: { threshold: 0 } })).toThrow('threshold is 0');
  expect(failing({ alarm: { severity: 'info', hysteresis: 2 } })).toThrow('hysteresis is 2');
  expect(failing({ together: ['x/a'], on: [] })).toThrow('x/a is one series');
});

test('only what can hold two series is a rule', () => {
  const fits =
    (together: readonly string[], on: readonly string[] = []) =>
    () =>
      checkTogether({ together, on });
  expect(fits(['x/a', 'x/b'])).not.toThrow();
  expect(fits(['x/*'])).not.toThrow();
  expect(fits(['a'])).not.toThrow();
  expect(fits(['x/a', 'x/b', 'y/a'], ['device'])).not.toThrow();
  expect(fits(['x/a', 'y/b'], ['device'])).toThrow('each of x/a, y/b is of another one');
  expect(fits(['x/a', 'x/a'])).toThrow('x/a is there twice');
  expect(fits(['a', 'b'], ['hall', 'hall'])).toThrow('on names hall twice');
  expect(fits(Array.from({ length: 33 }, (_, i) => `x/m${i}`))).toThrow('there are 33 series');
});
