import { beforeEach, describe, expect, it } from 'vitest';
import { LAYOUT } from '../../../gateway/buffer/format.ts';
import { verifyLog } from '../../../gateway/buffer/inspect.ts';
import type { SegmentLogOptions } from '../../../gateway/buffer/segment-log.ts';
import { seededRandom } from '../../model/faulty-disk.ts';
import { fill, never, offsetsOf, Rig, range } from './open-log.ts';
import { placesOf } from './random-damage.ts';

const PAGE = 4096;
const HEADER = 36;

describe('commits and the pages of the disk', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
    rig.segmentBytes = 64 * 1024;
  });

  const places = () => rig.segments().flatMap((path) => placesOf(rig.disk.content(path)));
  /** Pages that a stretch of a file lies in. */
  const pages = (start: number, end: number) => Math.floor((end - 1) / PAGE) - Math.floor(start / PAGE) + 1;
  const problems = async () => {
    const { segments } = await verifyLog('/log', undefined, rig.disk.mount());
    return segments.filter(({ damage, tornBytes }) => damage.length > 0 || tornBytes > 0);
  };

  it.each([
    ['of a fortieth of a page', 100],
    ['of half a page', 2_000],
    ['of just more', 2_040],
    ['of a page', PAGE - HEADER],
  ])('what is %s is written to one page each time, and read again', async (_what, bytes) => {
    const log = await rig.open();
    await fill(log, 60, bytes);
    expect(places().map(({ start, end }) => pages(start, end))).toEqual(Array.from({ length: 60 }, () => 1));
    expect(await offsetsOf(log)).toEqual(range(0, 60));
    expect(await problems()).toEqual([]);
    expect(log.status()).toMatchObject({ damagedItems: 0, keptItems: 60 });
    await log.stop(never);
    expect(await problems()).toEqual([]);
  });

  it('what does not fit a page follows without a gap', async () => {
    const log = await rig.open();
    await fill(log, 10, PAGE);
    const found = places();
    for (const [index, { start }] of found.entries()) if (index > 0) expect(start).toBe(found[index - 1]!.end);
    await log.stop(never);
  });

  it('what is synced now and then begins with a page where the last time tells that it fits one', async () => {
    const log = await rig.open({ sync: { everyMs: 1_000 } });
    // Twenty readings a second, as they come.
    for (let second = 0; second < 20; second++) {
      await fill(log, 20, 20);
      await log.sync();
    }
    const found = places();
    const seconds = Array.from({ length: 20 }, (_, second) => found.slice(second * 20, (second + 1) * 20));
    const written = seconds.map((records) => pages(records[0]!.start, records.at(-1)!.end));
    expect(written.filter((count) => count > 1).length).toBeLessThanOrEqual(1);
    expect(await offsetsOf(log)).toEqual(range(0, 400));
    await log.stop(never);
  });

  it.each(['drop-newest', 'drop-oldest'] as const)(
    'takes a commit where there is room for it and not for zeros behind it (%s)',
    async (whenFull) => {
      rig.disk.capacity = 10_000_000;
      const log = await rig.open({ whenFull, keepFreeBytes: 100_000 });
      const used = rig.disk.paths().reduce((sum, path) => sum + rig.disk.content(path).length, 0);
      rig.disk.capacity = used + 100_000 + 20_000;
      rig.clock.advance(1_000);
      await fill(log, 4, 2_000);
      expect(log.status()).toMatchObject({ keptItems: 4, droppedItems: 0, trouble: undefined });
      expect(await offsetsOf(log)).toEqual(range(0, 4));
      await log.stop(never);
    },
  );

  it('counts as damage the records that zeros have taken between one and the next page, for no gap is in the count of items', async () => {
    const log = await rig.open();
    await fill(log, 60, 300);
    await log.stop(never);
    const [path] = rig.segments();
    const content = rig.disk.content(path!);
    const inFirstPage = places().filter(({ end }) => end <= PAGE);
    const kept = inFirstPage[5]!;
    content.fill(0, kept.end, PAGE);
    rig.disk.damage(path!, content);
    const lost = inFirstPage.length - 6;
    for (let life = 0; life < 2; life++) {
      const again = await rig.open();
      expect(await offsetsOf(again)).toEqual([...range(0, 6), ...range(6 + lost, 60)]);
      expect(again.status()).toMatchObject({ damagedItems: lost, keptItems: 60 - lost });
      await again.stop(never);
    }
  });

  it('takes nothing for damage that a failed write has left behind and that the next segment holds', async () => {
    for (const failing of [1, 2, 3]) {
      rig = new Rig();
      rig.segmentBytes = 64 * 1024;
      const log = await rig.open();
      await fill(log, 3, 3_000);
      let syncs = 0;
      rig.disk.fault = (call) =>
        (call === 'datasync' && ++syncs <= failing) || call === 'truncate' ? 'EIO' : undefined;
      await fill(log, 3, 3_000);
      rig.disk.fault = () => undefined;
      await fill(log, 3, 3_000);
      expect(rig.segments().length).toBe(2);
      expect((await problems()).flatMap(({ damage }) => damage)).toEqual([]);
      rig.disk.kill();
      await log.stop(AbortSignal.abort());
      const again = await rig.open();
      expect(await offsetsOf(again)).toEqual(range(0, 9));
      expect(again.status()).toMatchObject({ damagedItems: 0, keptItems: 9, quarantined: 0 });
      await again.stop(never);
    }
  });

  it('reports zeros at the end of a segment that have taken records, for the next one says how many there were', async () => {
    rig.segmentBytes = 16 * 1024;
    const log = await rig.open();
    await fill(log, 60, 1_000);
    await log.stop(never);
    const [path] = rig.segments();
    const content = rig.disk.content(path!);
    const { end } = placesOf(content).at(-3)!;
    content.fill(0, end);
    rig.disk.damage(path!, content);
    expect(await problems()).toMatchObject([{ damage: [{ start: end, end: content.length }], tornBytes: 0 }]);
    const again = await rig.open();
    expect(again.status()).toMatchObject({ damagedItems: 2, keptItems: 58 });
    await again.stop(never);
  });

  it('its files take what it says, and no more than they may, whatever sizes come and how small the disk is', async () => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    process.stderr.write(`bounds: SEED=${seed}\n`);
    const random = seededRandom(seed);
    const policies = ['always', { everyMs: 1_000 }, 'never'] as const;
    for (let round = 0; round < 12; round++) {
      rig = new Rig();
      rig.segmentBytes = 1_000 + Math.floor(random() * 60_000);
      const maxBytes = 70_000 + Math.floor(random() * 200_000);
      rig.disk.capacity = round % 2 === 0 ? Number.POSITIVE_INFINITY : 200_000 + Math.floor(random() * 100_000);
      const sync = policies[round % 3]!;
      const log = await rig.open({ maxBytes, whenFull: 'drop-oldest', sync });
      for (let commits = 0; commits < 200; commits++) {
        const bytes = 10 + Math.floor(random() ** 3 * Math.min(3_000, maxBytes / 8));
        for (let records = Math.ceil(random() * 3); records > 0; records--) {
          log.append(Buffer.from(`${log.status().nextOffset} `.padEnd(bytes, '.')), 1);
        }
        await log.commit();
        if (random() < 0.1) await log.sync();
        const used = rig.segments().reduce((sum, path) => sum + rig.disk.content(path).length, 0);
        expect(used, `round ${round}, ${commits} commits`).toBeLessThanOrEqual(maxBytes);
        // The other policy syncs while this is looked at. A seal that there was no room for may be there in part.
        if (typeof sync === 'object') continue;
        const beside = Math.abs(log.status().bytes - used);
        expect(beside, `round ${round}, ${commits} commits`).toBeLessThanOrEqual(
          LAYOUT.sealBytes * log.status().segments,
        );
      }
      await log.stop(never);
    }
  });

  it('nothing is lost or taken for damage, whatever sizes come and wherever the process dies', async () => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    process.stderr.write(`pages: SEED=${seed}\n`);
    const random = seededRandom(seed);
    const policies: readonly Partial<SegmentLogOptions>[] = [{}, { sync: { everyMs: 1_000 } }, { sync: 'never' }];
    for (let round = 0; round < 30; round++) {
      rig = new Rig();
      rig.segmentBytes = 1_000 + Math.floor(random() * 40_000);
      let next = 0;
      for (let life = 0; life < 3; life++) {
        const log = await rig.open(policies[round % 3]);
        expect(log.status().nextOffset).toBe(next);
        for (let commits = Math.floor(random() * 60); commits > 0; commits--) {
          for (let records = Math.ceil(random() * 3); records > 0; records--) {
            log.append(Buffer.from(`${next++} `.padEnd(Math.floor(random() ** 3 * 6_000), '.')), 1);
          }
          await log.commit();
        }
        expect(await offsetsOf(log)).toEqual(range(0, next));
        const dies = random() < 0.7;
        if (dies) rig.disk.kill();
        await log.stop(dies ? AbortSignal.abort() : never);
      }
      const last = await rig.open();
      expect(await offsetsOf(last)).toEqual(range(0, next));
      expect(last.status()).toMatchObject({ damagedItems: 0, keptItems: next, quarantined: 0 });
      await last.stop(never);
      expect(await problems()).toEqual([]);
    }
  });
});
