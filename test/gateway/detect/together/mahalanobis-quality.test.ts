import { describe, expect, test } from 'vitest';
import { falseRows, labelledRecordingsPresent, type SkabResult, skabResult } from './labelled-recordings.ts';

function print(title: string, { f1, far, mar }: SkabResult): void {
  process.stdout.write(
    `mahalanobis SKAB ${title}: F1 ${f1.toFixed(3)}, FAR ${far.toFixed(1)} %, MAR ${mar.toFixed(1)} %\n`,
  );
}

describe.skipIf(!labelledRecordingsPresent)('mahalanobis on labelled recordings, one configuration for all', () => {
  test('reaches what it was chosen for', async () => {
    const result = await skabResult('mahalanobis');
    print('as recorded', result);
    expect(result.f1).toBeGreaterThan(0.85);
    expect(result.far).toBeLessThan(13.5);
    expect(result.mar).toBeLessThan(18);
  });

  test('reaches the same where every sensor has another unit, zero and sign', async () => {
    const result = await skabResult('mahalanobis', {
      map: (value, column) => (column % 2 === 0 ? -1 : 1) * 7 ** (column - 3) * (value + 100 * column),
    });
    print('in other units', result);
    expect(result.f1).toBeGreaterThan(0.85);
  });

  test('does not live by where in a recording the trouble is', async () => {
    let sum = 0;
    for (const startsLater of [40, 80, 120, 160, 200]) {
      const result = await skabResult('mahalanobis', { startsLater });
      print(`from row ${startsLater} on`, result);
      expect(result.f1).toBeGreaterThan(0.76);
      expect(result.far).toBeLessThan(20);
      sum += result.f1;
    }
    expect(sum / 5).toBeGreaterThan(0.8);
  });

  test('calls few rows of normal operation anomalies', async () => {
    const share = await falseRows('mahalanobis');
    process.stdout.write(`mahalanobis in normal operation: ${(100 * share).toFixed(2)} % of the rows\n`);
    expect(share).toBeLessThan(0.025);
  });
});
