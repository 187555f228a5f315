import { expect, test } from 'vitest';
import { divisionOf } from '../../../gateway/catalog/key-groups.ts';
import { configurationOf } from '../../config/load-text.ts';

function undivided(on: string): string | undefined {
  const join = `{ name: warming, left: "*/inside", right: "*/outside", asOf: 1m, value: left - right, on: ${on} }`;
  return divisionOf(configurationOf(`join: [${join}]`)).undivided;
}

test('a join within a device leaves devices apart, one across devices binds all of them', () => {
  expect(undivided('device')).toBeUndefined();
  expect(undivided('[phase, device]')).toBeUndefined();
  expect(undivided('[site, hall]')).toBe(
    'the join warming is on site, hall: it may bind series of any devices, as it is not on device',
  );
});
