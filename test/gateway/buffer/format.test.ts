import { describe, expect, it } from 'vitest';
import {
  decodeHeader,
  decodeSeal,
  encodeHeader,
  encodeRecord,
  encodeSeal,
  isRecord,
  parseSegmentName,
  RECORD_HEADER_BYTES,
  recordItems,
  recordOffset,
  recordOrdinal,
  recordTime,
  segmentName,
} from '../../../gateway/buffer/format.ts';

const PLACE = { itemsBefore: 10, unwrittenBefore: 3, thinnedItems: 4, itemsAtThinning: 7, level: 3 };
const SEAL = { records: 1, items: 2, endOffset: 3, firstTime: 4, lastTime: 5, appendedItems: 7, firstOffset: 6 };

describe('the format of a segment', () => {
  it('is what FORMAT.md says, byte for byte', () => {
    expect(encodeHeader(258, 1.5, PLACE).toString('hex')).toBe(
      '48474c47' +
        '0200' +
        '4400' +
        '0201000000000000' +
        '000000000000f83f' +
        '03000000' +
        '131f31c4' +
        '0000000000002440' +
        '0000000000000840' +
        '0000000000001040' +
        '0000000000001c40' +
        '995a5a57',
    );
    const record = Buffer.alloc(RECORD_HEADER_BYTES + 2);
    encodeRecord(record, 0, 2 ** 32 + 1, 3, 2 ** 33, 1.5, Buffer.from('hi'));
    expect(record.toString('hex')).toBe(
      '61977091' + '02000000' + '03000000' + '0100000001000000' + '000000000000f83f' + '0000000002000000' + '6869',
    );
    expect(encodeSeal(SEAL, PLACE, 600).toString('hex')).toBe(
      '731a7525' +
        'ffffffff' +
        '01000000' +
        '0300000000000000' +
        '0000000000000040' +
        '0000000000001040' +
        '0000000000001440' +
        '0000000000c08240' +
        '0000000000002440' +
        '0000000000000840' +
        '0000000000001040' +
        '0000000000001c40' +
        '03000000' +
        '0600000000000000',
    );
  });

  it('reads back what it wrote, up to the greatest offset', () => {
    const record = Buffer.alloc(RECORD_HEADER_BYTES);
    for (const offset of [0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      encodeRecord(record, 0, offset, 0xffff_ffff, offset, 1e12 + 0.25, new Uint8Array(0));
      expect(isRecord(record, 0, record.length)).toBe(true);
      expect([recordOffset(record, 0), recordItems(record, 0), recordTime(record, 0)]).toEqual([
        offset,
        0xffff_ffff,
        1e12 + 0.25,
      ]);
      expect(recordOrdinal(record, 0)).toBe(offset);
      expect(decodeHeader(encodeHeader(offset, 0, PLACE))).toEqual({
        firstOffset: offset,
        version: 2,
        place: PLACE,
        isWhole: true,
      });
      expect(parseSegmentName(segmentName(offset))).toBe(offset);
    }
  });

  it('notices every flipped bit', () => {
    const record = Buffer.alloc(RECORD_HEADER_BYTES + 5);
    encodeRecord(record, 0, 7, 1, 7, 1e12, Buffer.from('hello'));
    const header = encodeHeader(7, 1e12, PLACE);
    const seal = encodeSeal(SEAL, PLACE, 600);
    const flips = (bytes: Buffer, isGood: (damaged: Buffer) => boolean) => {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        expect(isGood(damaged), `bit ${bit}`).toBe(false);
      }
    };
    flips(record, (damaged) => isRecord(damaged, 0, damaged.length));
    flips(header, (damaged) => decodeHeader(damaged)?.isWhole === true);
    flips(seal, (damaged) => decodeSeal(damaged, 0, 600) !== undefined);
  });

  it('does not take zeros for a record, nor a seal from elsewhere for the seal of this place', () => {
    expect(isRecord(Buffer.alloc(100), 0, RECORD_HEADER_BYTES)).toBe(false);
    const seal = encodeSeal(SEAL, PLACE, 600);
    expect(decodeSeal(seal, 0, 600)).toEqual({ ...SEAL, place: PLACE });
    expect(decodeSeal(seal, 0, 601)).toBeUndefined();
  });

  it('knows the names of segments from others', () => {
    expect(segmentName(1234)).toBe('0000000000001234.log');
    for (const name of ['state', '1.log', '0000000000001234.log.new', '9999999999999999.log', 'x000000000000000.log'])
      expect(parseSegmentName(name)).toBeUndefined();
  });
});
