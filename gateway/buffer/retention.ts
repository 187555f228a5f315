import type { Clock } from '../core/clock.ts';
import { type Disk, errorCode } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { Offset } from '../core/log.ts';
import type { RecordThinner } from '../core/record-thinner.ts';
import type { Logger } from '../core/telemetry.ts';
import type { AgeClock } from './age-clock.ts';
import { countChunk, countItems, type ItemCount } from './count-items.ts';
import type { LogState } from './log-state.ts';
import { keptItems, type Segment, type SegmentList, writtenBefore } from './segment.ts';
import type { Troubles } from './troubles.ts';
import type { Chunk } from './write-buffer.ts';

/** Data that was given up because there was no room or it got too old. */
export interface Dropped {
  readonly items: number;
  /** The records were some of those in `[firstOffset, endOffset)`. */
  readonly firstOffset: Offset;
  readonly endOffset: Offset;
  readonly reason: 'full' | 'too old' | 'thinned';
  /** Where the reason is `thinned`: the level that the records have now. */
  readonly level?: number;
}

/** The bounds of one log, and the parts that retention acts on. */
export interface RetentionOptions {
  readonly disk: Disk;
  /** Folder of the log. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly segments: SegmentList;
  readonly state: LogState;
  readonly troubles: Troubles;
  /** Tells how old a segment is. */
  readonly ages: AgeClock;
  /** Offset of the next record. */
  readonly nextOffset: () => Offset;
  /** Most bytes of all segments together. */
  readonly maxBytes: number;
  /** Segments with only older records go; undefined is no bound. */
  readonly maxAgeMs: number | undefined;
  /** The log is full when the file system has fewer free bytes; 0 is no bound. */
  readonly keepFreeBytes: number;
  /** The segment that is being written: it is never deleted. */
  readonly active: () => Segment | undefined;
  /** Items that had been written to segments before the log was opened. */
  readonly writtenItems: number;
  /** Tells the series of what is dropped. */
  readonly thinner: RecordThinner | undefined;
  /** Told of all that is dropped before its time. Must not throw. */
  readonly onDropped: (dropped: Dropped) => void;
}

/** How long a measurement of the free space is believed. */
const FREE_SPACE_MS = 250;
/** A disk that has not let go of so many files lets go of none: what is kept would be dropped for no room. */
const MOST_STUCK = 3;

/** What became of files that were to go; `stuck`: the disk does not let go of one; `not noted`: it does not take the count, so they stay. */
type Outcome = 'gone' | 'stuck' | 'not noted';

/** Decides what there is room for, and deletes whole segments: those no longer needed, and where it must the oldest. */
export class Retention {
  readonly #options: RetentionOptions;
  #trimmedBefore: Offset = 0;
  #freeBytes = Number.POSITIVE_INFINITY;
  #freeBytesUntil = Number.NEGATIVE_INFINITY;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Records before this were trimmed, though their segment may still be there. */
  get trimmedBefore(): Offset {
    return this.#trimmedBefore;
  }

  /** Files have got smaller: what is free is to be measured anew. */
  roomMade(): void {
    this.#freeBytesUntil = Number.NEGATIVE_INFINITY;
  }

  /** Why there is no room to write so many more bytes; undefined when there is. */
  async lack(bytes: number): Promise<string | undefined> {
    const { segments, maxBytes, keepFreeBytes, path } = this.#options;
    if (segments.bytes + bytes > maxBytes) return `${path} is full: ${segments.bytes} of ${maxBytes} bytes are used`;
    if (keepFreeBytes === 0) return undefined;
    const free = await this.#free();
    if (free - bytes >= keepFreeBytes) return undefined;
    return `the file system of ${path} has ${free} bytes left, and ${keepFreeBytes} are to be kept free`;
  }

