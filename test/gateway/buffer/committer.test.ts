import { beforeEach, describe, expect, it } from 'vitest';
import { fill, never, offsetsOf, Rig, range } from './open-log.ts';

describe('a committer on a disk that gets full', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
  });

  it.each([{ sync: 'never' }, { sync: { everyMs: 1_000 } }] as const)(
    'drops as the newest only what was not promised yet, with $sync',
    async ({ sync }) => {
      const log = await rig.open({ whenFull: 'drop-newest', sync });
      await fill(log, 10);
      const reader = log.reader(0);
      expect(await reader.read(100_000)).toHaveLength(10);
      rig.disk.fault = (call, path) => (call === 'write' && path.endsWith('.log') ? 'ENOSPC' : undefined);
      await fill(log, 1);
      rig.disk.fault = () => undefined;
      await fill(log, 1);
      expect(log.status()).toMatchObject({ appendedItems: 12, keptItems: 11, droppedItems: 1 });
      expect(await offsetsOf(log)).toEqual([...range(0, 10), 11]);
      await reader.close();
      await log.stop(never);
    },
  );

  it('does not sync again what a sync has failed of: it is written once more', async () => {
    const log = await rig.open({ whenFull: 'block' });
    let syncs = 0;
    rig.disk.fault = (call, path) =>
      call === 'datasync' && path.endsWith('.log') && ++syncs === 1 ? 'ENOSPC' : undefined;
    for (let offset = 0; offset < 30; offset++) log.append(Buffer.from(`${offset} `.padEnd(100, '.')), 1);
    await log.commit();
    rig.disk.cutPower();
    await log.stop(AbortSignal.abort());
    const again = await rig.open();
    expect(await offsetsOf(again)).toEqual(range(0, 30));
    await again.stop(never);
  });
});
