import { beforeEach, describe, expect, it } from 'vitest';
import { LAYOUT } from '../../../gateway/buffer/format.ts';
import { seededRandom } from '../../model/faulty-disk.ts';
import { fill, never, offsetsOf, Rig, range } from './open-log.ts';

const RECORDS = 100;
const HEADER = LAYOUT.headerBytes;
/** A record of `fill`. */
const RECORD = LAYOUT.recordBytes + 100;

describe('a damaged log', () => {
  let rig: Rig;
  let segments: readonly string[];

  beforeEach(async () => {
    rig = new Rig();
    const log = await rig.open();
    await fill(log, RECORDS);
    await log.cursor('sink').commit(50);
    await log.stop(never);
    segments = rig.segments();
    expect(segments.length).toBeGreaterThan(3);
  });

  const firstOf = (index: number) => (index < segments.length ? Number(segments[index]!.slice(5, -4)) : RECORDS);
  const without = (from: number, to: number) => range(0, RECORDS).filter((offset) => offset < from || offset >= to);
  const change = (path: string, edit: (content: Buffer) => Uint8Array | undefined) =>
    rig.disk.damage(path, edit(rig.disk.content(path)));

  it('loses only the record in which a bit flipped, sets it aside once and counts it', async () => {
    const random = seededRandom(7);
    const path = segments[1]!;
    const lost = firstOf(1) + 3;
    change(path, (content) => {
      content[HEADER + 3 * RECORD + Math.floor(random() * RECORD)]! ^= 1 << Math.floor(random() * 8);
      return content;
    });
    const log = await rig.open();
    expect(await offsetsOf(log)).toEqual(without(lost, lost + 1));
    expect(await offsetsOf(log)).toEqual(without(lost, lost + 1));
    expect(log.status().quarantined).toBe(1);
    const aside = rig.disk.paths().filter((name) => name.startsWith('/log/quarantine/'));
    expect(aside.map((name) => rig.disk.content(name).length)).toEqual([RECORD]);
    await log.stop(never);
    const again = await rig.open();
    expect(await offsetsOf(again)).toEqual(without(lost, lost + 1));
    expect(again.status().quarantined).toBe(1);
    await again.stop(never);
  });

  it('counts what is damaged though the process that set it aside died before it could note that', async () => {
    change(segments[1]!, (content) => content.fill(0, HEADER + RECORD, HEADER + 3 * RECORD));
    const log = await rig.open();
    rig.disk.fault = (call, path) => (call === 'write' && path === '/log/state' ? 'EIO' : undefined);
    await offsetsOf(log);
    rig.disk.kill();
    await log.stop(AbortSignal.abort());
    rig.disk.fault = () => undefined;
    for (let round = 0; round < 2; round++) {
      const again = await rig.open();
      await offsetsOf(again);
      expect(again.status()).toMatchObject({ keptItems: RECORDS - 2, damagedItems: 2, quarantined: 1 });
      await again.stop(never);
    }
  });

  it('loses only what it touches, wherever a random byte is changed', async () => {
    const random = seededRandom(11);
    for (let round = 0; round < 60; round++) {
      const other = new Rig();
      for (const path of rig.disk.paths()) other.disk.damage(path, rig.disk.content(path));
      const path = segments[Math.floor(random() * segments.length)]!;
      const content = other.disk.content(path);
      content[Math.floor(random() * content.length)]! ^= 0xff;
      other.disk.damage(path, content);
      const log = await other.open();
      const kept = await offsetsOf(log);
      expect(kept.length, `round ${round}`).toBeGreaterThanOrEqual(RECORDS - 1);
      expect(log.append(new Uint8Array(1), 1)).toBeGreaterThanOrEqual(RECORDS);
      await log.stop(never);
    }
  });

  it('keeps what lies before and behind zeros', async () => {
    change(segments[1]!, (content) => content.fill(0, HEADER + RECORD, HEADER + 5 * RECORD));
    const log = await rig.open();
    expect(await offsetsOf(log)).toEqual(without(firstOf(1) + 1, firstOf(1) + 5));
    expect(log.status().quarantined).toBe(1);
    await log.stop(never);
  });

  it('keeps the beginning of a segment that was cut, and all others', async () => {
    change(segments[2]!, (content) => content.subarray(0, HEADER + 4 * RECORD + 100));
    const log = await rig.open();
    expect(await offsetsOf(log)).toEqual(without(firstOf(2) + 4, firstOf(3)));
    expect(log.status()).toMatchObject({ quarantined: 1, damagedItems: firstOf(3) - firstOf(2) - 4 });
    await log.stop(never);
  });

  it('does not give the numbers of a lost end again', async () => {
    change(segments.at(-1)!, (content) => content.subarray(0, HEADER + 8));
    const log = await rig.open();
    expect(await offsetsOf(log)).toEqual(range(0, firstOf(segments.length - 1)));
    expect(log.append(new Uint8Array(1), 1)).toBe(RECORDS);
    await log.stop(never);
  });

  it.each([
    ['empty', () => new Uint8Array(0)],
    ['all zeros', (content: Buffer) => content.fill(0)],
    ['garbage', (content: Buffer) => content.fill('garbage')],
    ['missing', () => undefined],
  ])('starts and keeps the others when a segment is %s', async (_what, edit) => {
    change(segments[1]!, edit);
    const log = await rig.open();
    expect(await offsetsOf(log)).toEqual(without(firstOf(1), firstOf(2)));
    expect(log.status().damagedItems).toBe(firstOf(2) - firstOf(1));
    await fill(log, 1);
    await log.stop(never);
  });

  it('loses nothing when two segment files have been swapped', async () => {
    const [one, two] = [rig.disk.content(segments[0]!), rig.disk.content(segments[2]!)];
    rig.disk.damage(segments[0]!, two);
    rig.disk.damage(segments[2]!, one);
    const log = await rig.open();
    expect(await offsetsOf(log)).toEqual(range(0, RECORDS));
    expect(log.status().quarantined).toBe(0);
    await log.stop(never);
  });

  it('takes a segment once that is there twice, and sets the other aside', async () => {
    rig.disk.damage('/log/0000000000000099.log', rig.disk.content(segments[0]!));
    const log = await rig.open();
    expect(await offsetsOf(log)).toEqual(range(0, RECORDS));
    expect(log.status().quarantined).toBe(1);
    await log.stop(never);
  });

  it('cuts garbage behind the end of a segment', async () => {
    change(segments[0]!, (content) => Buffer.concat([content, Buffer.from('garbage')]));
    const log = await rig.open();
    expect(await offsetsOf(log)).toEqual(range(0, RECORDS));
    expect(log.status().quarantined).toBe(1);
    await log.stop(never);
  });

  it('begins a damaged cursor again at the first record, and tells', async () => {
    for (const edit of ['', 'random', 'deadbeef {"name":"sink","offset":99}\n']) {
      rig.disk.damage('/log/cursors/sink.cursor', Buffer.from(edit));
      const log = await rig.open();
      expect(log.cursor('sink').offset).toBe(0);
      await log.stop(never);
    }
    expect(rig.logger.lines.filter((line) => line.message.includes('sink.cursor cannot be read'))).toHaveLength(3);
  });

  it('counts from nothing without its state file, but gives no number twice', async () => {
    rig.disk.damage('/log/state', Buffer.from('nonsense'));
    const log = await rig.open();
    expect(log.status()).toMatchObject({ nextOffset: RECORDS, droppedItems: 0 });
    await log.stop(never);
  });

  it('starts when everything is gone but the cursor, behind what the cursor has seen', async () => {
    for (const path of [...segments, '/log/state']) rig.disk.damage(path, undefined);
    const log = await rig.open();
    await fill(log, 1);
    expect(await offsetsOf(log, log.cursor('sink').offset)).toEqual([50]);
    await log.stop(never);
  });

  it('leaves a segment of a later format alone and gives none of its numbers', async () => {
    const { crc32 } = await import('node:zlib');
    change(segments.at(-1)!, (content) => {
      content.writeUInt16LE(3, 4);
      content.writeUInt32LE(crc32(content.subarray(0, 28)), 28);
      return content;
    });
    const before = rig.disk.content(segments.at(-1)!);
    const log = await rig.open();
    expect(log.status().nextOffset).toBeGreaterThan(RECORDS);
    await log.stop(never);
    expect(rig.disk.content(segments.at(-1)!)).toEqual(before);
  });

  it('goes on behind segments that vanish while it runs', async () => {
    const log = await rig.open();
    const reader = log.reader(0);
    await reader.read(1);
    rig.disk.damage(segments[1]!, undefined);
    const offsets: number[] = [];
    for (let batch = await reader.read(1000); batch.length > 0; batch = await reader.read(1000))
      offsets.push(...batch.map((record) => record.offset));
    expect([0, ...offsets]).toEqual(without(firstOf(1), firstOf(2)));
    await log.stop(never);
  });
});
