import type { Disk } from '../core/disk.ts';
import { readSegment } from './read-segment.ts';
import { keptItems, type Segment } from './segment.ts';
import { scanSegment, scanStart } from './segment-scanner.ts';

/**
 * Finds out how many items damage has cost in a segment: those that were appended to it and not thinned out, less those that can still
 * be read. Reads the whole segment, so it is for when damage was met. What was counted before is not counted again.
 *
 * @throws the error of the disk
 */
export async function countDamage(disk: Disk, segment: Segment): Promise<void> {
  const expected = keptItems(segment) + segment.damagedItems;
  const { endOffset } = segment;
  const { items } = await readSegment(disk, segment, (file) => scanSegment(file, scanStart(segment), endOffset));
  segment.damagedItems = Math.max(segment.damagedItems, expected - items);
}
