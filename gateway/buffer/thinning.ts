import { dirname } from 'node:path';
import { removeIfThere } from '../base/atomic-file.ts';
import { type Disk, type DiskFile, writeFully } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { LogRecord, Offset } from '../core/log.ts';
import type { RecordThinner, ThinnedRecord } from '../core/record-thinner.ts';
import { encodeHeader, encodeRecord, encodeSeal, LAYOUT, type SegmentPlace, segmentName } from './format.ts';
import type { LogState } from './log-state.ts';
import type { Quarantine } from './quarantine.ts';
import { readSegment } from './read-segment.ts';
import { keptItems, type Segment, type SegmentList } from './segment.ts';
import { SegmentScanner, scanStart } from './segment-scanner.ts';
import type { Troubles } from './troubles.ts';

/** How the name of a segment ends that is being rewritten. */
export const THINNED_SUFFIX = '.thin';
/** Of every 1 024 items of a series one is left: thinning more is not worth a rewrite. */
const MAX_LEVEL = 10;
/** What one turn of the event loop has to do: bytes read, thinned and written. */
const SLICE_BYTES = 256 * 1024;
/** A rewrite that leaves more of a segment makes no room to speak of. */
const WORTHWHILE = 15 / 16;
/** Segments that are looked at in vain before something else has to make room. */
const ATTEMPTS = 4;
/** No log gets more segments by thinning: each takes a file and a place in memory. */
const MAX_SEGMENTS = 5000;

/** What was taken out of a segment. */
export interface Thinned {
  readonly items: number;
  readonly level: number;
  /** They were in records of `[firstOffset, endOffset)`. */
  readonly firstOffset: Offset;
  readonly endOffset: Offset;
}

/** What thinning works on. */
export interface ThinningOptions {
  readonly disk: Disk;
  readonly segments: SegmentList;
  readonly state: LogState;
  readonly troubles: Troubles;
  readonly quarantine: Quarantine;
  readonly thinner: RecordThinner;
  /** The segment that is being written: it is never touched. */
  readonly active: () => Segment | undefined;
  /** Records before this are needed by nobody, and are left as they are until their segment goes. */
  readonly trimmedBefore: () => Offset;
  /** Some items were taken out of a segment. */
  readonly onThinned: (thinned: Thinned) => void;
  /** Readers of this segment are to go on in the file that has taken its place. */
  readonly onReplaced: (segment: Segment) => void;
}

/** What is to be taken out, and what was. */
interface Task {
  /** Records before this were trimmed, and stay as they are. */
  readonly from: Offset;
  readonly level: number;
  /** Items that were taken out, by series. */
  readonly removed: Map<string, number>;
}

/** What was copied to the new file. */
interface Copy {
  readonly records: number;
  readonly items: number;
  readonly dataEnd: number;
  /** Items that could be read of the old file. */
  readonly foundItems: number;
}

/** A segment after its rewrite, as far as it differs from before. */
interface Rewritten extends Task, Pick<Segment, 'place' | 'records' | 'dataEnd' | 'fileBytes' | 'damagedItems'> {}

/** A record on its way to the new file. */
interface KeptRecord extends Pick<ThinnedRecord, 'payload' | 'items'> {
  readonly record: LogRecord;
}

/**
 * Makes room by taking items out of a segment instead of dropping it whole, so that a long outage costs resolution and not history. The
 * least thinned segment is next, of equal ones the oldest. It is rewritten to a file beside it, which then takes its name: a crash leaves
 * the one or the other, and what was taken out is counted by the header of the one that is there.
 */
export class Thinning {
  readonly #options: ThinningOptions;

  constructor(options: ThinningOptions) {
    this.#options = options;
  }

  /** Thins one segment. @returns false where that would not make room: all are thinned as far as it goes, or there are too many */
  async thin(): Promise<boolean> {
    if (this.#options.segments.length > MAX_SEGMENTS) return false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const segment = this.#leastThinned();
      if (segment === undefined) return false;
      segment.triedLevel++;
      if (await this.#attempt(segment, segment.triedLevel)) return true;
    }
    return false;
  }

  #leastThinned(): Segment | undefined {
    const { segments, active } = this.#options;
    let least: Segment | undefined;
    for (const segment of segments) {
      if (segment === active() || segment.retired || segment.triedLevel >= MAX_LEVEL) continue;
      if (least === undefined || segment.triedLevel < least.triedLevel) least = segment;
    }
    return least;
  }

