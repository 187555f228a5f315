import { describe, expect, test } from 'vitest';
import type { TableContent } from '../../../gateway/core/table.ts';
import { TableKeeper } from '../../../gateway/runtime/table-keeper.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { type Box, newBox, START } from './box.ts';

const RATED = (rated: number, hall = 'A'): TableContent => ({
  columns: { rated: 'double', hall: 'string' },
  rows: [['d', [rated, hall]]],
});

async function boxWith(content: TableContent): Promise<Box> {
  const box = await newBox();
  box.tables = [{ name: 'machines', key: 'device', tags: ['hall', 'rated'], content }];
  box.derive = [{ name: 'share', series: 'd/a', metric: 'b', value: 'value / machines.rated' }];
  await box.boot();
  return box;
}

async function send(box: Box, from: number, ...values: number[]): Promise<void> {
  values.forEach((value, i) => {
    box.send({ metric: 'a', value, time: START + (from + i) * 1000 });
  });
  await box.acknowledged();
}

function shares(box: Box): readonly unknown[] {
  return box.gateway.readings({ series: 'd/b', limit: 99 })?.map(({ value }) => value) ?? [];
}

/** The file says something else, and time goes on until the gateway has looked. */
async function change(box: Box, content: TableContent): Promise<void> {
  box.readTable = async () => content;
  await box.clock.advance(5_000);
  await box.acknowledged();
}

describe('a table', () => {
  test('is seen by expressions, and takes its place among the readings when it changes', async () => {
    const box = await boxWith(RATED(10));
    await send(box, 0, 1, 2);
    await change(box, RATED(100));
    await send(box, 2, 3);
    expect(shares(box)).toEqual([0.1, 0.2, 0.03]);
    expect(box.gateway.status().tables).toEqual([{ name: 'machines', rows: 1, problem: null }]);
    await box.stop();
  });

  test.each(['before', 'after'])(
    'is in a replay what it was, whatever the file says by then, with a crash %s the checkpoint',
    async (when) => {
      const box = await boxWith(RATED(10));
      await send(box, 0, 1);
      await change(box, RATED(100));
      await send(box, 1, 2);
      if (when === 'after') await box.untilCheckpoint();
      // What the file says when the process begins again.
      box.tables = [{ ...box.tables[0]!, content: RATED(1000) }];
      await box.crash();
      if (when === 'before') expect(shares(box)).toEqual([0.1, 0.02]);
      await send(box, 2, 3);
      expect(shares(box).at(-1)).toBe(0.003);
      await box.crash();
      expect(shares(box).at(-1)).toBe(0.003);
      await box.stop();
    },
  );

  test('that cannot be read any more stays as it was, which the status tells until it can', async () => {
    const box = await boxWith(RATED(10));
    box.readTable = () => Promise.reject(new Error('it has 1000000 rows; at most 10000 are taken'));
    await box.clock.advance(10_000);
    await send(box, 0, 1);
    expect(shares(box)).toEqual([0.1]);
    expect(box.gateway.status()).toMatchObject({
      state: 'degraded',
      tables: [{ name: 'machines', rows: 1, problem: 'it has 1000000 rows; at most 10000 are taken' }],
    });
    expect(box.logLines().filter((line) => line === 'the table stays as it was')).toHaveLength(1);
    await change(box, { columns: { rated: 'string', hall: 'string' }, rows: [] });
    expect(box.gateway.status().tables[0]?.problem).toContain('the column rated is gone');
    await change(box, RATED(20));
    await send(box, 1, 1);
    expect(shares(box)).toEqual([0.1, 0.05]);
    expect(box.gateway.status()).toMatchObject({ state: 'running', tables: [{ problem: null }] });
    await box.stop();
  });

  test('without a row for a series leaves what names it uncomputed, which is counted', async () => {
    const box = await boxWith({ ...RATED(10), rows: [['e', [1, null]]] });
    await send(box, 0, 1);
    expect(box.gateway.status().derived).toMatchObject([
      { ledger: { received: 1, rejected: 1 }, lastProblem: 'there is no machines.rated, for 1 of d/a' },
    ]);
    await box.stop();
  });

  test('gives tags to results, those of derived series and alarms among them', async () => {
    const box = await boxWith(RATED(0.01));
    await send(box, 0, 2);
    await box.clock.advance(90_000);
    expect(box.stored().map(({ kind, series }) => [kind, series.key, series.tags])).toEqual([
      ['alarm', 'd/b', { hall: 'A', rated: '0.01' }],
      ['aggregate', 'd/a', { hall: 'A', rated: '0.01' }],
      ['aggregate', 'd/a', { hall: 'A', rated: '0.01' }],
      ['aggregate', 'd/b', { hall: 'A', rated: '0.01' }],
    ]);
    await box.stop();
  });
});

test('a change that the journal does not take is told again with the next look', async () => {
  const told: TableContent[] = [];
  let isFull = true;
  const changed = RATED(6);
  const keeper = new TableKeeper({
    tables: [{ name: 'machines', content: RATED(5), read: async () => changed }],
    desk: () => {
      throw new Error('nobody asks');
    },
    tell: ({ content }) => {
      if (isFull) throw new Error('too much waits for the journal');
      told.push(content);
    },
    logger: recordingLogger(),
  });
  await keeper.look();
  expect(keeper.status()).toEqual([{ name: 'machines', rows: 1, problem: 'too much waits for the journal' }]);
  isFull = false;
  await keeper.look();
  await keeper.look();
  expect(told).toEqual([changed]);
  expect(keeper.status()[0]?.problem).toBeNull();
});
