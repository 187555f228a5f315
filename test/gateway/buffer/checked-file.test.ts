import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { CheckedFile, readChecked } from '../../../gateway/buffer/checked-file.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';

const PATH = '/log/state';
const SLOT = 1024;

describe('a small file with a checksum', () => {
  let disk: FaultyDisk;
  beforeEach(() => {
    disk = new FaultyDisk(seededRandom(3));
  });

  const open = () => new CheckedFile(disk.mount(), PATH, SLOT);
  const opened = async () => {
    const file = open();
    await file.read();
    return file;
  };
  const read = () => readChecked(disk.mount(), PATH);
  const fillDisk = () => {
    disk.capacity = disk.paths().reduce((sum, path) => sum + disk.content(path).length, 0);
  };

  it('is missing before it is written, and then says what was written last, in this process and the next', async () => {
    expect(await open().read()).toBe('missing');
    const file = open();
    for (let count = 0; count < 5; count++) {
      await file.write({ count });
      expect(await read()).toEqual({ count });
    }
    const next = await opened();
    await next.write({ count: 5 });
    await next.write({ count: 6 });
    expect(await open().read()).toEqual({ count: 6 });
    expect(disk.paths()).toEqual([PATH]);
  });

  it('is written again and again on a disk that is full to the last byte', async () => {
    const file = open();
    await file.write({ count: 0 });
    fillDisk();
    for (let count = 1; count < 5; count++) await file.write({ count });
    expect(await read()).toEqual({ count: 4 });
  });

  it('keeps what it says where there is no room for a larger one, leaves nothing of the attempt, and goes on with what fits', async () => {
    const file = open();
    await file.write({ count: 0 });
    fillDisk();
    disk.capacity += 100;
    await expect(file.write({ text: '.'.repeat(SLOT) })).rejects.toThrow(/ENOSPC|no more/);
    expect(disk.paths()).toEqual([PATH]);
    expect(await read()).toEqual({ count: 0 });
    await file.write({ count: 1 });
    expect(await read()).toEqual({ count: 1 });
  });

  it('grows with its content, up to a quarter of a megabyte', async () => {
    const file = open();
    for (const length of [10, 5_000, 100_000, 250_000, 20]) {
      const text = 'ä'.repeat(length / 2);
      await file.write({ text });
      expect(await open().read()).toEqual({ text });
    }
    await expect(file.write({ text: '.'.repeat(256 * 1024) })).rejects.toThrow('would have');
    expect(await read()).toEqual({ text: 'ä'.repeat(10) });
  });

  it('says after a power cut what it said before or what was being written, wherever the write was interrupted', async () => {
    const random = seededRandom(17);
    let [olds, news] = [0, 0];
    for (let round = 0; round < 300; round++) {
      disk = new FaultyDisk(random);
      const file = open();
      const lengths = Array.from({ length: 3 }, () => Math.floor(random() * (round % 2 === 0 ? 2_500 : 900)));
      for (const [count, length] of lengths.entries()) await file.write({ count, text: 'x'.repeat(length) });
      let calls = Math.floor(random() * 6);
      disk.delay = async () => {
        if (calls-- === 0) disk.kill();
      };
      const last = { count: 3, text: 'y'.repeat(Math.floor(random() * 2_500)) };
      await file.write(last).catch(() => undefined);
      disk.delay = () => Promise.resolve();
      disk.cutPower();
      const found = (await read()) as { count: number };
      expect([2, 3], `round ${round}`).toContain(found.count);
      if (found.count === 3) news++;
      else olds++;
    }
    expect(Math.min(olds, news)).toBeGreaterThan(20);
  });

  it('does not touch the only good slot when a sync has failed', async () => {
    const file = open();
    await file.write({ count: 0 });
    await file.write({ count: 1 });
    disk.fault = (call) => (call === 'datasync' ? 'EIO' : undefined);
    for (let attempt = 0; attempt < 3; attempt++) await expect(file.write({ count: 2 })).rejects.toThrow('EIO');
    disk.fault = () => undefined;
    disk.cutPower();
    expect([{ count: 1 }, { count: 2 }]).toContainEqual(await read());
  });

  it('says what the other slot says where one is damaged or cannot be read', async () => {
    for (const harmed of [0, 1]) {
      disk = new FaultyDisk(seededRandom(5));
      const file = open();
      await file.write({ count: 0 });
      await file.write({ count: 1 });
      const content = disk.content(PATH);
      content[harmed * SLOT + 12]! ^= 0xff;
      disk.damage(PATH, content);
      expect(await read()).toEqual({ count: 1 - harmed });
      content[harmed * SLOT + 12]! ^= 0xff;
      disk.damage(PATH, content);
      disk.refusesRead = (_path, start, end) => start < (harmed + 1) * SLOT && end > harmed * SLOT;
      expect(await open().read()).toEqual({ count: 1 - harmed });
    }
  });

  it.each([
    ['nothing', ''],
    ['nonsense', 'nonsense'],
    ['a wrong checksum', '00000000 {"count":1}\n'],
    ['no JSON', `${sum('{count}')} {count}\n`],
    ['no line end', `${sum('{"count":1}')} {"count":1}`],
  ])('is damaged where it has %s, and can be written anew', async (_what, text) => {
    disk.damage(PATH, Buffer.from(text));
    const file = open();
    expect(await file.read()).toBe('damaged');
    await file.write({ count: 7 });
    expect(await read()).toEqual({ count: 7 });
  });

  it('reads the form of earlier releases, which have no slots, and replaces it with its own', async () => {
    disk.damage(PATH, Buffer.from(`${sum('{"count":1}')} {"count":1}\n`));
    const file = open();
    expect(await file.read()).toEqual({ count: 1 });
    await file.write({ count: 2 });
    expect(disk.content(PATH).length).toBe(2 * SLOT);
    expect(await read()).toEqual({ count: 2 });
  });

  it('says what was written last also where a larger file took its place and the folder could not be synced', async () => {
    for (const writes of [1, 2]) {
      disk = new FaultyDisk(seededRandom(4));
      const file = open();
      for (let count = 0; count < writes; count++) await file.write({ count });
      disk.fault = (call) => (call === 'syncDirectory' ? 'EIO' : undefined);
      await expect(file.write({ text: '.'.repeat(SLOT) })).rejects.toThrow('EIO');
      disk.fault = () => undefined;
      for (const count of [7, 8]) {
        await file.write({ count });
        expect(await read(), `after ${writes} writes`).toEqual({ count });
      }
    }
  });

  it('is made anew where somebody has removed it', async () => {
    const file = open();
    await file.write({ count: 1 });
    disk.damage(PATH, undefined);
    await file.write({ count: 2 });
    expect(await read()).toEqual({ count: 2 });
  });
});

function sum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
