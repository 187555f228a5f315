import { join } from 'node:path';
import { type Disk, isNoSpace } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { Offset } from '../core/log.ts';
import type { ClockLeap } from './age-clock.ts';
import { asCount, CheckedFile } from './checked-file.ts';
import type { Segment, SegmentList } from './segment.ts';
import { SeriesCounts } from './series-counts.ts';
import type { Troubles } from './troubles.ts';

/** What is known of one segment beyond its file: were the file lost, nothing else would tell. */
export interface SegmentMark {
  /** Items that thinning has taken out: they are counted as dropped. */
  readonly thinned: number;
  /** Items in it that damage has cost. */
  readonly damaged: number;
}

/** What became of the attempt to write the state; `no space`: it was refused for want of room on the disk. */
export type SaveOutcome = 'saved' | 'no space' | 'refused';

/** Marks beyond are not written: the file stays small. */
const MAX_MARKS = 4000;

/** Enough for marks and dropped series as a full disk brings them on, when there is no room for a larger file. */
const SLOT_BYTES = 64 * 1024;

/** What a log remembers beside its segments, in the file `state`. It may be lost: then only counts are. */
export class LogState {
  readonly #file: CheckedFile;
  readonly #troubles: Troubles;
  #saving: Promise<SaveOutcome> | undefined;
  #dirty = false;
  #isRefused = false;
  #live: { readonly segments: SegmentList; readonly durableOrdinal: () => number } | undefined;
  /** Items dropped since the log was created, without those that were thinned out of segments that are not gone. */
  droppedItems = 0;
  /** Dropped items by series, as far as that is known; thinned ones too. */
  readonly droppedBySeries = new SeriesCounts();
  /** Items lost by damage in or beside segments that are gone. */
  damagedItems = 0;
  /** So many items had become durable when this was saved; undefined where no file tells. */
  appendedItems: number | undefined;
  /** Those of them that were dropped before they were written to a segment. */
  unwrittenItems = 0;
  /** Records before this are trimmed or dropped, and counted, whether or not their files have been removed yet. */
  goneBefore: Offset = 0;
  /** Items that were written to segments before that place; undefined where no file tells. */
  goneItems: number | undefined;
  /** No record at or behind this has been appended when this was saved. */
  nextOffset: Offset = 0;
  quarantined = 0;
  /** Leaps of the wall clock since the oldest kept record. */
  readonly leaps: ClockLeap[] = [];
  /** By first offset, those segments that there is something to say about; missing ones too: it explains a part of what is not there. */
  readonly marks = new Map<Offset, SegmentMark>();

  constructor(disk: Disk, path: string, troubles: Troubles) {
    this.#file = new CheckedFile(disk, join(path, 'state'), SLOT_BYTES);
    this.#troubles = troubles;
  }

