import { crc32 } from 'node:zlib';

/** A record as version 1 has it. */
export interface FirstVersionRecord {
  readonly offset: number;
  readonly items: number;
  readonly payload: string;
}

/**
 * A segment of format version 1, written down from its description: the program must go on reading what its ancestors wrote, whatever
 * becomes of its own encoder.
 */
export function firstVersionSegment(
  firstOffset: number,
  records: readonly FirstVersionRecord[],
  { endOffset, sealed = true }: { endOffset: number; sealed?: boolean },
): Buffer {
  const header = Buffer.alloc(32);
  header.write('HGLG', 'latin1');
  header.writeUInt16LE(1, 4);
  header.writeUInt16LE(32, 6);
  header.writeBigUInt64LE(BigInt(firstOffset), 8);
  header.writeDoubleLE(1.8e12, 16);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  const parts = [header, ...records.map(firstVersionRecord)];
  const position = parts.reduce((sum, part) => sum + part.length, 0);
  if (sealed) parts.push(firstVersionSeal(records, endOffset, position));
  return Buffer.concat(parts);
}

function firstVersionRecord({ offset, items, payload }: FirstVersionRecord): Buffer {
  const record = Buffer.concat([Buffer.alloc(28), Buffer.from(payload)]);
  record.writeUInt32LE(record.length - 28, 4);
  record.writeUInt32LE(items, 8);
  record.writeBigUInt64LE(BigInt(offset), 12);
  record.writeDoubleLE(1.8e12 + offset, 20);
  record.writeUInt32LE(crc32(record.subarray(4)), 0);
  return record;
}

function firstVersionSeal(records: readonly FirstVersionRecord[], endOffset: number, position: number): Buffer {
  const seal = Buffer.alloc(52);
  seal.writeUInt32LE(0xffff_ffff, 4);
  seal.writeUInt32LE(records.length, 8);
  seal.writeBigUInt64LE(BigInt(endOffset), 12);
  seal.writeDoubleLE(
    records.reduce((sum, { items }) => sum + items, 0),
    20,
  );
  seal.writeDoubleLE(1.8e12 + records[0]!.offset, 28);
  seal.writeDoubleLE(1.8e12 + records.at(-1)!.offset, 36);
  seal.writeDoubleLE(position, 44);
  seal.writeUInt32LE(crc32(seal.subarray(4)), 0);
  return seal;
}

/** A file of JSON with its checksum in front, as `state` and cursors are. */
export function checkedFile(content: object): Buffer {
  const json = JSON.stringify(content);
  return Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} ${json}\n`);
}
