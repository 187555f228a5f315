import { expect, test } from 'vitest';
import { fill, never, offsetsOf, Rig, range } from './open-log.ts';

test('what a start has read outlives a power cut, also where the start before died as it made it safe', async () => {
  const rig = new Rig();
  const written = await rig.open({ sync: 'never' });
  await fill(written, 30);
  rig.disk.kill();
  await written.stop(AbortSignal.abort());
  const reached = Promise.withResolvers<void>();
  rig.disk.delay = (call, path) => {
    if (call !== 'datasync' || !path.endsWith('.log')) return Promise.resolve();
    reached.resolve();
    return new Promise(() => undefined);
  };
  void rig.open();
  await reached.promise;
  rig.disk.kill();
  rig.disk.delay = () => Promise.resolve();
  const log = await rig.open();
  expect(await offsetsOf(log)).toEqual(range(0, 30));
  rig.disk.cutPower();
  await log.stop(AbortSignal.abort());
  const again = await rig.open();
  expect(await offsetsOf(again)).toEqual(range(0, 30));
  expect(again.status()).toMatchObject({ appendedItems: 30, damagedItems: 0 });
  await again.stop(never);
});
