import type { FaultyDisk } from '../../model/faulty-disk.ts';

/** A record as its bytes lie in a file. */
export interface Placed {
  readonly offset: number;
  readonly items: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Where the records of a segment of version 2 lie, told from its bytes by the description of the format, not by the scanner under test. One that
 * is being written may end in a torn record, which is left out.
 */
export function placesOf(segment: Buffer): readonly Placed[] {
  const places: Placed[] = [];
  const headerBytes = segment.length < 8 ? segment.length : segment.readUInt16LE(6);
  for (let start = headerBytes; start + 36 <= segment.length && segment.readUInt32LE(start + 4) !== 0xffff_ffff; ) {
    const page = Math.ceil(start / 4096) * 4096;
    if (page > start && page < segment.length && segment.subarray(start, page).every((byte) => byte === 0))
      start = page;
    const end = start + 36 + segment.readUInt32LE(start + 4);
    const isBlank = segment.readUInt32LE(start) === 0;
    if (isBlank || end > segment.length) break;
    places.push({
      offset: Number(segment.readBigUInt64LE(start + 12)),
      items: segment.readUInt32LE(start + 8),
      start,
      end,
    });
    start = end;
  }
  return places;
}

/** What was done to one file: a sentence, and the bytes of its old content that are not what they were. */
export interface Harm {
  readonly what: string;
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

type Upto = (most: number) => number;

/** Damages some files in ways drawn by chance, each once; swapping two segments harms nothing. */
export function damageFiles(disk: FaultyDisk, paths: readonly string[], random: () => number): readonly Harm[] {
  const upTo: Upto = (most) => Math.floor(random() * (most + 1));
  const left = [...paths];
  const take = () => left.splice(upTo(left.length - 1), 1)[0]!;
  const harms: Harm[] = [];
  for (let files = 1 + upTo(2); files > 0 && left.length > 0; files--) {
    const path = take();
    if (left.length > 0 && upTo(5) === 0) harms.push(swap(disk, path, take()));
    else harms.push(...damage(disk, path, upTo));
  }
  return harms;
}

function swap(disk: FaultyDisk, path: string, other: string): Harm {
  const [one, two] = [disk.content(path), disk.content(other)];
  disk.damage(path, two);
  disk.damage(other, one);
  return { what: `${path} and ${other} swapped`, path, start: 0, end: 0 };
}

function damage(disk: FaultyDisk, path: string, upTo: Upto): readonly Harm[] {
  const content = disk.content(path);
  const start = upTo(content.length - 1);
  switch (upTo(4)) {
    case 0:
      return flip(disk, path, upTo);
    case 1:
      disk.damage(path, content.subarray(0, start));
      return [{ what: `${path} cut to ${start} bytes`, path, start, end: content.length }];
    case 2:
      return fill(disk, path, start, Math.min(content.length, start + 1 + upTo(400)));
    case 3:
      disk.damage(path, undefined);
      return [{ what: `${path} removed`, path, start: 0, end: content.length }];
    default:
      disk.damage(path, new Uint8Array(0));
      return [{ what: `${path} emptied`, path, start: 0, end: content.length }];
  }
}

function flip(disk: FaultyDisk, path: string, upTo: Upto): readonly Harm[] {
  const content = disk.content(path);
  const places = new Set(Array.from({ length: 1 + upTo(3) }, () => upTo(content.length - 1)));
  for (const at of places) content[at]! ^= 1 << upTo(7);
  disk.damage(path, content);
  return [...places].map((at) => ({ what: `a bit at ${at} of ${path} flipped`, path, start: at, end: at + 1 }));
}

/** Zeros are no harm where there were zeros: the range is that of the bytes that are others now. */
function fill(disk: FaultyDisk, path: string, start: number, end: number): readonly Harm[] {
  const content = disk.content(path);
  const changed = Array.from(content.subarray(start, end).entries()).filter(([, byte]) => byte !== 0);
  disk.damage(path, content.fill(0, start, end));
  return changed.map(([at]) => ({
    what: `a zero at ${start + at} of ${path}`,
    path,
    start: start + at,
    end: start + at + 1,
  }));
}
