import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { systemDisk } from '../../../gateway/base/system-disk.ts';
import { RECORD_HEADER_BYTES } from '../../../gateway/buffer/format.ts';
import { SegmentLog } from '../../../gateway/buffer/segment-log.ts';
import { GatewayError } from '../../../gateway/core/errors.ts';
import { describeLog } from '../../contract/log.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { fill, never, offsetsOf, Rig, range } from './open-log.ts';

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describeLog('a segment log on the disk of the machine', async () => {
  const path = await mkdtemp(join(tmpdir(), 'headgate-log-'));
  return {
    open: async () => {
      const logger = recordingLogger();
      const log = new SegmentLog({ path, disk: systemDisk, clock: systemClock, logger, maxBytes: 1024 * 1024 });
      await log.start(never);
      return log;
    },
    dispose: () => rm(path, { recursive: true }),
  };
});

describeLog('a segment log that syncs now and then', async () => {
  const rig = new Rig();
  return { open: () => rig.open({ sync: { everyMs: 1000 } }), dispose: async () => undefined };
});

describe('the segment log', () => {
  let rig: Rig;

  beforeEach(() => {
    rig = new Rig();
  });

  it('syncs once for all commits that come while a sync runs', async () => {
    const log = await rig.open({ segmentBytes: 256 * 1024 });
    await fill(log, 1);
    const before = rig.disk.calls.get('datasync')!;
    const commits = [];
    for (let i = 0; i < 100; i++) {
      log.append(Buffer.from(`${i}`), 1);
      commits.push(log.commit());
    }
    await Promise.all(commits);
    expect(rig.disk.calls.get('datasync')! - before).toBe(2);
    await log.stop(never);
  });

  it('does not promise a record before its folder entry is synced', async () => {
    const log = await rig.open();
    const { promise, resolve: release } = Promise.withResolvers<void>();
    rig.disk.delay = (call) => (call === 'syncDirectory' ? promise : Promise.resolve());
    let done = false;
    log.append(Buffer.from('a'), 1);
    const commit = log.commit().then(() => {
      done = true;
    });
    await turns(20);
    expect(done).toBe(false);
    expect(log.status().durableOffset).toBe(0);
    release();
    await commit;
    await log.stop(never);
  });

  it('never writes to a file again whose sync failed', async () => {
    const log = await rig.open();
    await fill(log, 3);
    let failures = 0;
    rig.disk.fault = (call) => (call === 'datasync' && failures++ === 0 ? 'EIO' : undefined);
    await fill(log, 1);
    expect(rig.segments()).toEqual(['/log/0000000000000000.log', '/log/0000000000000003.log']);
    expect(rig.logger.lines.map((line) => line.message)).toContain('writing works again');
    rig.disk.cutPower();
    await log.stop(AbortSignal.abort());
    const again = await rig.open();
    expect(await offsetsOf(again)).toEqual(range(0, 4));
    await again.stop(never);
  });

  it('tells of trouble while a commit waits for a failing disk, and takes up work within a second of its recovery', async () => {
    const log = await rig.open();
    rig.disk.fault = (call) => (call === 'write' ? 'EIO' : undefined);
    log.append(Buffer.from('0 '), 1);
    const commit = log.commit();
    await turns(50);
    expect(log.status()).toMatchObject({ durableOffset: 0, pendingBytes: RECORD_HEADER_BYTES + 2 });
    expect(log.status().trouble).toContain('EIO');
    rig.disk.fault = () => undefined;
    const healed = rig.clock.monotonicMs();
    await commit;
    expect(rig.clock.monotonicMs() - healed).toBeLessThan(1000);
    expect(log.status()).toMatchObject({ durableOffset: 1, trouble: undefined, pendingBytes: 0 });
    await log.stop(never);
  });

  it.each([
    ['always', 'always'],
    ['1s', { everyMs: 1_000 }],
    ['never', 'never'],
  ] as const)(
    'with sync %s has on the medium what it was asked for, over all segments, and no more',
    async (_name, sync) => {
      const rig = new Rig();
      const log = await rig.open({ sync });
      await fill(log, 100);
      await log.sync();
      const syncs = rig.disk.calls.get('datasync');
      await log.sync();
      await log.sync(50);
      expect(rig.disk.calls.get('datasync')).toBe(syncs);
      rig.disk.cutPower();
      await log.stop(AbortSignal.abort());
      const again = await rig.open({ sync });
      expect(await offsetsOf(again)).toEqual(range(0, 100));
      await again.stop(never);
    },
  );

  it('waits for the medium while the disk refuses to sync, also where commits do not, and tells those who wait when it is stopped', async () => {
    const rig = new Rig();
    const log = await rig.open({ sync: 'never' });
    rig.disk.fault = (call) => (call === 'datasync' ? 'EIO' : undefined);
    await fill(log, 3);
    let synced = false;
    const waiting = log.sync().then(() => {
      synced = true;
    });
    await turns(50);
    expect(synced).toBe(false);
    rig.disk.fault = () => undefined;
    await waiting;
    rig.disk.fault = (call) => (call === 'datasync' ? 'EIO' : undefined);
    await fill(log, 1);
    const refused = log.sync();
    await log.stop(AbortSignal.abort());
    await expect(refused).rejects.toThrow('was stopped before it could write');
  });

  it('rejects the commits that wait when it is stopped for good', async () => {
    const log = await rig.open();
    rig.disk.fault = () => 'EIO';
    log.append(Buffer.from('a'), 1);
    const commit = log.commit();
    const rejected = expect(commit).rejects.toThrow(GatewayError);
    await turns(10);
    await log.stop(AbortSignal.abort());
    await rejected;
  });

  it('waits for a trim when it is full and shall block', async () => {
    const log = await rig.open({ maxBytes: 65_536, whenFull: 'block' });
    let written = 0;
    const writing = (async () => {
      for (; written < 1000; written++) await fill(log, 1, 200);
    })();
    await turns(2000);
    expect(written).toBeLessThan(300);
    expect(log.status().trouble).toContain('is full');
    expect(log.status().bytes).toBeLessThanOrEqual(65_536);
    while (written < 1000) {
      await log.trim(log.status().durableOffset);
      await turns(1);
    }
    await writing;
    expect(log.status()).toMatchObject({ droppedItems: 0, trouble: undefined, nextOffset: 1000 });
    await log.stop(never);
  });

  it('takes a commit larger than the whole log, as far as readers make room', async () => {
    const log = await rig.open({ maxBytes: 65_536, whenFull: 'block' });
    for (let offset = 0; offset < 1000; offset++) log.append(Buffer.from(`${offset} `.padEnd(200, '.')), 1);
    const commit = log.commit();
    const reader = log.reader(0);
    const seen: number[] = [];
    while (seen.length < 1000) {
      await reader.wait(never);
      seen.push(...(await reader.read(10_000)).map((record) => record.offset));
      await log.trim(reader.position);
    }
    await commit;
    expect(seen).toEqual(range(0, 1000));
    await log.stop(never);
  });

  it('tells exactly what lies behind a border of segments or a reader, and about what lies behind any other offset', async () => {
    const log = await rig.open();
    await fill(log, 100);
    const borders = rig.segments().map((path) => Number(path.slice(5, -4)));
    for (const border of [...borders, 100, 1000]) expect(log.kept(border).items).toBe(Math.max(0, 100 - border));
    for (let from = 0; from <= 100; from++) {
      expect(log.kept(from).items).toBe(100 - from);
      expect(Math.abs(log.kept(from).bytes - (100 - from) * (RECORD_HEADER_BYTES + 100))).toBeLessThan(100);
    }
    const reader = log.reader(0);
    await reader.read(1);
    expect(log.kept(reader.position)).toEqual({ items: 99, bytes: 99 * (RECORD_HEADER_BYTES + 100) });
    await log.stop(never);
  });

  it('refuses a record that could never fit, and more than may wait', async () => {
    const log = await rig.open({ maxBytes: 65_536, maxPendingBytes: 20_000 });
    expect(() => log.append(new Uint8Array(20_000), 1)).toThrow('cannot append 20000 bytes');
    log.append(new Uint8Array(15_000), 1);
    expect(() => log.append(new Uint8Array(5000), 1)).toThrow('wait for the disk already');
    await log.commit();
    log.append(new Uint8Array(5000), 1);
    await log.stop(never);
  });

  it('lets 64 MiB wait for the disk, where nothing else is said', async () => {
    const log = await rig.open({ maxBytes: 2 ** 30 });
    for (let record = 0; record < 15; record++) log.append(new Uint8Array(4 * 1024 * 1024), 1);
    expect(() => log.append(new Uint8Array(4 * 1024 * 1024), 1)).toThrow('wait for the disk already');
    expect(log.status().maxPendingBytes).toBe(64 * 1024 * 1024);
    await log.stop(never);
  });

  it('refuses a second log in the same folder until the first is stopped', async () => {
    const log = await rig.open();
    await expect(rig.open()).rejects.toThrow('in use');
    await log.stop(never);
    await (await rig.open()).stop(never);
  });

  it('reads but one block of each sealed segment when it starts', async () => {
    const log = await rig.open();
    await fill(log, 1000);
    await log.stop(never);
    const before = rig.disk.calls.get('read') ?? 0;
    const again = await rig.open();
    expect((rig.disk.calls.get('read') ?? 0) - before).toBeLessThanOrEqual(2 * rig.segments().length + 2);
    await again.stop(never);
  });

  it('moves a reader whose records were dropped to the first kept one', async () => {
    const log = await rig.open();
    await fill(log, 200);
    const reader = log.reader(0);
    await reader.read(1);
    await log.trim(150);
    const [next] = await reader.read(1);
    expect(next!.offset).toBe(log.status().firstOffset);
    await log.stop(never);
  });

  it('keeps a cursor that the disk refuses in memory, tells, and writes it with the next commit', async () => {
    const log = await rig.open();
    await fill(log, 3);
    const cursor = log.cursor('sink');
    rig.disk.fault = (_call, path) => (path.includes('cursor') ? 'ENOSPC' : undefined);
    await cursor.commit(2);
    expect(cursor.offset).toBe(2);
    expect(log.status().trouble).toContain('cannot write the cursor sink');
    rig.disk.fault = () => undefined;
    await cursor.commit(2);
    expect(log.status().trouble).toBeUndefined();
    await log.stop(never);
  });

  /** From now on the disk has no room for a single byte more. */
  const fillDisk = () => {
    rig.disk.capacity = rig.disk.paths().reduce((sum, path) => sum + rig.disk.content(path).length, 0);
  };

  it('notes on a disk that is full to the last block what is taken and what is dropped: a crash then forgets neither', async () => {
    const log = await rig.open({ whenFull: 'drop-oldest' });
    await fill(log, 200);
    const cursor = log.cursor('sink');
    await cursor.commit(10, { delivered: 10 });
    fillDisk();
    rig.disk.fault = (call, path) => (call === 'remove' && path.endsWith('.log') ? 'EIO' : undefined);
    await cursor.commit(150, { delivered: 150 });
    await log.trim(150);
    expect(log.status().trouble).not.toMatch(/cannot write/);
    rig.disk.kill();
    await log.stop(AbortSignal.abort());
    rig.disk.fault = () => undefined;
    const again = await rig.open();
    const { offset, note } = again.cursor('sink');
    expect({ offset, note }).toEqual({ offset: 150, note: { delivered: 150 } });
    expect(again.status()).toMatchObject({ appendedItems: 200, damagedItems: 0, droppedItems: 0 });
    expect(again.status().firstOffset).toBeGreaterThan(100);
    await again.stop(never);
  });

  it('writes a cursor for the first time as soon as a trim has made room on a full disk: a crash then does not forget what was taken', async () => {
    const log = await rig.open();
    await fill(log, 200);
    const cursor = log.cursor('sink');
    fillDisk();
    await cursor.commit(150, { delivered: 150 });
    expect(log.status().trouble).toContain('cannot write the cursor sink');
    await log.trim(150);
    expect(log.status().firstOffset).toBeGreaterThan(10);
    expect(log.status().trouble).toBeUndefined();
    rig.disk.kill();
    await log.stop(AbortSignal.abort());
    const again = await rig.open();
    const { offset, note } = again.cursor('sink');
    expect({ offset, note }).toEqual({ offset: 150, note: { delivered: 150 } });
    await again.stop(never);
  });

  it('deletes nothing that a cursor has passed but its file, which the disk refuses, has not; unless the log is more than half full', async () => {
    const log = await rig.open();
    await fill(log, 200);
    const cursor = log.cursor('sink');
    // Of a sink that is none any more: nobody waits for it.
    await log.cursor('gone').commit(1);
    await cursor.commit(70);
    await log.trim(70);
    const { firstOffset } = log.status();
    expect(firstOffset).toBeGreaterThan(1);
    rig.disk.fault = (_call, path) => (path.includes('cursor') ? 'EIO' : undefined);
    await cursor.commit(150);
    await log.trim(150);
    expect(log.status().firstOffset).toBe(firstOffset);
    const { bytes, maxBytes } = log.status();
    while (log.status().bytes <= maxBytes / 2) await fill(log, 200);
    await log.trim(150);
    expect(log.status().firstOffset).toBeGreaterThan(firstOffset);
    expect(bytes).toBeLessThan(maxBytes / 2);
    await log.stop(never);
  });

  it('saves with the next trim what the disk has refused of its counts and cursors', async () => {
    const log = await rig.open();
    await fill(log, 200);
    rig.disk.fault = (_call, path) => (/cursor|state/.test(path) ? 'ENOSPC' : undefined);
    await log.cursor('sink').commit(150);
    await log.trim(150);
    expect(log.status().trouble).toMatch(/cannot write the cursor sink.*cannot write \/log\/state/);
    rig.disk.fault = () => undefined;
    await log.trim(0);
    expect(log.status().trouble).toBeUndefined();
    await log.stop(never);
  });
});
