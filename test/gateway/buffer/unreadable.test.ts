import { beforeEach, describe, expect, it } from 'vitest';
import { LogReadError } from '../../../gateway/core/log.ts';
import { seededRandom } from '../../model/faulty-disk.ts';
import { fill, never, offsetsOf, Rig, range } from './open-log.ts';

const PAGE = 4096;

describe('what the disk refuses to read', () => {
  let rig: Rig;

  beforeEach(() => {
    rig = new Rig();
  });

  /** From now on a stretch of the first segment is refused. */
  const refuse = (from: number, to: number) => {
    const [first] = rig.segments();
    rig.disk.refusesRead = (path, start, end) => path === first && start < to && end > from;
  };
  const open = () => rig.open({ segmentBytes: 64 * 1024 });
  const firstRefusal = async (log: Awaited<ReturnType<typeof open>>) => {
    const error = await offsetsOf(log).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LogReadError);
    return error as LogReadError;
  };

  it('is refused to a reader again and again, until it is passed over: then it costs the records it overlaps, and is counted', async () => {
    const log = await open();
    await fill(log, 1_000);
    // Two bytes, so two pages.
    refuse(5 * PAGE - 1, 5 * PAGE + 1);
    const { offset } = await firstRefusal(log);
    await firstRefusal(log);
    expect(await log.passOver(offset)).toBe(true);
    const found = await offsetsOf(log);
    const perPage = PAGE / 136;
    expect(found.length).toBeGreaterThan(1_000 - 2 * perPage - 2);
    expect(found.length).toBeLessThan(1_000);
    expect(log.status()).toMatchObject({ damagedItems: 1_000 - found.length, keptItems: found.length, quarantined: 1 });
    expect(rig.logger.lines.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('the disk refuses 8192 bytes of a segment'),
    );
    await log.stop(never);
  });

  it('is not given up where it can be read after all', async () => {
    const log = await open();
    await fill(log, 1_000);
    refuse(0, PAGE);
    const { offset } = await firstRefusal(log);
    rig.disk.refusesRead = () => false;
    expect(await log.passOver(offset)).toBe(true);
    expect(await offsetsOf(log)).toEqual(range(0, 1_000));
    expect(log.status().damagedItems).toBe(0);
    await log.stop(never);
  });

  it('is a whole segment where its file does not open', async () => {
    const log = await open();
    await fill(log, 1_000);
    const [first] = rig.segments();
    rig.disk.fault = (call, path) => (call === 'open' && path === first ? 'EIO' : undefined);
    const { offset } = await firstRefusal(log);
    expect(await log.passOver(offset)).toBe(true);
    const found = await offsetsOf(log);
    expect(found).toEqual(range(found[0]!, 1_000));
    expect(log.status()).toMatchObject({ damagedItems: found[0], keptItems: found.length });
    await log.stop(never);
  });

  it('is no damage where the disk gives and takes nothing at all: it is away, and may come back', async () => {
    const log = await open();
    await fill(log, 1_000);
    rig.disk.fault = (call) => (call === 'close' ? undefined : 'EIO');
    const { offset } = await firstRefusal(log);
    expect(await log.passOver(offset)).toBe(false);
    rig.disk.fault = () => undefined;
    expect(await offsetsOf(log)).toEqual(range(0, 1_000));
    await log.stop(never);
  });

  it.each([
    ['read', 'the disk gives nothing of any segment'],
    ['size', 'the disk does not tell the size of a file'],
  ] as const)(
    'is no damage where every %s is refused, though the disk takes what is written: %s',
    async (refused, _why) => {
      const log = await open();
      await fill(log, 1_000);
      rig.disk.fault = (call, path) => (call === refused && path.endsWith('.log') ? 'EIO' : undefined);
      expect(await log.passOver(0)).toBe(false);
      rig.disk.fault = () => undefined;
      expect(await offsetsOf(log)).toEqual(range(0, 1_000));
      expect(log.status()).toMatchObject({ damagedItems: 0, keptItems: 1_000 });
      await log.stop(never);
    },
  );

  it('is a whole segment where the disk gives nothing of it, and something of those around it', async () => {
    const log = await open();
    await fill(log, 1_000);
    refuse(0, Number.POSITIVE_INFINITY);
    expect(await log.passOver(0)).toBe(true);
    const found = await offsetsOf(log);
    expect(found).toEqual(range(found[0]!, 1_000));
    expect(log.status()).toMatchObject({ damagedItems: found[0], keptItems: found.length });
    await log.stop(never);
  });

  it('is read where the disk gives it again, though it was passed over', async () => {
    const log = await open();
    await fill(log, 1_000);
    refuse(PAGE, 2 * PAGE);
    expect(await log.passOver(0)).toBe(true);
    rig.disk.refusesRead = () => false;
    expect(await offsetsOf(log)).toEqual(range(0, 1_000));
    expect(log.status()).toMatchObject({ damagedItems: 0, keptItems: 1_000 });
    await log.stop(never);
  });

  it('is passed over once, though the disk refuses other pages each time it is asked', async () => {
    const log = await open();
    await fill(log, 1_000);
    const [first] = rig.segments();
    const random = seededRandom(3);
    rig.disk.refusesRead = (path, start, end) => {
      if (path !== first) return false;
      for (let page = Math.floor(start / PAGE); page * PAGE < end; page++) if (random() < 0.5) return true;
      return false;
    };
    expect(await log.passOver(0)).toBe(true);
    const found = await offsetsOf(log);
    expect(found.length).toBeGreaterThan(500);
    expect(found.at(-1)).toBe(999);
    await log.stop(never);
  });

  it('is not given up while it is being written, where its file does not open', async () => {
    const log = await open();
    await fill(log, 900);
    const active = rig.segments().at(-1);
    rig.disk.fault = (call, path) => (call === 'open' && path === active ? 'EACCES' : undefined);
    expect(await log.passOver(899)).toBe(false);
    rig.disk.fault = () => undefined;
    await fill(log, 100);
    expect(await offsetsOf(log)).toEqual(range(0, 1_000));
    expect(log.status()).toMatchObject({ damagedItems: 0, keptItems: 1_000 });
    await log.stop(never);
  });

  it.each(['always', 'never'] as const)(
    'does not take with it what is acknowledged after its file has gone, with sync %s',
    async (sync) => {
      const log = await rig.open({ segmentBytes: 64 * 1024, sync });
      await fill(log, 3);
      const [segment] = rig.segments();
      rig.disk.damage(segment!, undefined);
      expect(await offsetsOf(log)).toEqual([]);
      await fill(log, 5);
      expect(await offsetsOf(log)).toEqual(range(3, 8));
      expect(log.status()).toMatchObject({ appendedItems: 8, keptItems: 5, damagedItems: 3 });
      await log.stop(never);
      const again = await open();
      expect(await offsetsOf(again)).toEqual(range(3, 8));
      expect(again.status()).toMatchObject({ appendedItems: 8, keptItems: 5, damagedItems: 3 });
      await again.stop(never);
    },
  );

  it.each([
    ['the header', 0, 1],
    ['the middle', 3 * PAGE, 3 * PAGE + 1],
    ['the end', 16 * PAGE - 1, 16 * PAGE],
  ])('costs no more than it overlaps at a start: %s', async (_what, from, to) => {
    const log = await open();
    // One segment, which the crash leaves without a seal; and the same sealed.
    await fill(log, 450);
    rig.disk.kill();
    await log.stop(AbortSignal.abort());
    refuse(from, to);
    for (const start of ['unsealed', 'sealed']) {
      const again = await open();
      if (start === 'sealed') await again.passOver(0);
      const found = await offsetsOf(again);
      expect(found.length, start).toBeGreaterThan(450 - PAGE / 136 - 2);
      expect(again.status().keptItems, start).toBe(found.length);
      await again.stop(never);
    }
  });
});
