import { beforeEach, describe, expect, it } from 'vitest';
import { readChecked } from '../../../gateway/buffer/checked-file.ts';
import { SegmentLog } from '../../../gateway/buffer/segment-log.ts';
import { ManualClock } from '../../manual-clock.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { fill, never } from './open-log.ts';

describe('the file of a cursor', () => {
  let disk: FaultyDisk;
  let clock: ManualClock;
  let log: SegmentLog;
  let writes: number;

  const open = async () => {
    log = new SegmentLog({
      path: '/log',
      disk: disk.mount(),
      clock,
      logger: recordingLogger(),
      maxBytes: 1024 * 1024,
      segmentBytes: 4096,
    });
    await log.start(never);
  };
  const saved = () => readChecked(disk.mount(), '/log/cursors/sink.cursor');

  beforeEach(async () => {
    disk = new FaultyDisk(seededRandom(1));
    clock = new ManualClock();
    await open();
    await fill(log, 100);
    writes = 0;
    disk.delay = async (call, path) => {
      if (call === 'datasync' && path.includes('sink.cursor')) writes++;
    };
  });

  it('is written at once when the cursor has been at rest', async () => {
    await log.cursor('sink').commit(1, 'one');
    expect(await saved()).toEqual({ name: 'sink', offset: 1, note: 'one' });
    await clock.advance(1000);
    await log.cursor('sink').commit(2);
    expect(await saved()).toEqual({ name: 'sink', offset: 2, note: 'one' });
    await log.stop(never);
  });

  it('is written five times a second while the cursor moves a hundred times', async () => {
    const cursor = log.cursor('sink');
    const commits: Promise<void>[] = [];
    for (let offset = 1; offset <= 100; offset++) {
      commits.push(cursor.commit(offset, { offset }));
      await clock.advance(10);
    }
    // At 0, 200, 400, 600, 800 and 1000 ms.
    expect(writes).toBe(6);
    await clock.advance(200);
    await Promise.all(commits);
    expect(await saved()).toEqual({ name: 'sink', offset: 100, note: { offset: 100 } });
    await log.stop(never);
  });

  it('is written before what the cursor has passed is deleted, and without delay at a stop', async () => {
    const cursor = log.cursor('sink');
    const commits = [cursor.commit(1), cursor.commit(70)];
    await log.trim(70);
    expect(await saved()).toMatchObject({ offset: 70 });
    expect(log.status().firstOffset).toBeGreaterThan(0);
    commits.push(cursor.commit(80), cursor.commit(90));
    await log.stop(never);
    expect(await saved()).toMatchObject({ offset: 90 });
    await Promise.all(commits);
  });

  it('loses its note when it is damaged, and begins anew', async () => {
    await log.cursor('sink').commit(50, { delivered: 50 });
    await log.stop(never);
    disk.damage('/log/cursors/sink.cursor', Buffer.from('rubbish'));
    await open();
    expect(log.cursor('sink')).toMatchObject({ offset: 0, note: undefined });
    await log.stop(never);
  });
});
