import type { EpochMs } from './clock.ts';
import { GatewayError, messageOf } from './errors.ts';
import type { Lifecycle } from './lifecycle.ts';

/**
 * Number of a record in a log: ascending from 0, never used again. There are gaps where records were dropped before they were written, where all items of
 * one were thinned out, and behind a file that could not be read at a start.
 */
export type Offset = number;

/** One record as it lies in the log. */
export interface LogRecord {
  readonly offset: Offset;
  /** How many items (readings, results) the payload holds, so that a dropped record is counted right. */
  readonly items: number;
  /**
   * Items of this log before the first of this record, counted since the log was created: what was trimmed, dropped, thinned out or damaged
   * counts too. So a gap between two records, `next.ordinal - (record.ordinal + record.items)`, is the number of items lost between them.
   */
  readonly ordinal: number;
  /** Wall time of the append. */
  readonly time: EpochMs;
  readonly payload: Uint8Array;
}

/** How much of a log lies at or behind an offset. */
export interface Kept {
  /** Items that a reader would get. */
  readonly items: number;
  /** Bytes their records take on disk. */
  readonly bytes: number;
}

/**
 * An append-only, checksummed, segmented log on disk. Used as the journal (readings until a checkpoint covers them) and as the
 * outbox (results until every sink has taken them).
 */
export interface Log extends Lifecycle {
  /** Takes a record into memory and gives it its offset; it is not durable yet. The payload is copied. */
  append(payload: Uint8Array, items: number): Offset;
  /**
   * Resolves when everything appended so far is durable as far as the chosen `sync` promises. Calls made while a sync runs share the next one.
   * A failing disk is retried, on a new segment where needed: the promise waits. Rejects only when the log is stopped.
   */
  commit(): Promise<void>;
  /**
   * Resolves when everything before an offset, by default everything appended so far, is on the medium, whatever the chosen `sync`
   * promises: a power cut takes nothing of it. Else as `commit`; but what is on its way there does not wait for the room of what comes behind it.
   */
  sync(before?: Offset): Promise<void>;
  /** Reads durable records from `from` on, or from the first kept one if that has gone. */
  reader(from: Offset): LogReader;
  /**
   * What the disk refuses to read of the segment that holds an offset, see `LogReadError`, is damage from now on, until the log is opened again: set
   * aside, counted, and passed over by the readers that come to it, each of which asks for it again. False, and nothing happens, where the disk is not
   * damaged but away: it gives nothing of this segment nor of those around it, or takes nothing. Never rejects because of the disk.
   */
  passOver(offset: Offset): Promise<boolean>;
  /** A durable position by name. A new one is at the offset `at`, by default at the first kept record. */
  cursor(name: string, at?: Offset): LogCursor;
  /** Records before this offset are no longer needed: whole segments below it are deleted. Call it now and then: what the disk refused is tried again. */
  trim(before: Offset): Promise<void>;
  /**
   * What is durable and kept at or behind an offset. Exact at the borders of segments and where an open reader stands; elsewhere in a segment
   * estimated from the offsets, as if all its records were alike.
   */
  kept(from: Offset): Kept;
  status(): LogStatus;
}

/** The disk refuses to read what lies at an offset of a log, or near it. It may give it the next time; who has waited enough calls `Log.passOver`. */
export class LogReadError extends GatewayError {
  readonly offset: Offset;

  constructor(offset: Offset, cause: unknown) {
    super(`cannot read the log at record ${offset}: ${messageOf(cause)}`, { cause });
    this.offset = offset;
  }
}

/** Reads a log from front to back. Readers are independent of each other and of trimming: where records have gone, it goes on behind them. */
export interface LogReader {
  /** Offset of the next record that will be read. */
  readonly position: Offset;
  /**
   * The next records, of at least one if there is any and about `maxBytes` together; empty when caught up with what is durable. Rejects with
   * a `LogReadError` where the disk refuses; the next call tries again.
   */
  read(maxBytes: number): Promise<readonly LogRecord[]>;
  /** Resolves when `read` may find something, or when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A position in a log that survives a restart, for one who works through it. */
export interface LogCursor {
  readonly name: string;
  /** Everything before this offset is done with. */
  readonly offset: Offset;
  /** What the last commit left with the offset: plain JSON; undefined when there is none, or a damaged file has lost it. */
  readonly note: unknown;
  /**
   * Moves the cursor, never backwards; offset and note are written durably by one atomic rename, which the
   * promise waits for: at once when the last write was a while ago, else within 200 ms, together with all moves until then.
   *
   * @param note plain JSON of at most 200 KiB, not to be changed afterwards; undefined leaves the note that there is
   */
  commit(offset: Offset, note?: unknown): Promise<void>;
}

/** How a log stands just now. */
export interface LogStatus {
  /** Offset of the oldest kept record; equals `nextOffset` when the log is empty. */
  readonly firstOffset: Offset;
  /** Items of the log before `firstOffset`, counted since it was created; see `LogRecord.ordinal`. */
  readonly firstOrdinal: number;
  /** Offset that the next append will get. */
  readonly nextOffset: Offset;
  /**
   * Everything before this is durable as far as the chosen `sync` promises, and may be read. Where not every commit is synced, it may go back:
   * while the disk fails, to what a sync has covered; over a power cut, to what had reached the medium, be it by itself.
   */
  readonly durableOffset: Offset;
  /** Bytes of all segments on disk. */
  readonly bytes: number;
  /** The bound of `bytes`. */
  readonly maxBytes: number;
  /** Segment files. */
  readonly segments: number;
  /** Wall time of the oldest kept record; undefined where it was not known, or there is none. */
  readonly oldestTime: EpochMs | undefined;
  /**
   * Items appended since the log was created; the ordinal of the next one. When all is durable, these are the kept, the dropped, the damaged, and
   * those that were trimmed because nobody needs them.
   */
  readonly appendedItems: number;
  /** Durable items that a reader gets. */
  readonly keptItems: number;
  /** Items that were dropped because the log was full or they got too old, and those that were thinned out, since it was created. */
  readonly droppedItems: number;
  /** The dropped ones by the key of their series, where the log can tell it; at most 1 000 keys, the rest is under `(others)`. */
  readonly droppedBySeries: Readonly<Record<string, number>>;
  /**
   * Items that were lost by damage since it was created: flipped bits, cut, zeroed or missing files, pages that the disk refuses. Damage inside a
   * sealed segment counts once a reader has met it, and then for good; a missing file only until it comes back.
   */
  readonly damagedItems: number;
  /** Damaged stretches that were set aside in quarantine, since it was created. */
  readonly quarantined: number;
  /** Bytes kept in memory until they are safe: not written yet or, where syncs are only made now and then, not synced yet. */
  readonly pendingBytes: number;
  /** The bound of `pendingBytes`: an append beyond it is refused. */
  readonly maxPendingBytes: number;
  /** What is wrong with the disk just now, for a person; undefined when all is well. */
  readonly trouble: string | undefined;
}
