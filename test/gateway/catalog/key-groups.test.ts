import { expect, test } from 'vitest';
import { divisionOf } from '../../../gateway/catalog/key-groups.ts';
import { configurationOf } from '../../config/load-text.ts';

function undivided(on: string): string | undefined {
  const join = `{ name: warming, left: "*/inside", right: "*/outside", asOf: 1m, value: left - right, on: ${on} }`;
  return divisionOf(configurationOf(`join: [${join}]`)).undivided;
}

test('series of one device that are judged together leave devices apart, others bind all of them', () => {
  const of = (rule: string) =>
    divisionOf(configurationOf(`detect: [{ together: ${rule}, detector: mahalanobis }]`)).undivided;
  expect(of('[a/x, a/y]')).toBeUndefined();
  expect(of('["*/x", "*/y"]')).toBeUndefined();
  expect(of('[x, y]')).toBeUndefined();
  expect(of('[a/x, b/x]')).toBe('a/x, b/x are judged together, and may be of several devices');
  expect(of('["pump*/x", "pump*/y"], on: site')).toContain('may be of several devices');
});

test('a join within a device leaves devices apart, one across devices binds all of them', () => {
  expect(undivided('device')).toBeUndefined();
  expect(undivided('[phase, device]')).toBeUndefined();
  expect(undivided('[site, hall]')).toBe(
    'the join warming is on site, hall: it may bind series of any devices, as it is not on device',
  );
});
