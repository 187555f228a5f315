import { beforeEach, describe, expect, it } from 'vitest';
import { fill, never, Rig } from './open-log.ts';

describe('retention on a disk that refuses to note what goes', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
  });

  const refuseState = (code: string) => {
    rig.disk.fault = (_call, path) => (path.includes('/state') ? code : undefined);
  };
  const crash = async () => {
    rig.disk.kill();
    rig.disk.fault = () => undefined;
    return await rig.open();
  };

  it('keeps the files, so that a crash has nothing trimmed taken for damage', async () => {
    const log = await rig.open();
    await fill(log, 200);
    const files = rig.segments();
    refuseState('EIO');
    await log.trim(150);
    expect(rig.segments()).toEqual(files);
    expect(log.status().firstOffset).toBeGreaterThan(100);
    const again = await crash();
    expect(again.status()).toMatchObject({ appendedItems: 200, keptItems: 200, damagedItems: 0 });
    await again.stop(never);
  });

  it('lets the files go with the next trim once it is noted', async () => {
    const log = await rig.open();
    await fill(log, 200);
    refuseState('EIO');
    await log.trim(150);
    rig.disk.fault = () => undefined;
    await log.trim(0);
    expect(rig.segments().length).toBe(log.status().segments);
    const { firstOffset, keptItems } = log.status();
    expect(keptItems).toBe(200 - firstOffset);
    const again = await crash();
    expect(again.status()).toMatchObject({ firstOffset, keptItems, damagedItems: 0, droppedItems: 0 });
    await again.stop(never);
  });

  it('drops nothing whose count it cannot note, and counts it once when it can', async () => {
    const log = await rig.open({ maxBytes: 64 * 1024, whenFull: 'drop-oldest' });
    await fill(log, 400);
    const files = rig.segments();
    refuseState('EIO');
    const filled = fill(log, 200);
    while (log.status().trouble === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(rig.segments()).toContain(files[0]);
    rig.disk.fault = () => undefined;
    await filled;
    const { appendedItems, keptItems, droppedItems, damagedItems } = log.status();
    expect(appendedItems).toBe(600);
    expect(damagedItems).toBe(0);
    expect(keptItems + droppedItems).toBe(600);
    await log.stop(never);
  });

  it('gives up one file where the disk is too full to note it, and notes all before the others go', async () => {
    const log = await rig.open();
    await fill(log, 200);
    const files = rig.segments();
    refuseState('ENOSPC');
    // The first file that goes makes room.
    const { fault } = rig.disk;
    rig.disk.fault = (call, path) => (rig.segments().length < files.length ? undefined : fault(call, path));
    rig.disk.delay = (call, path) => {
      if (call === 'remove' && path.endsWith('.log') && rig.segments().length < files.length) rig.disk.kill();
      return Promise.resolve();
    };
    await log.trim(150);
    expect(rig.segments().length).toBe(files.length - 1);
    rig.disk.delay = () => Promise.resolve();
    const again = await crash();
    expect(again.status()).toMatchObject({ appendedItems: 200, damagedItems: 0, droppedItems: 0 });
    expect(again.status().firstOffset).toBeGreaterThan(100);
    await again.stop(never);
  });
});
