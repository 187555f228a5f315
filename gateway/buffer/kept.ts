import type { Kept, Offset } from '../core/log.ts';
import { keptItems, type Segment, type SegmentList } from './segment.ts';

/** Where an open reader stands in a segment. */
export interface Spot {
  readonly segment: Segment;
  /** Offset of the next record it will read. */
  readonly offset: Offset;
  /** Items of the segment before that, and where the record begins in the file. */
  readonly items: number;
  readonly position: number;
}

/** What lies at or behind an offset: exact at the borders of segments and at the spots, estimated between. */
export function keptFrom(segments: SegmentList, from: Offset, spots: readonly Spot[]): Kept {
  let items = 0;
  let bytes = 0;
  for (const segment of segments) {
    if (segment.retired || segment.endOffset <= from) continue;
    const inside = segment.firstOffset < from ? keptInside(segment, from, spots) : whole(segment);
    items += inside.items;
    bytes += inside.bytes;
  }
  return { items, bytes };
}

function whole(segment: Segment): Kept {
  return { items: keptItems(segment), bytes: segment.dataEnd - segment.layout.headerBytes };
}

function keptInside(segment: Segment, from: Offset, spots: readonly Spot[]): Kept {
  const all = whole(segment);
  const spot = spots.find((candidate) => candidate.segment === segment && candidate.offset === from);
  if (spot !== undefined) {
    return { items: Math.max(0, all.items - spot.items), bytes: Math.max(0, segment.dataEnd - spot.position) };
  }
  const share = (segment.endOffset - from) / (segment.endOffset - segment.firstOffset);
  return { items: Math.round(all.items * share), bytes: Math.round(all.bytes * share) };
}
