import { beforeEach, describe, expect, it, test } from 'vitest';
import { fill, never, offsetsOf, Rig, range } from './open-log.ts';

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

  it('gives up no record that is to be dropped before it can note that: a crash would let consumers pass what comes in its place', async () => {
    const log = await rig.open({ maxBytes: 64 * 1024, whenFull: 'drop-newest' });
    await fill(log, 1_000);
    const { droppedItems } = log.status();
    expect(droppedItems).toBeGreaterThan(0);
    refuseState('EIO');
    const filled = fill(log, 10);
    while (log.status().trouble === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(log.status()).toMatchObject({ droppedItems, durableOffset: 1_000 });
    rig.disk.fault = () => undefined;
    await filled;
    expect(log.status()).toMatchObject({ droppedItems: droppedItems + 10, durableOffset: 1_010, damagedItems: 0 });
    const again = await crash();
    expect(again.status()).toMatchObject({ appendedItems: 1_010, droppedItems: droppedItems + 10, nextOffset: 1_010 });
    await again.stop(never);
  });

  it('forgets nothing that gets too old while it waits to note what it is to drop', async () => {
    const log = await rig.open({ maxBytes: 64 * 1024, whenFull: 'drop-newest', maxAgeMs: 10_000 });
    await fill(log, 1_000);
    refuseState('EIO');
    let isNoting = false;
    rig.disk.delay = async (_call, path) => {
      if (isNoting || !path.endsWith('/state')) return;
      isNoting = true;
      rig.clock.advance(20_000);
      void log.trim(0);
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    const filled = fill(log, 10);
    while (log.status().trouble === undefined) await new Promise((resolve) => setImmediate(resolve));
    rig.disk.fault = () => undefined;
    await filled;
    const { appendedItems, keptItems, droppedItems, damagedItems } = log.status();
    const found = { appendedItems, damagedItems, ended: keptItems + droppedItems };
    expect(found).toEqual({ appendedItems: 1_010, damagedItems: 0, ended: 1_010 });
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

describe('retention on a disk that does not let go of files', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
  });

  /** From now on these files cannot be removed. */
  const refuse = (isStuck: (path: string) => boolean) => {
    rig.disk.fault = (call, path) => (call === 'remove' && path.endsWith('.log') && isStuck(path) ? 'EIO' : undefined);
  };

  it('deletes the others, tells the trouble until the last has gone, and counts nothing twice', async () => {
    const log = await rig.open();
    await fill(log, 300);
    const [first, second] = rig.segments();
    refuse((path) => path === first);
    await log.trim(300);
    expect(rig.segments()).toContain(first);
    expect(rig.segments()).not.toContain(second);
    expect(rig.segments().length).toBe(2);
    expect(log.status().trouble).toContain(`cannot delete ${first}`);
    await fill(log, 100);
    await log.trim(350);
    expect(log.status().trouble).toContain(`cannot delete ${first}`);
    refuse(() => false);
    await log.trim(0);
    expect(rig.segments()).not.toContain(first);
    const { trouble, firstOffset, keptItems } = log.status();
    expect({ trouble, keptItems }).toEqual({ trouble: undefined, keptItems: 400 - firstOffset });
    await log.stop(never);
  });

  it('goes on with a full log, and with one whose records get too old, though one file stays', async () => {
    const log = await rig.open({ maxBytes: 64 * 1024, whenFull: 'drop-oldest' });
    await fill(log, 50);
    const [first] = rig.segments();
    refuse((path) => path === first);
    await fill(log, 1_000);
    const { keptItems, droppedItems, damagedItems, firstOffset } = log.status();
    expect({ kept: keptItems + droppedItems, damagedItems }).toEqual({ kept: 1_050, damagedItems: 0 });
    expect(await offsetsOf(log)).toEqual(range(firstOffset, 1_050));
    await log.stop(never);
    const again = await rig.open({ maxAgeMs: 1_000 });
    expect(again.status()).toMatchObject({ keptItems, droppedItems, damagedItems });
    rig.clock.advance(10_000);
    for (let round = 0; round < 40; round++) await again.trim(0);
    expect(rig.segments()).toEqual([first]);
    expect(again.status()).toMatchObject({ keptItems: 0, droppedItems: 1_050, damagedItems: 0 });
    await again.stop(never);
  });

  it('does not drop one segment after the other where none of their files goes', async () => {
    const log = await rig.open({ maxBytes: 64 * 1024, whenFull: 'drop-oldest' });
    await fill(log, 400);
    const { keptItems } = log.status();
    refuse(() => true);
    const filled = fill(log, 200);
    const attempts = () => rig.disk.calls.get('remove') ?? 0;
    const until = attempts() + 100;
    while (attempts() < until) await new Promise((resolve) => setImmediate(resolve));
    expect(log.status().keptItems).toBeGreaterThan(keptItems / 2);
    expect(log.status().trouble).toContain('cannot delete');
    refuse(() => false);
    await filled;
    const after = log.status();
    expect(after.keptItems + after.droppedItems).toBe(600);
    await log.stop(never);
  });
});

test('a log tells how many items came before the oldest that it keeps', async () => {
  const rig = new Rig();
  const log = await rig.open({ maxBytes: 64 * 1024, whenFull: 'drop-oldest' });
  expect(log.status().firstOrdinal).toBe(0);
  for (let record = 0; record < 1_000; record++) {
    log.append(Buffer.alloc(100, '.'), 3);
    await log.commit();
  }
  // Waits in memory, and is neither dropped nor kept.
  log.append(Buffer.alloc(100, '.'), 5);
  const { firstOffset, firstOrdinal, droppedItems } = log.status();
  expect(firstOffset).toBeGreaterThan(0);
  expect(firstOrdinal).toBe(3 * firstOffset);
  expect(droppedItems).toBe(firstOrdinal);
  const [oldest] = await log.reader(0).read(1);
  expect(oldest).toMatchObject({ offset: firstOffset, ordinal: firstOrdinal });
  await log.commit();
  await log.trim(1_001);
  const { appendedItems, firstOrdinal: behind } = log.status();
  expect(behind).toBeLessThanOrEqual(appendedItems);
  await log.stop(never);
  const again = await rig.open({ maxBytes: 64 * 1024, whenFull: 'drop-oldest' });
  const status = again.status();
  expect(status.firstOrdinal + status.keptItems).toBe(status.appendedItems);
  await again.stop(never);
});
