import { expect, test } from 'vitest';
import {
  checkedState,
  requireStateAggregate,
  type StateCondition,
} from '../../../../gateway/pipeline/windows/state-windows.ts';

test.each<[StateCondition, string]>([
  [{ above: 80, until: 81 }, 'Cannot make windows that begin above 80 and last until the value is below 81'],
  [{ below: 5, until: 4 }, 'Cannot make windows that begin below 5 and last until the value is above 4'],
  [{ above: Number.NaN }, 'Cannot make windows of a state above NaN'],
  [{ below: 5, until: Number.POSITIVE_INFINITY }, 'Cannot make windows of a state until Infinity'],
  [{ equals: Number.NaN }, 'Cannot make windows of a state equals NaN'],
  [{ equals: '' }, 'Cannot make windows of a state that is an empty text'],
])('the condition %j is refused', (condition, message) => {
  expect(() => checkedState({ while: condition })).toThrow(message);
});

test.each<[StateCondition, number | string, boolean, boolean]>([
  [{ above: 80 }, 80, false, false],
  [{ above: 80 }, 80.1, true, true],
  [{ above: 80, until: 80 }, 80, false, true],
  [{ above: 80, until: 75 }, 75, false, true],
  [{ above: 80, until: 75 }, 74.9, false, false],
  [{ below: 5 }, 5, false, false],
  [{ below: 5, until: 8 }, 8, false, true],
  [{ below: 5, until: 8 }, 8.1, false, false],
  [{ equals: 3 }, 3, true, true],
  [{ equals: 3 }, 4, false, false],
  [{ equals: 'on' }, 'on', true, true],
  [{ equals: 'on' }, 'ON', false, false],
  [{ equals: 'on' }, '', false, false],
  [{ equals: 'on' }, 1, false, false],
  [{ equals: '3' }, 3, false, false],
  [{ unchanged: true }, 7, true, true],
  [{ unchanged: true }, 8, true, false],
])(
  'under %j a value of %j begins a window: %s, and goes on with one that began with 7: %s',
  (condition, value, begins, goesOn) => {
    const judge = checkedState({ while: condition });
    expect([judge.begins(value), judge.goesOn(value, 7)]).toEqual([begins, goesOn]);
  },
);

test('a text has no number that could be aggregated', () => {
  const shape = { while: { equals: 'running' } };
  for (const name of ['count', 'coverage']) expect(() => requireStateAggregate(shape, name)).not.toThrow();
  expect(() => requireStateAggregate(shape, 'mean')).toThrow('Cannot compute mean while the value is "running"');
  expect(() => requireStateAggregate({ while: { equals: 3 } }, 'mean')).not.toThrow();
});