  /** Reads what there is; version 1 of the file counted less. */
  async load(): Promise<void> {
    const state = await this.#file.read();
    if (state === 'missing') return;
    if (state === 'damaged') {
      this.#troubles.begin(
        'state',
        `cannot read ${this.#file.path}: the counts of dropped and damaged data begin anew`,
      );
      this.#troubles.end('state');
      return;
    }
    this.droppedItems = asCount(state['droppedItems']) ?? 0;
    this.droppedBySeries.load(state['droppedBySeries']);
    this.damagedItems = asCount(state['damagedItems']) ?? 0;
    this.appendedItems = asCount(state['appendedItems']);
    this.unwrittenItems = asCount(state['unwrittenItems']) ?? 0;
    this.goneBefore = asCount(state['goneBefore'] ?? state['droppedBefore']) ?? 0;
    this.goneItems = asCount(state['goneItems']);
    this.nextOffset = asCount(state['nextOffset']) ?? 0;
    this.quarantined = asCount(state['quarantined']) ?? 0;
    this.leaps.push(...asLeaps(state['leaps']));
    for (const [offset, thinned, damaged] of asRows(state['marks'])) this.marks.set(offset, { thinned, damaged });
  }

  /** From now on what is saved follows the log as it stands. */
  follow(segments: SegmentList, durableOrdinal: () => number): void {
    this.#live = { segments, durableOrdinal };
  }

  /** Items taken out of segments whose first offset is in `[from, to)`. */
  thinnedBetween(from: Offset, to: Offset): number {
    let items = 0;
    for (const [offset, { thinned }] of this.marks) if (offset >= from && offset < to) items += thinned;
    return items;
  }

  /** Items that were taken out of segments that are not gone. */
  get thinnedItems(): number {
    let items = 0;
    for (const { thinned } of this.marks.values()) items += thinned;
    return items;
  }

  /** Remembers what there is to say about a segment. */
  mark({ firstOffset, place, damagedItems, retired }: Segment): void {
    if (retired) return;
    if (place.thinnedItems === 0 && damagedItems === 0) this.marks.delete(firstOffset);
    else this.marks.set(firstOffset, { thinned: place.thinnedItems, damaged: damagedItems });
  }

  /** Everything before this place is gone: what was thinned out there is dropped for good. */
  moveGone(before: Offset, items: number): void {
    this.goneBefore = Math.max(this.goneBefore, before);
    this.goneItems = items;
    for (const [offset, { thinned }] of this.marks) {
      if (offset >= this.goneBefore) continue;
      this.droppedItems += thinned;
      this.marks.delete(offset);
    }
    while (this.leaps.length > 0 && this.leaps[0]!.before <= this.goneBefore) this.leaps.shift();
  }

  /** Makes the present values durable. Never fails: what the disk refuses is saved with the next call. */
  async save(): Promise<SaveOutcome> {
    this.#dirty = true;
    this.#saving ??= this.#saveAll().finally(() => {
      this.#saving = undefined;
    });
    return await this.#saving;
  }

  /** Saves what the disk has refused. */
  async saveRefused(): Promise<void> {
    if (this.#isRefused) await this.save();
  }

  async #saveAll(): Promise<SaveOutcome> {
    let outcome: SaveOutcome = 'saved';
    while (this.#dirty) {
      this.#dirty = false;
      try {
        await this.#file.write(this.#content());
        outcome = 'saved';
        this.#troubles.end('state');
      } catch (error) {
        this.#troubles.begin('state', `cannot write ${this.#file.path}: ${messageOf(error)}`);
        outcome = isNoSpace(error) ? 'no space' : 'refused';
      }
      this.#isRefused = outcome !== 'saved';
    }
    return outcome;
  }

  #content(): object {
    if (this.#live !== undefined) {
      this.appendedItems = Math.max(this.appendedItems ?? 0, this.#live.durableOrdinal());
      for (const segment of this.#live.segments) this.mark(segment);
    }
    const {
      droppedItems,
      damagedItems,
      appendedItems,
      unwrittenItems,
      goneBefore,
      goneItems,
      nextOffset,
      quarantined,
    } = this;
    const marks = [...this.marks].slice(0, MAX_MARKS).map(([offset, mark]) => [offset, mark.thinned, mark.damaged]);
    const counts = { droppedItems, damagedItems, appendedItems, unwrittenItems, goneBefore, goneItems };
    const leaps = this.leaps.map(({ before, ms }) => [before, ms]);
    const droppedBySeries = this.droppedBySeries.entries();
    return { version: 2, ...counts, droppedBySeries, nextOffset, quarantined, leaps, marks };
  }
}

/** What a saved state says of the items that are lost, those of segments that are still there included. */
export function lossesIn(state: Record<string, unknown>): {
  readonly droppedItems: number;
  readonly damagedItems: number;
} {
  let droppedItems = asCount(state['droppedItems']) ?? 0;
  let damagedItems = asCount(state['damagedItems']) ?? 0;
  for (const [, thinned, damaged] of asRows(state['marks'])) {
    droppedItems += thinned;
    damagedItems += damaged;
  }
  return { droppedItems, damagedItems };
}

function asLeaps(value: unknown): readonly ClockLeap[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((row: unknown): ClockLeap[] => {
    if (!Array.isArray(row)) return [];
    const [before, ms] = row as unknown[];
    const offset = asCount(before);
    return offset === undefined || typeof ms !== 'number' ? [] : [{ before: offset, ms }];
  });
}

function asRows(value: unknown): readonly [number, number, number][] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((row: unknown): [number, number, number][] => {
    if (!Array.isArray(row)) return [];
    const [offset, thinned, damaged] = row.map(asCount);
    return offset === undefined || thinned === undefined || damaged === undefined ? [] : [[offset, thinned, damaged]];
  });
}
