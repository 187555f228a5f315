import type { EpochMs } from './clock.ts';
import type { Lifecycle } from './lifecycle.ts';

/** Number of a record in a log: dense, ascending from 0, never used again. */
export type Offset = number;

/** One record as it lies in the log. */
export interface LogRecord {
  readonly offset: Offset;
  /** How many items (readings, results) the payload holds, so that a dropped record is counted right. */
  readonly items: number;
  /** Wall time of the append. */
  readonly time: EpochMs;
  readonly payload: Uint8Array;
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
  /** Reads durable records from `from` on, or from the first kept one if that has gone. */
  reader(from: Offset): LogReader;
  /** A durable position by name; at the first record when it is new. */
  cursor(name: string): LogCursor;
  /** Records before this offset are no longer needed: whole segments below it are deleted. */
  trim(before: Offset): Promise<void>;
  status(): LogStatus;
}

/** Reads a log from front to back. Readers are independent of each other and of trimming: where records have gone, it goes on behind them. */
export interface LogReader {
  /** Offset of the next record that will be read. */
  readonly position: Offset;
  /** The next records, of at least one if there is any and about `maxBytes` together; empty when caught up with what is durable. */
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
  /** Moves the cursor; written durably by atomic rename, coalesced while one write runs. */
  commit(offset: Offset): Promise<void>;
}

/** How a log stands just now. */
export interface LogStatus {
  /** Offset of the oldest kept record; equals `nextOffset` when the log is empty. */
  readonly firstOffset: Offset;
  /** Offset that the next append will get. */
  readonly nextOffset: Offset;
  /** Everything before this is durable. */
  readonly durableOffset: Offset;
  /** Bytes of all segments on disk. */
  readonly bytes: number;
  /** The bound of `bytes`. */
  readonly maxBytes: number;
  /** Segment files. */
  readonly segments: number;
  /** Wall time of the oldest kept record. */
  readonly oldestTime: EpochMs | undefined;
  /** Items that were dropped because the log was full, since it was created. */
  readonly droppedItems: number;
  /** Damaged stretches that were set aside in quarantine, since it was created. */
  readonly quarantined: number;
  /** Records that the last start found missing between two kept ones: files that were lost or cut. */
  readonly missingRecords: number;
  /** Bytes kept in memory until they are safe: not written yet or, where syncs are only made now and then, not synced yet. */
  readonly pendingBytes: number;
  /** What is wrong with the disk just now, for a person; undefined when all is well. */
  readonly trouble: string | undefined;
}
