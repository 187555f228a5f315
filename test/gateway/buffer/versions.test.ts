import { beforeEach, describe, expect, it } from 'vitest';
import type { SegmentLog } from '../../../gateway/buffer/segment-log.ts';
import type { LogRecord } from '../../../gateway/core/log.ts';
import { checkedFile, firstVersionSegment } from './first-version.ts';
import { never, Rig, range } from './open-log.ts';

const record = (offset: number) => ({ offset, items: 3, payload: `v1 ${offset}` });

async function all(log: SegmentLog): Promise<readonly LogRecord[]> {
  const reader = log.reader(0);
  const records: LogRecord[] = [];
  for (let batch = await reader.read(1000); batch.length > 0; batch = await reader.read(1000)) records.push(...batch);
  await reader.close();
  return records;
}

describe('a log of format version 1', () => {
  let rig: Rig;

  beforeEach(() => {
    rig = new Rig();
    const put = (name: string, content: Buffer) => rig.disk.damage(`/log/${name}`, content);
    put('0000000000000010.log', firstVersionSegment(10, range(10, 20).map(record), { endOffset: 20 }));
    put('0000000000000020.log', firstVersionSegment(20, range(20, 30).map(record), { endOffset: 30 }));
    const unsealed = firstVersionSegment(30, range(30, 35).map(record), { endOffset: 35, sealed: false });
    put('0000000000000030.log', Buffer.concat([unsealed, Buffer.from('torn')]));
    put('state', checkedFile({ droppedItems: 7, droppedBefore: 5, nextOffset: 30, quarantined: 0 }));
    put('cursors/sink.cursor', checkedFile({ name: 'sink', offset: 25 }));
  });

  it('is read whole, with its cursor and counts', async () => {
    const log = await rig.open();
    const records = await all(log);
    expect(records.map(({ offset, items, payload }) => [offset, items, Buffer.from(payload).toString()])).toEqual(
      range(10, 35).map((offset) => [offset, 3, `v1 ${offset}`]),
    );
    expect(log.cursor('sink').offset).toBe(25);
    expect(log.cursor('sink').note).toBeUndefined();
    expect(log.status()).toMatchObject({ droppedItems: 7, keptItems: 75, appendedItems: 82, damagedItems: 0 });
    await log.stop(never);
  });

  it('counts ordinals by its seals, the same after a restart and after a trim', async () => {
    const expected = range(10, 35).map((offset) => [offset, 7 + (offset - 10) * 3]);
    for (const trimmed of [10, 20, 30]) {
      const log = await rig.open();
      const ordinals = (await all(log)).map(({ offset, ordinal }) => [offset, ordinal]);
      expect(ordinals).toEqual(expected.filter(([offset]) => offset! >= log.status().firstOffset));
      await log.trim(trimmed);
      expect(log.status()).toMatchObject({ firstOffset: trimmed, appendedItems: 82, damagedItems: 0 });
      await log.stop(never);
    }
  });

  it('goes on in the present version, ordinals and all, and is read mixed', async () => {
    for (const offset of [35, 36]) {
      const log = await rig.open();
      expect(log.append(Buffer.from('v2'), 5)).toBe(offset);
      await log.stop(never);
    }
    const log = await rig.open();
    const records = await all(log);
    expect(records.map(({ offset }) => offset)).toEqual(range(10, 37));
    for (const [index, { ordinal, items }] of records.slice(0, -1).entries())
      expect(records[index + 1]!.ordinal).toBe(ordinal + items);
    expect(log.status()).toMatchObject({ appendedItems: 92, keptItems: 85, damagedItems: 0, quarantined: 0 });
    await log.stop(never);
  });

  it('loses only a damaged record of it, and counts its items', async () => {
    const path = '/log/0000000000000010.log';
    const content = rig.disk.content(path);
    content[32 + 4 * 33 + 30]! ^= 1;
    rig.disk.damage(path, content);
    const log = await rig.open();
    expect((await all(log)).map(({ offset }) => offset)).toEqual(range(10, 35).filter((offset) => offset !== 14));
    expect(log.status()).toMatchObject({ keptItems: 72, damagedItems: 3 });
    await log.stop(never);
    const again = await rig.open();
    expect(again.status()).toMatchObject({ keptItems: 72, damagedItems: 3 });
    await again.stop(never);
  });

  it('keeps its records where a header is damaged, which no longer tells the version', async () => {
    for (const path of ['/log/0000000000000020.log', '/log/0000000000000030.log']) {
      const content = rig.disk.content(path);
      content[5]! ^= 1;
      rig.disk.damage(path, content);
    }
    const log = await rig.open();
    expect((await all(log)).map(({ offset }) => offset)).toEqual(range(10, 35));
    expect(log.status()).toMatchObject({ keptItems: 75, damagedItems: 0 });
    await log.stop(never);
  });
});
