import { beforeEach, describe, expect, it } from 'vitest';
import { dumpLog, listLogs, type VerifyProgress, verifyLog } from '../../../gateway/buffer/inspect.ts';
import type { SegmentLog } from '../../../gateway/buffer/segment-log.ts';
import { fill, never, Rig, range } from './open-log.ts';
import { placesOf } from './random-damage.ts';

describe('a look into a log', () => {
  let rig: Rig;
  let log: SegmentLog;

  beforeEach(async () => {
    rig = new Rig();
    log = await rig.open();
    await fill(log, 100);
    await log.cursor('influx').commit(42);
  });

  it('lists a running log, from its own folder and from the one above', async () => {
    const disk = rig.disk.mount();
    for (const path of ['/log', '/']) {
      expect(await listLogs(path, disk)).toEqual([
        {
          name: 'log',
          path: '/log',
          segments: rig.segments().length,
          bytes: log.status().bytes,
          firstOffset: 0,
          cursors: [{ name: 'influx', offset: 42 }],
          droppedItems: 0,
          damagedItems: 0,
          quarantined: 0,
        },
      ]);
    }
    await log.stop(never);
  });

  it('verifies a running log and tells its progress', async () => {
    const progress: VerifyProgress[] = [];
    const { segments } = await verifyLog('/log', (step) => progress.push(step), rig.disk.mount());
    expect(segments.map((segment) => segment.records).reduce((a, b) => a + b)).toBe(100);
    expect(segments.map((segment) => segment.sealed)).toEqual(segments.map((_, index) => index < segments.length - 1));
    expect(segments.every((segment) => segment.damage.length === 0 && segment.tornBytes === 0)).toBe(true);
    expect(segments.at(-1)).toMatchObject({ lastOffset: 99, unreadable: undefined });
    expect(segments.map(({ firstOrdinal }) => firstOrdinal)).toEqual(segments.map(({ firstOffset }) => firstOffset));
    expect(progress.at(-1)).toMatchObject({ bytes: log.status().bytes, totalBytes: log.status().bytes });
    await log.stop(never);
  });

  it('finds damage, and changes nothing', async () => {
    await log.stop(never);
    const [path] = rig.segments();
    const content = rig.disk.content(path!);
    content[210]! ^= 1;
    rig.disk.damage(path!, content);
    const before = rig.disk.paths().map((name) => rig.disk.content(name));
    const { segments } = await verifyLog('/log', undefined, rig.disk.mount());
    expect(segments[0]).toMatchObject({
      damage: [{ start: 204, end: 340 }],
      firstOffset: 0,
      firstOrdinal: 0,
      level: 0,
    });
    expect(rig.disk.paths().map((name) => rig.disk.content(name))).toEqual(before);
  });

  it('does not take a write that is not finished for damage', async () => {
    const path = rig.segments().at(-1)!;
    const content = rig.disk.content(path);
    rig.disk.damage(path, content.subarray(0, placesOf(content).at(-1)!.end - 10));
    const { segments } = await verifyLog('/log', undefined, rig.disk.mount());
    expect(segments.at(-1)).toMatchObject({ damage: [], tornBytes: 126 });
  });

  it('dumps all records in order, passing over damage', async () => {
    const [path] = rig.segments();
    const content = rig.disk.content(path!);
    content[210]! ^= 1;
    rig.disk.damage(path!, content);
    const offsets: number[] = [];
    for await (const record of dumpLog('/log', rig.disk.mount())) offsets.push(record.offset);
    expect(offsets).toEqual([0, ...range(2, 100)]);
  });

  it('says that there is no such folder', async () => {
    await expect(listLogs('/log/nowhere/at/all')).rejects.toThrow('no such folder');
    await expect(verifyLog('/log/nowhere/at/all')).rejects.toThrow('no such folder');
  });
});
