import { expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

test('a flood that would be over while it goes on is refused, where it stands', () => {
  expect(briefly(problemsOf('alarms: { flood: { above: 4, below: 5 } }'))).toEqual([
    '1:37 alarms.flood.below: a flood begins with more than 4 alarms and is over with fewer than 5: it would never be over, or begin at once',
  ]);
  expect(problemsOf('alarms: { flood: { above: 4, below: 4 } }')).toEqual([]);
});

test('without floods it does not matter when one is over', () => {
  expect(configurationOf('alarms: { flood: { above: 0 } }').alarms).toEqual({
    maxShelvingMs: 86_400_000,
    groupWithinMs: 60_000,
    flood: { above: 0, below: 5, withinMs: 600_000 },
  });
});
