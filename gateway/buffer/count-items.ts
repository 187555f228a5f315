import type { Disk } from '../core/disk.ts';
import type { LogRecord, Offset } from '../core/log.ts';
import type { RecordThinner } from '../core/record-thinner.ts';
import { claimedLength, LAYOUT } from './format.ts';
import { readSegment } from './read-segment.ts';
import { keptItems, type Segment } from './segment.ts';
import { scanSegment, scanStart } from './segment-scanner.ts';
import type { Chunk } from './write-buffer.ts';

/** Items, and to which series they belong as far as that can be told. */
export interface ItemCount {
  readonly items: number;
  readonly bySeries: ReadonlyMap<string, number>;
}

/**
 * Counts the items of a segment in records at or behind an offset. Reads the segment only where it has to.
 *
 * @param thinner tells the series; without it they are not counted
 * @throws the error of the disk
 */
export async function countItems(
  disk: Disk,
  segment: Segment,
  from: Offset,
  thinner: RecordThinner | undefined,
): Promise<ItemCount> {
  const bySeries = new Map<string, number>();
  if (from >= segment.endOffset) return { items: 0, bySeries };
  if (thinner === undefined && from <= segment.firstOffset) return { items: keptItems(segment), bySeries };
  let items = 0;
  const onRecords = (records: readonly LogRecord[]) => {
    for (const record of records) {
      if (record.offset < from) continue;
      items += record.items;
      if (thinner !== undefined) addAll(bySeries, thinner.seriesOf(record.payload));
    }
  };
  await readSegment(disk, segment, (file) => scanSegment(file, scanStart(segment), segment.endOffset, onRecords));
  return { items, bySeries };
}

/** Counts the items of a chunk that is not written. */
export function countChunk({ bytes, used, items }: Chunk, thinner: RecordThinner | undefined): ItemCount {
  const bySeries = new Map<string, number>();
  if (thinner === undefined) return { items, bySeries };
  for (let at = 0; at < used; ) {
    const start = at + LAYOUT.recordBytes;
    const end = start + claimedLength(bytes, at);
    addAll(bySeries, thinner.seriesOf(bytes.subarray(start, end)));
    at = end;
  }
  return { items, bySeries };
}

function addAll(sums: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [key, items] of counts) sums.set(key, (sums.get(key) ?? 0) + items);
}
