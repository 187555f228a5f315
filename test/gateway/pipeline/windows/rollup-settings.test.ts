import { expect, test } from 'vitest';
import { defineWindows, type RollupSettings } from '../../../../gateway/pipeline/windows/rollup-settings.ts';

const minute = {
  name: 'minute',
  series: '*/power',
  window: { tumblingMs: 60_000, allowedLatenessMs: 10_000 },
  aggregates: ['count', 'mean'],
};

function rollup(name: string, from: string, minutes: number, change: Partial<RollupSettings> = {}): RollupSettings {
  return { name, from, window: { tumblingMs: minutes * 60_000 }, ...change };
}

test('each comes after what it is made from, whatever the order in the configuration', () => {
  const rollups = [rollup('day', 'hour', 1440), rollup('shift', 'hour', 480), rollup('hour', 'minute', 60)];
  const definitions = defineWindows([minute], rollups, 0);
  expect(definitions.map(({ name }) => name)).toEqual(['minute', 'hour', 'day', 'shift']);
});

test('a rollup means the series, allows the lateness and has the aggregates of what it is made from', () => {
  const [, hour] = defineWindows([minute], [rollup('hour', 'minute', 60)], 0);
  expect(hour).toMatchObject({ series: '*/power', latenessMs: 10_000 });
  expect(hour?.plan.names).toEqual(['count', 'mean']);
});

test.each([
  ['a name that is not there', [rollup('hour', 'second', 60)], 'Cannot make "hour" from "second"', 'minute'],
  [
    'a ring',
    [rollup('a', 'b', 60), rollup('b', 'a', 120), rollup('hour', 'minute', 60)],
    'Cannot make "a" from "b"',
    'minute, hour',
  ],
  ['windows that do not nest', [rollup('hour', 'minute', 0.5)], 'Cannot make windows of 30000 ms', 'multiple'],
  [
    'an aggregate that cannot be merged',
    [rollup('hour', 'minute', 60, { aggregates: ['max'] })],
    'Cannot merge "max"',
    'count, sum, mean;',
  ],
])('%s is refused', (_, rollups, message, hint) => {
  expect(() => defineWindows([minute], rollups, 0)).toThrow(
    expect.objectContaining({ message: expect.stringContaining(message), hint: expect.stringContaining(hint) }),
  );
});
