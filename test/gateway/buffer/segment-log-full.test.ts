import { beforeEach, describe, expect, it } from 'vitest';
import type { Dropped } from '../../../gateway/buffer/retention.ts';
import { fill, never, offsetsOf, Rig, range } from './open-log.ts';

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('a segment log that is full, or has what is too old', () => {
  let rig: Rig;

  beforeEach(() => {
    rig = new Rig();
  });

  it('drops the oldest segments when it is full, counts each item once, and goes on counting after a restart', async () => {
    const dropped: Dropped[] = [];
    const options = { maxBytes: 65_536, whenFull: 'drop-oldest', onDropped: (d: Dropped) => dropped.push(d) } as const;
    let log = await rig.open(options);
    const reader = log.reader(0);
    await fill(log, 500, 200);
    const kept = await offsetsOf(log);
    expect(kept).toEqual(range(500 - kept.length, 500));
    expect(log.status().droppedItems).toBe(500 - kept.length);
    expect(dropped.reduce((sum, { items }) => sum + items, 0)).toBe(500 - kept.length);
    expect((await reader.read(1))[0]!.offset).toBe(kept[0]);
    await log.stop(never);
    log = await rig.open(options);
    expect(log.status().droppedItems).toBe(500 - kept.length);
    await log.stop(never);
  });

  it('does not count as dropped what was trimmed before', async () => {
    const log = await rig.open({ maxBytes: 65_536, whenFull: 'drop-oldest' });
    await fill(log, 200, 200);
    await log.trim(5);
    await fill(log, 300, 200);
    const kept = await offsetsOf(log);
    expect(log.status().droppedItems).toBe(500 - kept.length - 5);
    await log.stop(never);
  });

  it('drops and counts what is appended to a full log that shall keep the oldest', async () => {
    const log = await rig.open({ maxBytes: 65_536, whenFull: 'drop-newest' });
    await fill(log, 500, 200);
    const kept = await offsetsOf(log);
    expect(kept.slice(0, 200)).toEqual(range(0, 200));
    expect(kept.length + log.status().droppedItems).toBe(500);
    expect(log.status()).toMatchObject({ nextOffset: 500, durableOffset: 500 });
    await log.trim(1000);
    await fill(log, 1);
    expect((await offsetsOf(log, 500)).at(-1)).toBe(500);
    await log.stop(never);
  });

  it('acknowledges nothing while the disk is full, and works on when there is space', async () => {
    const log = await rig.open();
    await fill(log, 10);
    rig.disk.capacity = rig.disk.paths().reduce((sum, path) => sum + rig.disk.content(path).length, 0) + 10;
    // More than finds zeros in its place.
    log.append(Buffer.from('10 '.padEnd(3_000, '.')), 1);
    const commit = log.commit();
    await turns(50);
    expect(log.status()).toMatchObject({ durableOffset: 10 });
    expect(log.status().trouble).toContain('ENOSPC');
    rig.disk.capacity = Number.POSITIVE_INFINITY;
    await commit;
    expect(await offsetsOf(log)).toEqual(range(0, 11));
    await log.stop(never);
  });

  it('makes space on a full disk by dropping its oldest segments, if it may', async () => {
    const log = await rig.open({ whenFull: 'drop-oldest' });
    await fill(log, 200);
    rig.disk.capacity = rig.disk.paths().reduce((sum, path) => sum + rig.disk.content(path).length, 0) + 2000;
    await fill(log, 100);
    expect(log.status()).toMatchObject({ durableOffset: 300, trouble: undefined });
    expect(log.status().droppedItems).toBe(300 - (await offsetsOf(log)).length);
    await log.stop(never);
  });

  it('leaves free what is to be kept free', async () => {
    const log = await rig.open({ keepFreeBytes: 50_000 });
    rig.disk.capacity = 60_000;
    let written = 0;
    const writing = (async () => {
      for (; written < 200; written++) {
        await fill(log, 1);
        rig.clock.advance(300);
      }
    })();
    await turns(1000);
    expect(written).toBeLessThan(100);
    expect(log.status().trouble).toContain('kept free');
    rig.disk.capacity = 1_000_000;
    await writing;
    await log.stop(never);
  });

  it('drops and counts segments that got too old', async () => {
    const log = await rig.open({ maxAgeMs: 60_000 });
    await fill(log, 100);
    rig.clock.advance(61_000);
    await fill(log, 100);
    const [first] = await offsetsOf(log);
    expect(first).toBeGreaterThan(60);
    expect(log.status().droppedItems).toBe(first);
    await log.stop(never);
  });

  it.each([
    ['of years ahead, as of a box without a battery that learns the time', 1000, 1_800_000_000_000],
    ['of years back', 1_800_000_000_000, 1000],
    ['of two hours ahead', 1_800_000_000_000, 1_800_007_200_000],
  ])(
    'drops nothing for a leap of the clock %s, and goes on counting age, also after a restart',
    async (_what, from, to) => {
      const leaping = new Rig(from);
      const options = { maxAgeMs: 60_000 };
      let log = await leaping.open(options);
      await fill(log, 100);
      leaping.clock.advance(30_000);
      await fill(log, 1);
      leaping.clock.jump(to - leaping.clock.now());
      await fill(log, 99);
      expect(await offsetsOf(log)).toEqual(range(0, 200));
      await log.stop(never);
      log = await leaping.open(options);
      expect(log.status().firstOffset).toBe(0);
      leaping.clock.advance(31_000);
      await fill(log, 1);
      expect(log.status().firstOffset).toBeGreaterThan(60);
      expect(log.status().firstOffset).toBeLessThanOrEqual(100);
      leaping.clock.advance(30_000);
      await fill(log, 1);
      expect(log.status().firstOffset).toBeGreaterThan(160);
      await log.stop(never);
    },
  );

  it('does not count the time without power as age', async () => {
    const options = { maxAgeMs: 60_000 };
    await fill(await rig.open(options), 100);
    rig.disk.cutPower();
    rig.clock.advance(90 * 86_400_000);
    const log = await rig.open(options);
    await fill(log, 1);
    expect(await offsetsOf(log)).toEqual(range(0, 101));
    rig.clock.advance(61_000);
    await fill(log, 1);
    expect(log.status().firstOffset).toBeGreaterThan(60);
    await log.stop(never);
  });

  it('drops nothing as too old where a box has learned the time, and a failing disk the note of it not', async () => {
    rig = new Rig(0);
    const options = { maxAgeMs: 60_000 };
    const log = await rig.open(options);
    await fill(log, 100);
    rig.clock.jump(1_800_000_000_000);
    rig.disk.fault = (_call, path) => (path.includes('state') ? 'EIO' : undefined);
    await fill(log, 50);
    rig.disk.kill();
    await log.stop(AbortSignal.abort());
    rig.disk.fault = () => undefined;
    const again = await rig.open(options);
    await fill(again, 1);
    expect(await offsetsOf(again)).toEqual(range(0, 151));
    expect(again.status().droppedItems).toBe(0);
    await again.stop(never);
  });
});
