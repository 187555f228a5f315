import { beforeEach, describe, expect, it } from 'vitest';
import { SegmentLog } from '../../../gateway/buffer/segment-log.ts';
import type { DiskCall } from '../../model/faulty-disk.ts';
import { fill, never, offsetsOf, Rig, range } from './open-log.ts';
import { placesOf } from './random-damage.ts';

const RECORDS = 100;
const READS: readonly DiskCall[] = ['list', 'open', 'size', 'read'];

describe('a log that starts while the disk refuses calls', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
  });

  const open = () => rig.open({ segmentBytes: 64 * 1024 });
  /** The process dies: what is on the disk stays. */
  const crash = async (log: SegmentLog) => {
    rig.disk.kill();
    await log.stop(AbortSignal.abort());
  };
  /** A log of one segment without a seal. */
  const crashed = async () => {
    const log = await open();
    await fill(log, RECORDS);
    await crash(log);
  };
  /** From now on these calls are refused for so long. */
  const refuseFor = (ms: number, calls: readonly DiskCall[], path: RegExp) => {
    const untilMs = rig.clock.monotonicMs() + ms;
    rig.disk.fault = (call, at) =>
      calls.includes(call) && path.test(at) && rig.clock.monotonicMs() < untilMs ? 'EIO' : undefined;
  };
  /** Opens it now, and once more when the disk is well: nothing is lost in either. */
  const expectAll = async () => {
    for (const when of ['now', 'later']) {
      const log = await open();
      expect(await offsetsOf(log), when).toEqual(range(0, RECORDS));
      expect(log.status(), when).toMatchObject({
        keptItems: RECORDS,
        damagedItems: 0,
        appendedItems: RECORDS,
        quarantined: 0,
      });
      rig.disk.fault = () => undefined;
      rig.disk.refusesRead = () => false;
      await log.stop(never);
    }
  };

  it.each([...READS.map((call) => [call]), READS])(
    'loses nothing where %s is refused for two seconds',
    async (...calls) => {
      await crashed();
      refuseFor(2_000, calls, /./);
      await expectAll();
    },
  );

  it('does not write zeros over a page that was refused for some milliseconds', async () => {
    await crashed();
    let refusals = 7;
    rig.disk.refusesRead = (path, start, end) => path.endsWith('.log') && start < 8192 && end > 4096 && refusals-- > 0;
    await expectAll();
  });

  it('remembers counts and cursors where their files are refused for two seconds', async () => {
    const options = { maxBytes: 64 * 1024, whenFull: 'drop-oldest' } as const;
    const log = await rig.open(options);
    await fill(log, 1_000);
    await log.cursor('sink').commit(970, { counts: 70 });
    const { droppedItems } = log.status();
    expect(droppedItems).toBeGreaterThan(0);
    await log.stop(never);
    refuseFor(2_000, READS, /state$|\.cursor$/);
    const again = await rig.open(options);
    expect(again.status()).toMatchObject({ droppedItems, damagedItems: 0 });
    expect(again.cursor('sink')).toMatchObject({ offset: 970, note: { counts: 70 } });
    await again.stop(never);
  });

  it.each([
    ['the one that was being written', true],
    ['sealed ones', false],
  ])('leaves segments alone of which it gets nothing, to read them at the next start: %s', async (_what, isTorn) => {
    const log = await open();
    await fill(log, 1_000);
    if (isTorn) await crash(log);
    else await log.stop(never);
    const before = rig.segments();
    rig.disk.fault = (call, path) => (call === 'read' && path.endsWith('.log') ? 'EIO' : undefined);
    const during = await open();
    expect(during.status().nextOffset).toBeGreaterThanOrEqual(1_000);
    rig.disk.fault = () => undefined;
    await during.stop(never);
    expect(rig.segments()).toEqual(before);
    const again = await open();
    expect(await offsetsOf(again)).toEqual(range(0, 1_000));
    expect(again.status()).toMatchObject({ keptItems: 1_000, damagedItems: 0, quarantined: 0 });
    await again.stop(never);
  });

  it.each([
    'list',
    'open',
    'read',
    'size',
    'create',
    'write',
    'rename',
    'remove',
    'truncate',
    'datasync',
    'syncDirectory',
    'freeBytes',
    'close',
  ] as const)('starts where any single %s is refused, and all is there', async (refused) => {
    for (let nth = 1; ; nth++) {
      rig = new Rig();
      const log = await rig.open();
      await fill(log, 70);
      await log.cursor('sink').commit(5, { a: 1 });
      await crash(log);
      let calls = 0;
      rig.disk.fault = (call) => (call === refused && ++calls === nth ? 'EIO' : undefined);
      const during = await rig.open();
      if (calls < nth) break;
      expect(during.cursor('sink').offset).toBe(5);
      rig.disk.fault = () => undefined;
      expect(await offsetsOf(during), `${refused} ${nth}`).toEqual(range(0, 70));
      expect(during.status(), `${refused} ${nth}`).toMatchObject({ keptItems: 70, damagedItems: 0, appendedItems: 70 });
      await during.stop(never);
      const later = await rig.open();
      expect(await offsetsOf(later), `${refused} ${nth}`).toEqual(range(0, 70));
      expect(later.status(), `${refused} ${nth}`).toMatchObject({ keptItems: 70, damagedItems: 0, appendedItems: 70 });
      await later.stop(never);
    }
  });

  it.each(['close', 'rename'] as const)(
    'starts where every %s is refused, and all is there when the disk is well',
    async (refused) => {
      const log = await rig.open();
      await fill(log, 100);
      await log.stop(never);
      const [first, second] = rig.segments();
      const [one, two] = [rig.disk.content(first!), rig.disk.content(second!)];
      // Swapped, so that they are to be renamed.
      rig.disk.damage(first!, two);
      rig.disk.damage(second!, one);
      rig.disk.fault = (call, path) => (call === refused && path.endsWith('.log') ? 'EIO' : undefined);
      const during = await rig.open();
      rig.disk.fault = () => undefined;
      await during.stop(never);
      const again = await rig.open();
      expect(await offsetsOf(again)).toEqual(range(0, 100));
      expect(again.status()).toMatchObject({ keptItems: 100, damagedItems: 0 });
      await again.stop(never);
    },
  );

  it('gives no offset again of records at the end of a segment that the disk refuses', async () => {
    await crashed();
    const { end } = placesOf(rig.disk.content(rig.segments()[0]!)).at(-1)!;
    const lastPage = end - (end % 4096);
    rig.disk.refusesRead = (path, _start, end) => path.endsWith('.log') && end > lastPage;
    const log = await open();
    const found = await offsetsOf(log);
    expect(found.length).toBeLessThan(RECORDS);
    expect(found).toEqual(range(0, found.length));
    expect(log.append(Buffer.from('x'), 1)).toBeGreaterThanOrEqual(RECORDS);
    expect(log.status()).toMatchObject({ keptItems: found.length, quarantined: 1 });
    await log.stop(never);
  });

  it('does not wait for the disk where its start is to end', async () => {
    await crashed();
    const ending = new AbortController();
    let refusals = 0;
    rig.disk.fault = (call) => {
      if (call !== 'list') return undefined;
      if (++refusals === 2) ending.abort();
      return 'EIO';
    };
    const { clock, logger } = rig;
    const log = new SegmentLog({ path: '/log', disk: rig.disk.mount(), clock, logger, maxBytes: 1024 * 1024 });
    const sinceMs = clock.monotonicMs();
    await expect(log.start(ending.signal)).rejects.toThrow('EIO');
    expect(clock.monotonicMs() - sinceMs).toBe(200);
  });

  it('starts where the quarantine cannot be looked through', async () => {
    await crashed();
    rig.disk.fault = (call, path) => (call === 'list' && path.endsWith('quarantine') ? 'EIO' : undefined);
    await expectAll();
  });
});
