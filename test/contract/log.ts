import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log, LogRecord } from '../../gateway/core/log.ts';

/** How a suite gets a log of the kind it tests. */
export interface LogUnderTest {
  /** A started log on the same storage each time; the one opened before has been stopped. */
  open(): Promise<Log>;
  /** Removes the storage. */
  dispose(): Promise<void>;
}

/** What every `Log` must do. An implementation's own test gives it a way to make one. */
export function describeLog(kind: string, setUp: () => Promise<LogUnderTest>): void {
  describe(`${kind} as a log`, () => {
    const never = new AbortController().signal;
    let storage: LogUnderTest;
    let log: Log;

    beforeEach(async () => {
      storage = await setUp();
      log = await storage.open();
    });

    afterEach(async () => {
      await log.stop(never);
      await storage.dispose();
    });

    const restart = async () => {
      await log.stop(never);
      log = await storage.open();
    };
    const put = async (...payloads: string[]) => {
      for (const payload of payloads) log.append(Buffer.from(payload), 1);
      await log.commit();
    };
    const textsFrom = async (offset: number) => {
      const reader = log.reader(offset);
      const records: LogRecord[] = [];
      for (let batch = await reader.read(100); batch.length > 0; batch = await reader.read(100)) records.push(...batch);
      await reader.close();
      return records.map((record) => `${record.offset}:${Buffer.from(record.payload).toString()}`);
    };

    it('gives dense ascending offsets from 0', () => {
      expect([0, 1, 2].map((byte) => log.append(Uint8Array.of(byte), 1))).toEqual([0, 1, 2]);
    });

    it('gives records back in order with offset, items, time and payload', async () => {
      log.append(Buffer.from('a'), 3);
      log.append(new Uint8Array(0), 0);
      await log.commit();
      const reader = log.reader(0);
      const records = await reader.read(1000);
      expect(records).toMatchObject([
        { offset: 0, items: 3 },
        { offset: 1, items: 0 },
      ]);
      expect(records.map((record) => record.payload.length)).toEqual([1, 0]);
      expect(records[0]!.time).toBeGreaterThan(0);
      await reader.close();
    });

    it('does not let a reader see what is not committed', async () => {
      log.append(Buffer.from('a'), 1);
      expect(await log.reader(0).read(100)).toEqual([]);
      expect(log.status()).toMatchObject({ nextOffset: 1, durableOffset: 0 });
      expect(log.status().pendingBytes).toBeGreaterThan(0);
      await log.commit();
      expect(await textsFrom(0)).toEqual(['0:a']);
      expect(log.status()).toMatchObject({ nextOffset: 1, durableOffset: 1, damagedItems: 0 });
    });

    it('copies the payload', async () => {
      const payload = Buffer.from('a');
      log.append(payload, 1);
      payload.fill('z');
      await log.commit();
      expect(await textsFrom(0)).toEqual(['0:a']);
    });

    it('resolves a commit of nothing', async () => {
      await log.commit();
      expect(log.status()).toMatchObject({ nextOffset: 0, durableOffset: 0, firstOffset: 0 });
    });

    it('covers every append before a commit, also while another commit runs', async () => {
      const commits = [];
      for (let i = 0; i < 50; i++) {
        log.append(Buffer.from(`${i}`), 1);
        const wanted = i + 1;
        commits.push(log.commit().then(() => log.status().durableOffset >= wanted));
      }
      expect(await Promise.all(commits)).not.toContain(false);
    });

    it('reads at least one record, and about as many bytes as asked for', async () => {
      await put('x'.repeat(1000), 'y'.repeat(1000), 'z'.repeat(1000));
      const reader = log.reader(0);
      expect(await reader.read(1)).toHaveLength(1);
      expect(reader.position).toBe(1);
      expect(await reader.read(0)).toHaveLength(1);
      expect(await reader.read(10_000)).toHaveLength(1);
      expect(await reader.read(10_000)).toEqual([]);
      expect(reader.position).toBe(3);
      await reader.close();
    });

    it('lets many readers read at their own places', async () => {
      await put('a', 'b', 'c');
      const [one, two] = [log.reader(0), log.reader(2)];
      expect((await two.read(100)).map((record) => record.offset)).toEqual([2]);
      expect((await one.read(100)).map((record) => record.offset)).toEqual([0, 1, 2]);
      await put('d');
      expect((await two.read(100)).map((record) => record.offset)).toEqual([3]);
      await one.close();
      await two.close();
    });

    it('wakes a waiting reader when something is committed', async () => {
      const reader = log.reader(0);
      const woken = reader.wait(never);
      await put('a');
      await woken;
      expect(await reader.read(100)).toHaveLength(1);
      await reader.close();
    });

    it('does not keep a reader waiting that has something to read', async () => {
      await put('a');
      await log.reader(0).wait(never);
    });

    it('ends a wait when its signal aborts', async () => {
      const abort = new AbortController();
      const woken = log.reader(0).wait(abort.signal);
      abort.abort();
      await woken;
    });

    it('keeps records and offsets over a restart', async () => {
      await put('a', 'b');
      await restart();
      expect(log.status()).toMatchObject({ firstOffset: 0, nextOffset: 2, durableOffset: 2 });
      await put('c');
      expect(await textsFrom(0)).toEqual(['0:a', '1:b', '2:c']);
    });

    it('makes durable at a stop what was appended and not committed', async () => {
      log.append(Buffer.from('a'), 1);
      await restart();
      expect(await textsFrom(0)).toEqual(['0:a']);
    });

    it('begins a new cursor at the first record and keeps it over a restart', async () => {
      await put('a', 'b', 'c');
      const cursor = log.cursor('sink');
      expect(cursor).toMatchObject({ name: 'sink', offset: 0 });
      await Promise.all([cursor.commit(1), cursor.commit(2)]);
      expect(cursor.offset).toBe(2);
      await restart();
      expect(log.cursor('sink').offset).toBe(2);
      expect(log.cursor('other').offset).toBe(0);
    });

    it('tells of every record how many items came before it, over restarts and trims', async () => {
      for (const items of [3, 0, 5]) log.append(Buffer.from('a'), items);
      await log.commit();
      await restart();
      log.append(Buffer.from('b'), 2);
      await log.commit();
      await log.trim(1);
      await restart();
      const reader = log.reader(0);
      const records: LogRecord[] = [];
      for (let batch = await reader.read(1); batch.length > 0; batch = await reader.read(1)) records.push(...batch);
      await reader.close();
      expect(records.slice(-3).map(({ offset, ordinal }) => [offset, ordinal])).toEqual([
        [1, 3],
        [2, 3],
        [3, 8],
      ]);
      expect(log.status()).toMatchObject({ appendedItems: 10, droppedItems: 0, damagedItems: 0 });
    });

    it('counts the items that are kept, and those from where a reader stands', async () => {
      for (const items of [3, 1, 5, 2]) log.append(Buffer.from('a'), items);
      expect(log.status()).toMatchObject({ appendedItems: 11, keptItems: 0 });
      expect(log.kept(0)).toEqual({ items: 0, bytes: 0 });
      await log.commit();
      expect(log.status()).toMatchObject({ appendedItems: 11, keptItems: 11 });
      const reader = log.reader(0);
      for (const left of [8, 7, 2, 0]) {
        const before = log.kept(reader.position);
        await reader.read(1);
        expect(log.kept(reader.position).items).toBe(left);
        expect(log.kept(reader.position).bytes).toBeLessThan(before.bytes);
      }
      expect(log.kept(reader.position)).toEqual({ items: 0, bytes: 0 });
      await reader.close();
      await log.trim(4);
      await restart();
      await log.trim(4);
      expect(log.kept(0).items).toBe(log.status().keptItems);
    });

    it('begins a new cursor where it is told to', async () => {
      await put('a', 'b');
      expect(log.cursor('sink', 1).offset).toBe(1);
      await log.cursor('sink', 0).commit(2);
      await restart();
      expect(log.cursor('sink', 0).offset).toBe(2);
    });

    it('keeps a note with a cursor over a restart, until another one comes', async () => {
      await put('a', 'b', 'c');
      expect(log.cursor('sink').note).toBeUndefined();
      await log.cursor('sink').commit(1, { delivered: 1, reasons: ['ü'] });
      await log.cursor('sink').commit(2);
      await restart();
      expect(log.cursor('sink')).toMatchObject({ offset: 2, note: { delivered: 1, reasons: ['ü'] } });
      await Promise.all([log.cursor('sink').commit(2, 'x'), log.cursor('sink').commit(2, 'y'.repeat(200_000))]);
      await restart();
      expect(log.cursor('sink')).toMatchObject({ offset: 2, note: 'y'.repeat(200_000) });
    });

    it('has what it was asked to sync durable, committed or not, and with nothing to do is done', async () => {
      await log.sync();
      for (const payload of ['a', 'b', 'c']) log.append(Buffer.from(payload), 1);
      await log.sync(2);
      expect(log.status().durableOffset).toBeGreaterThanOrEqual(2);
      await log.sync();
      expect(await textsFrom(0)).toEqual(['0:a', '1:b', '2:c']);
    });

    it('never moves a cursor backwards', async () => {
      await put('a', 'b', 'c');
      await log.cursor('sink').commit(2);
      await log.cursor('sink').commit(1, 'note');
      await restart();
      expect(log.cursor('sink')).toMatchObject({ offset: 2, note: 'note' });
    });

    it('takes any name for a cursor', async () => {
      await put('a');
      for (const name of ['../../etc', 'a b', 'ü', '.', '__proto__']) await log.cursor(name).commit(1);
      await restart();
      expect(log.cursor('../../etc').offset).toBe(1);
      expect(log.cursor('__proto__').offset).toBe(1);
    });

    it('never numbers a record anew, whatever was trimmed', async () => {
      await put('a', 'b');
      await log.trim(2);
      await restart();
      await log.trim(2);
      await restart();
      expect(log.append(Buffer.from('c'), 1)).toBe(2);
    });

    it('keeps what is not trimmed', async () => {
      await put('a', 'b', 'c');
      await log.trim(1);
      expect((await textsFrom(1)).slice(-2)).toEqual(['1:b', '2:c']);
      await log.trim(1000);
      await put('d');
      expect(await textsFrom(3)).toEqual(['3:d']);
    });

    it('refuses work when it is stopped, and stops twice', async () => {
      await put('a');
      await log.stop(never);
      await log.stop(never);
      expect(() => log.append(Buffer.from('b'), 1)).toThrow('not running');
      await expect(log.commit()).rejects.toThrow('not running');
    });
  });
}
