import { expect, it } from 'vitest';
import { describeLog } from './contract/log.ts';
import { MemoryLog } from './memory-log.ts';

describeLog('the log in memory', async () => {
  let log = new MemoryLog();
  return {
    open: async () => {
      log = log.afterCrash();
      return log;
    },
    dispose: async () => undefined,
  };
});

it('the log in memory counts what a test drops and damages', async () => {
  const log = new MemoryLog();
  for (let i = 0; i < 5; i++) log.append(Buffer.from('a'), 2);
  await log.commit();
  log.damage(3);
  log.drop(2);
  expect((await log.reader(0).read(1000)).map(({ offset, ordinal }) => [offset, ordinal])).toEqual([
    [2, 4],
    [4, 8],
  ]);
  expect(log.status()).toMatchObject({ appendedItems: 10, keptItems: 4, droppedItems: 4, damagedItems: 2 });
});
