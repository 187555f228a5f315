import { expect, test } from 'vitest';
import { type DetectTableOptions, type ScoredRow, scoreTable } from '../../../gateway/detect/detect-table.ts';

async function scored(csv: string, options: DetectTableOptions): Promise<ScoredRow[]> {
  return Array.fromAsync(
    scoreTable(
      csv
        .trim()
        .split('\n')
        .map((line) => line.trim().split(',')),
      options,
    ),
  );
}

const RANGE = { detector: 'range', options: { min: 0, max: 10 } };

test('every row after the head is scored, in order, under its own timestamp', async () => {
  const rows = await scored('timestamp,value\n2026-11-23 00:00:00,5\n2026-11-23 00:00:01,15\nlast,10', RANGE);
  expect(rows).toEqual([
    { timestamp: '2026-11-23 00:00:00', score: 0, anomaly: 0 },
    { timestamp: '2026-11-23 00:00:01', score: 2, anomaly: 1 },
    { timestamp: 'last', score: 1, anomaly: 0 },
  ]);
});

test('of several columns the highest score counts', async () => {
  const rows = await scored('timestamp,a,b\n1,5,20\n2,20,5\n3,5,5', RANGE);
  expect(rows.map((row) => row.score)).toEqual([3, 3, 0]);
  expect(rows.map((row) => row.anomaly)).toEqual([1, 1, 0]);
});

test('cells without a finite number are not judged, and the row is scored all the same', async () => {
  const rows = await scored('timestamp,a,b\n1,,20\n2,NaN,-\n3,1e999,5\n4', RANGE);
  expect(rows.map((row) => row.score)).toEqual([3, 0, 0, 0]);
});

test('rows whose time stands still or goes back are judged as just behind the one before', async () => {
  const options = { detector: 'rate-of-change', options: { maxPerSecond: 1 } };
  const rows = await scored(
    'timestamp,a\n2026-11-23 00:00:01,0\n2026-11-23 00:00:01,5\n2026-11-23 00:00:00,0\nx,5',
    options,
  );
  expect(rows.map((row) => row.score)).toEqual([0, 5, 0, 5]);
});

test('the score of a row depends on no later row', async () => {
  const lines = [
    'timestamp,value',
    ...Array.from({ length: 900 }, (_, i) => `${i * 1000},${Math.sin(i) * (i % 97 === 0 ? 9 : 1)}`),
  ];
  const all = await scored(lines.join('\n'), { detector: 'novelty' });
  const some = await scored(lines.slice(0, 700).join('\n'), { detector: 'novelty' });
  expect(some).toEqual(all.slice(0, 699));
});

test('a table without values, an unknown detector and a missing option are refused with a hint', async () => {
  await expect(scored('timestamp\n1', RANGE)).rejects.toThrow('it has no column of values');
  await expect(scored('timestamp,a\n1,2', { detector: 'oracle' })).rejects.toThrow('a detector named');
  await expect(scored('timestamp,a\n1,2', { detector: 'range' })).rejects.toThrow('neither min nor max');
});

test('an empty table has no rows', async () => {
  expect(await Array.fromAsync(scoreTable([], RANGE))).toEqual([]);
});
