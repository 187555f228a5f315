import { expect, test } from 'vitest';
import {
  type DetectTableOptions,
  defaultDetector,
  type ScoredRow,
  scoreTable,
} from '../../../gateway/detect/detect-table.ts';

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

/** Three columns that go together, the last of which jumps away at row 700. */
const TOGETHER = [
  'timestamp,load,current,heat',
  ...Array.from({ length: 900 }, (_, i) => {
    const load = Math.sin(i / 3) + Math.sin(i * 1.7) / 3;
    return `${i * 1000},${load},${load * 2 + Math.sin(i * 2.3) / 4},${(i < 700 ? load : load + 9) + Math.sin(i * 0.9) / 4}`;
  }),
];

test('several columns are judged together by a detector that does so, and no score depends on a later row', async () => {
  const all = await scored(TOGETHER.join('\n'), { detector: 'mahalanobis' });
  const first = all.findIndex((row) => row.anomaly === 1);
  expect(first).toBeGreaterThanOrEqual(700);
  expect(first).toBeLessThan(720);
  expect(all[first]!.score).toBeGreaterThanOrEqual(1);
  for (const rows of [100, 701, 750]) {
    expect(await scored(TOGETHER.slice(0, rows + 1).join('\n'), { detector: 'mahalanobis' })).toEqual(
      all.slice(0, rows),
    );
  }
});

test('columns that are empty or hold texts do not keep the others from being judged together', async () => {
  const holes = TOGETHER.map((line, row) => (row === 0 ? `${line},note,gone` : `${line},ok,`));
  const plain = await scored(TOGETHER.join('\n'), { detector: 'mahalanobis' });
  expect(await scored(holes.join('\n'), { detector: 'mahalanobis' })).toEqual(plain);
});

test('fewer than two columns, or too many, cannot be judged together', async () => {
  const together = { detector: 'mahalanobis' };
  await expect(scored('timestamp,a\n1,2', together)).rejects.toThrow('Cannot judge one column together');
  const many = Array.from({ length: 33 }, (_, i) => `c${i}`).join(',');
  await expect(scored(`timestamp,${many}\n1,2`, together)).rejects.toThrow('Cannot judge 33 columns together');
  await expect(scored('timestamp,a,b\n1,2,3', { ...together, options: { warmUp: 1 } })).rejects.toThrow('warmUp is 1');
});

test('without a detector one column is judged by auto, several together', () => {
  expect([1, 2, 8].map(defaultDetector)).toEqual(['auto', 'mahalanobis', 'mahalanobis']);
});

test('a table without values, an unknown detector and a missing option are refused with a hint', async () => {
  await expect(scored('timestamp\n1', RANGE)).rejects.toThrow('it has no column of values');
  await expect(scored('timestamp,a\n1,2', { detector: 'oracle' })).rejects.toThrow('a detector named');
  await expect(scored('timestamp,a\n1,2', { detector: 'range' })).rejects.toThrow('neither min nor max');
});

test('an empty table has no rows', async () => {
  expect(await Array.fromAsync(scoreTable([], RANGE))).toEqual([]);
});