  /** Never fails: where the disk refuses, the old file stays. */
  async #attempt(segment: Segment, level: number): Promise<boolean> {
    const { disk, troubles } = this.#options;
    const path = `${segment.path}${THINNED_SUFFIX}`;
    try {
      await removeIfThere(disk, path);
      const rewritten = await this.#rewrite(segment, level, path);
      if (rewritten === undefined || segment.retired) {
        await removeIfThere(disk, path);
        return segment.retired;
      }
      const makesRoom = rewritten.fileBytes <= segment.fileBytes * WORTHWHILE;
      await this.#move(path, segment, rewritten);
      troubles.end('thinning');
      return segment.removed && makesRoom;
    } catch (error) {
      troubles.begin('thinning', `cannot thin ${segment.path}: ${messageOf(error)}`);
      await this.#forget(path);
    }
    return segment.removed;
  }

  /** The segment as it is after the rewrite; undefined where nothing goes at that level. */
  async #rewrite(segment: Segment, level: number, path: string): Promise<Rewritten | undefined> {
    const { disk, trimmedBefore } = this.#options;
    const task = { from: Math.max(segment.firstOffset, trimmedBefore()), level, removed: new Map<string, number>() };
    const target = await disk.open(path, 'create');
    try {
      const copy = await readSegment(disk, segment, (source) => this.#copy(segment, task, source, target));
      const fileBytes = copy.dataEnd + LAYOUT.sealBytes;
      // However little it frees: all revisions of a window share its fate, also where they lie in two segments.
      if (task.removed.size === 0) return undefined;
      const damagedItems = Math.max(segment.damagedItems, keptItems(segment) + segment.damagedItems - copy.foundItems);
      const thinnedItems = segment.appendedItems - damagedItems - copy.items;
      const place = { ...segment.place, thinnedItems, itemsAtThinning: segment.appendedItems, level };
      await finish(target, segment, copy, place);
      return { place, records: copy.records, dataEnd: copy.dataEnd, fileBytes, damagedItems, ...task };
    } finally {
      await target.close();
    }
  }

  async #copy(segment: Segment, { from, level, removed }: Task, source: DiskFile, target: DiskFile): Promise<Copy> {
    const { quarantine, thinner } = this.#options;
    const { dataEnd, endOffset, firstOffset } = segment;
    const scanner = new SegmentScanner(source, scanStart(segment));
    const copy = { records: 0, items: 0, dataEnd: LAYOUT.headerBytes, foundItems: 0 };
    for (;;) {
      const { records, damage, finished } = await scanner.next(dataEnd, endOffset, SLICE_BYTES);
      for (const stretch of damage) await quarantine.setAside(segmentName(firstOffset), source, stretch);
      const kept: KeptRecord[] = [];
      for (const record of records) {
        copy.foundItems += record.items;
        const { payload, items } = record.offset < from ? record : thinRecord(thinner, record, level, removed);
        if (items === 0 && record.items > 0) continue;
        kept.push({ record, payload, items });
        copy.items += items;
      }
      const bytes = encode(kept);
      await writeFully(target, bytes, copy.dataEnd);
      copy.dataEnd += bytes.length;
      copy.records += kept.length;
      if (finished) return copy;
    }
  }

  async #move(path: string, segment: Segment, rewritten: Rewritten): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    segment.moving = promise;
    try {
      await this.#options.disk.rename(path, segment.path);
      await this.#replace(segment, rewritten);
    } finally {
      segment.moving = undefined;
      resolve();
    }
  }

  /** The file has its new name already. */
  async #replace(old: Segment, { removed, from, level, ...rewritten }: Rewritten): Promise<void> {
    const { disk, segments, state, onThinned, onReplaced } = this.#options;
    if (old.removed || old.retired) {
      // It was trimmed meanwhile, and its file went before this one took the name.
      await removeIfThere(disk, old.path);
      segments.remove(old);
      return;
    }
    const items = rewritten.place.thinnedItems - old.place.thinnedItems;
    const segment: Segment = { ...old, ...rewritten, layout: LAYOUT, isPassedOver: false, moving: undefined };
    segments.replace(old, segment);
    state.mark(segment);
    state.droppedBySeries.add(removed);
    onThinned({ items, level, firstOffset: from, endOffset: segment.endOffset });
    onReplaced(old);
    await disk.syncDirectory(dirname(old.path));
    await state.save();
  }

  async #forget(path: string): Promise<void> {
    try {
      await removeIfThere(this.#options.disk, path);
    } catch {
      // The next start removes it, or the next attempt.
      return;
    }
  }
}

function thinRecord(
  thinner: RecordThinner,
  record: LogRecord,
  level: number,
  removed: Map<string, number>,
): Pick<ThinnedRecord, 'payload' | 'items'> {
  const thinned = thinner.thin(record.payload, level);
  for (const [key, items] of thinned?.removed ?? []) removed.set(key, (removed.get(key) ?? 0) + items);
  return thinned ?? record;
}

/** Records keep their offset, ordinal and time. */
function encode(kept: readonly KeptRecord[]): Buffer {
  const bytes = kept.reduce((sum, { payload }) => sum + LAYOUT.recordBytes + payload.length, 0);
  const target = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { record, payload, items } of kept)
    at = encodeRecord(target, at, record.offset, items, record.ordinal, record.time, payload);
  return target;
}

/** Writes seal and header, and makes the whole file durable. */
async function finish(target: DiskFile, segment: Segment, { records, items, dataEnd }: Copy, place: SegmentPlace) {
  const { firstOffset, firstTime } = segment;
  await writeFully(target, encodeSeal({ ...segment, records, items }, place, dataEnd), dataEnd);
  await writeFully(target, encodeHeader(firstOffset, firstTime, place), 0);
  await target.datasync();
}
