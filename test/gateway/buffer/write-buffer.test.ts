import { describe, expect, it } from 'vitest';
import { RECORD_HEADER_BYTES } from '../../../gateway/buffer/format.ts';
import { WriteBuffer } from '../../../gateway/buffer/write-buffer.ts';

describe('the write buffer', () => {
  it('hands over everything once, with what a segment needs to know of it', () => {
    const buffer = new WriteBuffer(1000);
    buffer.append(5, 2, 40, 100, new Uint8Array(10));
    buffer.append(6, 3, 42, 101, new Uint8Array(20));
    const used = 2 * RECORD_HEADER_BYTES + 30;
    expect(buffer.bytes).toBe(used);
    expect(buffer.take()).toMatchObject([
      { used, records: 2, items: 5, firstOffset: 5, endOffset: 7, firstOrdinal: 40, firstTime: 100, lastTime: 101 },
    ]);
    expect(buffer.bytes).toBe(0);
    expect(buffer.take()).toEqual([]);
  });

  it('begins a new chunk where a segment would get too large, but never parts a record', () => {
    const buffer = new WriteBuffer(300);
    for (let offset = 0; offset < 6; offset++)
      buffer.append(offset, 1, offset, 0, new Uint8Array(offset === 3 ? 5000 : 100));
    expect(buffer.take().map((chunk) => [chunk.firstOffset, chunk.endOffset, chunk.used <= 300])).toEqual([
      [0, 2, true],
      [2, 3, true],
      [3, 4, false],
      [4, 6, true],
    ]);
  });

  it('uses the memory of released chunks again', () => {
    const buffer = new WriteBuffer(1_000_000);
    buffer.append(0, 1, 0, 0, new Uint8Array(100_000));
    const [first] = buffer.take();
    buffer.release(first!);
    buffer.append(1, 1, 1, 0, new Uint8Array(10));
    expect(buffer.take()[0]!.bytes).toBe(first!.bytes);
  });
});
