import type { Offset } from '../core/log.ts';
import { UNTHINNED } from './format.ts';
import type { LogState } from './log-state.ts';
import { type Segment, type SegmentList, writtenBefore } from './segment.ts';

/** Where the count of items goes on. */
export interface CountEnd {
  /** Ordinal of the next item. */
  readonly nextOrdinal: number;
  /** Items before it that were dropped before they were written to a segment. */
  readonly unwrittenItems: number;
}

/**
 * Finds where each segment stands in the count of all items, and what is missing before, between and behind them. Nothing of this is
 * remembered: it follows from the segments and from `state` at every start anew, so that no loss is counted twice, and one that turns
 * out to be none, because a file can be read again, is counted no more.
 *
 * @param nextOffset the log goes on here
 */
export function placeSegments(segments: SegmentList, state: LogState, nextOffset: Offset): CountEnd {
  placeFirstVersion(segments, state);
  const { last } = segments;
  const lastOrdinal = last === undefined ? 0 : last.place.itemsBefore + last.appendedItems;
  const nextOrdinal = Math.max(lastOrdinal, state.appendedItems ?? 0);
  const lastWritten = last === undefined ? 0 : writtenBefore(last) + last.appendedItems;
  const noted = Math.max(state.unwrittenItems, last?.place.unwrittenBefore ?? 0);
  // Of a write that found the disk full and was given up, a power cut may leave a part: it was written after all.
  const unwrittenItems = Math.min(noted, nextOrdinal - lastWritten);
  const written = nextOrdinal - unwrittenItems;
  for (const segment of segments) {
    segment.retired = segment.endOffset <= state.goneBefore;
    const damaged = Math.max(segment.damagedItems, state.marks.get(segment.firstOffset)?.damaged ?? 0);
    segment.damagedItems = Math.min(damaged, segment.appendedItems - segment.place.thinnedItems);
    state.mark(segment);
  }
  const kept = [...segments].filter(({ retired }) => !retired);
  const [first] = kept;
  const start = first === undefined ? written : writtenBefore(first);
  state.goneItems ??= start;
  const inFront = start - state.goneItems - state.thinnedBetween(state.goneBefore, first?.firstOffset ?? nextOffset);
  segments.missingInFront = Math.max(0, inFront);
  for (const [index, segment] of kept.entries()) {
    const next = kept[index + 1];
    const end = next === undefined ? written : writtenBefore(next);
    const missing = end - writtenBefore(segment) - segment.appendedItems;
    const thinned = state.thinnedBetween(segment.endOffset, next?.firstOffset ?? nextOffset);
    segment.missingBehind = Math.max(0, missing - thinned);
  }
  return { nextOrdinal, unwrittenItems };
}

/** Version 1 does not say where a segment stands: that is reckoned backwards from the first that does, or from the end of the log. */
function placeFirstVersion(segments: SegmentList, state: LogState): void {
  const all = [...segments];
  const appended = all.reduce((items, segment) => items + segment.appendedItems, 0);
  let itemsBehind = Math.max(state.appendedItems ?? 0, state.droppedItems + appended);
  let unwrittenBefore = state.unwrittenItems;
  for (const segment of all.reverse()) {
    if (segment.layout.version === 1) segment.place = firstVersionPlace(segment, itemsBehind, unwrittenBefore);
    itemsBehind = segment.place.itemsBefore;
    unwrittenBefore = segment.place.unwrittenBefore;
  }
}

function firstVersionPlace({ appendedItems }: Segment, itemsBehind: number, unwrittenBefore: number) {
  const itemsBefore = Math.max(0, itemsBehind - appendedItems);
  return { ...UNTHINNED, itemsBefore, unwrittenBefore };
}
