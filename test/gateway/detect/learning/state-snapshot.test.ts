import { deserialize, serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { restoreState, snapshotOf } from '../../../../gateway/detect/learning/state-snapshot.ts';

test('a block comes back as it was, and a snapshot does not change when its detector goes on', () => {
  const numbers = Float64Array.of(1.5, Number.NaN, -0, 1e308);
  const snapshot = snapshotOf(3, numbers);
  const stored: unknown = deserialize(serialize(snapshot));
  const before = numbers.slice();
  numbers.fill(9);
  restoreState('mad', 3, numbers, snapshot);
  expect(numbers).toEqual(before);
  numbers.fill(9);
  restoreState('mad', 3, numbers, stored);
  expect(numbers).toEqual(before);
});

test('one of another version or size, or something else, is refused with what it is', () => {
  const numbers = new Float64Array(2);
  const refusal = (snapshot: unknown) => {
    try {
      restoreState('mad', 3, numbers, snapshot);
    } catch (error) {
      return (error as Error).message;
    }
    return 'accepted';
  };
  expect(refusal(snapshotOf(2, numbers))).toBe(
    'Cannot restore a mad detector: its snapshot is of version 2 and 16 bytes, not of version 3 and 16 bytes',
  );
  expect(refusal(snapshotOf(3, new Float64Array(3)))).toContain('of version 3 and 24 bytes, not');
  expect(refusal(null)).toContain('its snapshot is no copy of a state, not of version 3');
  expect(refusal({ version: 3 })).toContain('no copy of a state');
});