  /** Deletes segments that hold nothing at or behind `before`. */
  async trim(before: Offset): Promise<void> {
    this.#trimmedBefore = Math.max(this.#trimmedBefore, before);
    const segments: Segment[] = [];
    for (const segment of this.#options.segments) {
      // Also those whose files the disk would not let go of before.
      const isDone = segment.retired || segment.endOffset <= this.#trimmedBefore;
      if (segment === this.#options.active() || !isDone) break;
      segments.push(segment);
    }
    if (segments.length > 0) await this.#retire(segments);
  }

  /** Drops segments whose records are all older than the age allowed. */
  async expire(): Promise<void> {
    const { maxAgeMs, ages, state, nextOffset } = this.#options;
    if (maxAgeMs === undefined) return;
    if (ages.look(nextOffset())) await state.save();
    for (;;) {
      const segment = this.#oldest();
      if (segment === undefined || !(ages.ageMs(segment) > maxAgeMs)) return;
      if (!(await this.#drop(segment, 'too old'))) return;
    }
  }

  /** Drops the oldest segment to make room; false when there is none but the one that is being written, or the disk lets nothing go. */
  async dropOldest(): Promise<boolean> {
    const stuck = [...this.#options.segments].filter(({ retired }) => retired);
    if (stuck.length > 0) {
      const outcome = await this.#retire(stuck);
      if (stuck.some(({ removed }) => removed)) return true;
      if (outcome === 'not noted' || stuck.length >= MOST_STUCK) return false;
    }
    const segment = this.#oldest();
    return segment !== undefined && (await this.#drop(segment, 'full'));
  }

  /**
   * Counts records that are never to be written. False where the disk refuses to note that: consumers would pass what a crash forgets to have
   * dropped, so they are not dropped yet. @param unwrittenItems all such items, with these
   */
  async noteUnwritten(chunk: Chunk, unwrittenItems: number): Promise<boolean> {
    const { firstOffset, endOffset, firstOrdinal } = chunk;
    const { state, thinner, onDropped } = this.#options;
    const { items, bySeries } = countChunk(chunk, thinner);
    const { unwrittenItems: unwrittenBefore, appendedItems, nextOffset } = state;
    state.droppedItems += items;
    state.unwrittenItems = unwrittenItems;
    state.appendedItems = Math.max(state.appendedItems ?? 0, firstOrdinal + items);
    state.nextOffset = Math.max(state.nextOffset, endOffset);
    if ((await state.save()) !== 'saved') {
      // What was dropped for its age meanwhile stays counted.
      state.droppedItems -= items;
      Object.assign(state, { unwrittenItems: unwrittenBefore, appendedItems, nextOffset });
      return false;
    }
    state.droppedBySeries.add(bySeries);
    onDropped({ items, firstOffset, endOffset, reason: 'full' });
    return true;
  }

  #oldest(): Segment | undefined {
    const segment = this.#options.segments.firstKept;
    return segment === this.#options.active() ? undefined : segment;
  }

  async #drop(segment: Segment, reason: Dropped['reason']): Promise<boolean> {
    const { state, onDropped } = this.#options;
    const firstOffset = Math.max(segment.firstOffset, this.#trimmedBefore);
    const { items, bySeries } = await this.#countFrom(segment, firstOffset);
    if (segment.removed) return true;
    if (!segment.retired && firstOffset < segment.endOffset) {
      state.droppedItems += items;
      state.droppedBySeries.add(bySeries);
      onDropped({ items, firstOffset, endOffset: segment.endOffset, reason });
    }
    return (await this.#retire([segment])) === 'gone';
  }

  /**
   * Takes the oldest segments out of the count of what is kept, then deletes them. The count is saved before the files go: a crash
   * between the two neither forgets nor repeats anything. Where the disk refuses it, they stay for the next attempt: without it a crash
   * would have them taken for damage. A full disk, though, has no room for it until one has gone. One that cannot be deleted does not keep the
   * others.
   */
  async #retire(segments: readonly Segment[]): Promise<Outcome> {
    const { state } = this.#options;
    for (const segment of segments) if (!segment.retired) this.#takeOut(segment);
    let noted = await state.save();
    let outcome: Outcome = 'gone';
    for (const segment of segments) {
      if (segment.removed) continue;
      if (noted === 'refused') return 'not noted';
      if (!(await this.#delete(segment))) outcome = 'stuck';
      else if (noted === 'no space') noted = await state.save();
    }
    return outcome;
  }

  #takeOut(segment: Segment): void {
    const { segments, state, writtenItems } = this.#options;
    const next = segments.after(segment);
    state.damagedItems += segments.missingInFront + segment.damagedItems + segment.missingBehind;
    segments.missingInFront = 0;
    segment.retired = true;
    const goneItems =
      next === undefined ? Math.max(writtenItems, writtenBefore(segment) + segment.appendedItems) : writtenBefore(next);
    state.moveGone(segment.endOffset, goneItems);
    // No file will tell any more how far the numbers have come.
    const endOrdinal = segment.place.itemsBefore + segment.appendedItems;
    state.appendedItems = Math.max(state.appendedItems ?? 0, endOrdinal);
    state.nextOffset = Math.max(state.nextOffset, segment.endOffset);
  }

  /** Items of a segment at or behind an offset: those before were trimmed, they are not lost. */
  async #countFrom(segment: Segment, offset: Offset): Promise<ItemCount> {
    const { disk, logger, thinner } = this.#options;
    try {
      return await countItems(disk, segment, offset, thinner);
    } catch (error) {
      logger.warn(
        { segment: segment.path },
        `cannot count what is dropped, all items of the segment are taken: ${messageOf(error)}`,
      );
      return { items: keptItems(segment), bySeries: new Map() };
    }
  }

  async #delete(segment: Segment): Promise<boolean> {
    const { disk, segments, troubles } = this.#options;
    try {
      await disk.remove(segment.path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        troubles.begin('deleting', `cannot delete ${segment.path}: ${messageOf(error)}`);
        return false;
      }
    }
    segments.remove(segment);
    if (segments.first?.retired !== true) troubles.end('deleting');
    this.roomMade();
    return true;
  }

  async #free(): Promise<number> {
    const { disk, path, clock } = this.#options;
    const now = clock.monotonicMs();
    if (now >= this.#freeBytesUntil) {
      this.#freeBytes = await disk.freeBytes(path);
      this.#freeBytesUntil = now + FREE_SPACE_MS;
    }
    return this.#freeBytes;
  }
}
