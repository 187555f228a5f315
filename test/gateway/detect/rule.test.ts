import { expect, test } from 'vitest';
import { detectorNames } from '../../../gateway/detect/detectors/detectors.ts';
import { type DetectRule, readyRules } from '../../../gateway/detect/rule.ts';

const range: DetectRule = { series: '*', detector: 'range', options: { max: 1 }, alarm: { severity: 'critical' } };

function hintOf(rules: readonly DetectRule[]): string {
  try {
    readyRules(rules);
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string };
    return `${message} | ${hint}`;
  }
  throw new Error('it was accepted');
}

test('an alarm holds half a minute, waits for nothing and has no hysteresis unless told', () => {
  const [rule] = readyRules([range]);
  expect(rule!.alarmPolicy).toEqual({ holdMs: 30_000, onDelayMs: 0, hysteresis: 0 });
  expect(rule!.priority).toBe({ info: 100, warning: 500, critical: 900 }[rule!.severity]);
  expect(rule!.severity).toBe('critical');
});

test('a rule without an alarm raises none', () => {
  expect(readyRules([{ series: '*', detector: 'novelty' }])[0]!.alarmPolicy).toBeUndefined();
});

test('rules with one detector are told apart by number, in order of the configuration', () => {
  const names = readyRules([range, { series: 'a', detector: 'novelty' }, range]).map((rule) => rule.name);
  expect(names).toEqual(['range', 'novelty', 'range#2']);
});

test('a rule is recognised by pattern, detector and options in any order, not by its alarm', () => {
  const key = (rule: DetectRule) => readyRules([rule])[0]!.key;
  const both = { ...range, options: { min: 0, max: 1 } };
  expect(key({ ...both, options: { max: 1, min: 0 }, alarm: { severity: 'info' } })).toBe(key(both));
  expect(key(range)).not.toBe(key(both));
  expect(key({ ...range, series: 'a' })).not.toBe(key(range));
  expect(new Set(readyRules([range, range]).map((rule) => rule.key)).size).toBe(2);
});

test('a wrong rule is told with its number, its series and what is allowed', () => {
  expect(hintOf([range, { series: 'press/*', detector: 'novlety' }])).toBe(
    `Cannot use detect rule 2 (series "press/*"): Cannot find a detector named "novlety" | the detectors are ${detectorNames.join(', ')}; for several series together mahalanobis`,
  );
  expect(hintOf([{ ...range, alarm: { severity: 'info', holdMs: -1 } }])).toContain('holdMs is -1 | it must be');
  expect(hintOf([{ ...range, alarm: { severity: 'info', onDelayMs: Number.NaN } }])).toContain('onDelayMs is NaN');
  expect(hintOf([{ ...range, alarm: { severity: 'info', hysteresis: 2 } }])).toContain('between 0 and 1');
  expect(hintOf([{ ...range, alarm: { severity: 'info', priority: 0 } }])).toContain('from 1 to 1000');
});

test('a delay is refused for a detector that only tells onsets: it would never raise', () => {
  const rule: DetectRule = { series: '*', detector: 'novelty', alarm: { severity: 'info', onDelayMs: 1000 } };
  expect(hintOf([rule])).toContain('novelty tells only the onset of an anomaly');
});
