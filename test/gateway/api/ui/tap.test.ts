import { expect, test } from 'vitest';
import { formatTime } from '../../../../gateway/api/ui/format.ts';
import { type Passed, tapRow } from '../../../../gateway/api/ui/tap.ts';

const TIME = Date.UTC(2026, 0, 5, 6);
const SERIES = { key: 'press/flow', device: 'press', metric: 'flow', tags: {} };

test('a reading that passes is a line with its time, value and quality, and what became of it', () => {
  const reading = { series: 'press/flow', value: 21.5, quality: 'good', sourceTime: TIME };
  expect(tapRow(reading)).toBe(`${formatTime(TIME)}  21.50  good`);
  expect(tapRow({ ...reading, value: 'running', outcome: 'late' })).toBe(`${formatTime(TIME)}  running  good  late`);
});

test('a result is a line with its window, its first fields, and its revision where it was corrected', () => {
  const result = {
    kind: 'aggregate',
    series: SERIES,
    window: 'minute',
    start: TIME,
    end: TIME + 60_000,
    revision: 2,
    good: 1,
    fields: { count: 6, mean: 2, min: 1, max: 3 },
  } as const;
  expect(tapRow(result)).toBe(`${formatTime(TIME)}  minute  count 6.000  mean 2.000  min 1.000  revision 2`);
  expect(tapRow({ ...result, revision: 0, fields: {} })).toBe(`${formatTime(TIME)}  minute`);
});

test('an alarm is a line with its severity, its detector, and what has happened to it', () => {
  const alarm = { kind: 'alarm', time: TIME, severity: 'critical', detector: 'range', state: 'raised' } as Passed;
  expect(tapRow(alarm)).toBe(`${formatTime(TIME)}  critical of range raised`);
});
