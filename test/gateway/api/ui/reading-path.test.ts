import { expect, test } from 'vitest';
import { watchableOf } from '../../../../gateway/api/ui/reading-path.ts';
import { FakeInspection } from '../fake-inspection.ts';

const STAGES = [
  'accepted',
  'reduction',
  'derive:fahrenheit',
  'derive:other',
  'join:load',
  'window:minute',
  'window:run',
  'rollup:hour',
  'detect:range',
  'detect:novelty',
  'fates',
  'results',
].map((name) => ({ name, of: 'readings' as const, description: '' }));

test('of all stages those can be watched that readings of the series pass, and what is derived from them at its own series', async () => {
  const explanation = await new FakeInspection(() => true).explain({ series: 'press/temperature', time: 0 });
  expect(watchableOf(explanation!, STAGES).map(({ stage, series }) => `${stage} ${series}`)).toEqual([
    'accepted press/temperature',
    'reduction press/temperature',
    'derive:fahrenheit press/temperature_f',
    'window:minute press/temperature',
    'rollup:hour press/temperature',
    'detect:range press/temperature',
    'fates press/temperature',
    'results press/temperature',
  ]);
});

test('a join is watched at the series that it derives, whichever side is shown', async () => {
  const inspection = new FakeInspection(() => true);
  const plain = (await inspection.explain({ series: 'press/current', time: 0 }))!;
  const [made] = plain.derived;
  const derived = [{ ...made!, by: 'join:load (right)', series: 'press/load' }];
  expect(watchableOf({ ...plain, derived }, STAGES)).toContainEqual({ stage: 'join:load', series: 'press/load' });
});
