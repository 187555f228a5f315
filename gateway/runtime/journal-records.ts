import type { MarkChange } from '../base/mark-table.ts';
import { GatewayError } from '../core/errors.ts';
import type { LogStatus } from '../core/log.ts';
import type { Reading } from '../core/reading.ts';
import { type Command, encodeCommand } from './command.ts';
import { ReadingEncoder } from './reading-codec.ts';

/** A record is closed when it holds this many bytes, so that reading one back never takes much memory. */
const MAX_RECORD_BYTES = 1024 * 1024;
/** Or this part of the journal, which takes no record of more than a quarter: one is closed only after it got too large. */
const MAX_RECORD_SHARE = 1 / 32;
/** What belongs together is one record up to so many bytes. */
const MAX_WHOLE_BYTES = 16 * 1024 * 1024;
const MAX_WHOLE_SHARE = 1 / 8;

const NO_MARKS: readonly MarkChange[] = [];

/** What one record of the journal will hold. */
export interface JournalRecord {
  readonly payload: Uint8Array;
  readonly readings: readonly Reading[];
  readonly marks: readonly MarkChange[];
  readonly command: Command | undefined;
}

/**
 * Gathers what comes in into records of the journal, in order, until a batch of them is taken. None is appended before that: a sync of the
 * journal that is under way, for whatever reason, takes all that was appended, also what must wait for something else to be durable first.
 */
export class JournalRecords {
  readonly #encoder = new ReadingEncoder();
  readonly #maxRecordBytes: number;
  readonly #maxWholeBytes: number;
  #readings: Reading[] = [];
  #marks: MarkChange[] = [];
  /**
   * Of the message that is being given: they go into one record with its readings, as its end. A message that is too large even for that has
   * its marks in the last of several: one that became durable in part is admitted when it is sent again.
   */
  #openMarks: MarkChange[] = [];
  #closed: JournalRecord[] = [];
  #closedBytes = 0;
  /** The most that `closedBytes` may be: half of what may wait in the journal, which so takes a batch whole. */
  readonly maxClosedBytes: number;

  /** @param journal how the journal stands: its bounds are those of the records */
  constructor({ maxBytes, maxPendingBytes }: Pick<LogStatus, 'maxBytes' | 'maxPendingBytes'>) {
    this.#maxRecordBytes = Math.min(MAX_RECORD_BYTES, maxBytes * MAX_RECORD_SHARE);
    this.#maxWholeBytes = Math.min(MAX_WHOLE_BYTES, maxBytes * MAX_WHOLE_SHARE);
    this.maxClosedBytes = maxPendingBytes / 2;
  }

  /** Nothing was given since the last `take`. */
  get isEmpty(): boolean {
    return this.#encoder.isEmpty && this.#openMarks.length === 0 && this.#closed.length === 0;
  }

  /** Bytes of the records that are closed and not taken. */
  get closedBytes(): number {
    return this.#closedBytes;
  }

  /** Takes a reading. @throws GatewayError where too much waits to be taken already; the reading is kept all the same */
  add(reading: Reading): void {
    this.#readings.push(reading);
    this.#encoder.add(reading);
    this.#closeLarge();
  }

  /** Takes a mark of the message that is being given. @throws GatewayError as `add`, and the mark is not taken */
  mark(change: MarkChange): void {
    // Between two messages, be they all of QoS 2.
    this.#closeLarge();
    this.#openMarks.push(change);
  }

  /** Takes a command, for a record of its own. @throws GatewayError as `add`, and the command is not taken */
  command(command: Command): void {
    this.endMessage();
    const payload = encodeCommand(command);
    this.#close(payload.length);
    this.#keep({ payload, readings: [], marks: NO_MARKS, command });
  }

  /** The message that was given is there in full. */
  endMessage(): void {
    if (this.#openMarks.length === 0) return;
    for (const change of this.#openMarks) this.#encoder.mark(change);
    this.#marks.push(...this.#openMarks);
    this.#openMarks = [];
  }

  /** Hands over what was given. The payload of the last record is valid until something is given again, but with `isCopied`. */
  take(isCopied: boolean): readonly JournalRecord[] {
    this.endMessage();
    const records = this.#closed;
    this.#closed = [];
    this.#closedBytes = 0;
    if (this.#encoder.isEmpty) return records;
    const last = this.#finish();
    records.push(isCopied ? copied(last) : last);
    return records;
  }

  #closeLarge(): void {
    const maxBytes = this.#openMarks.length > 0 ? this.#maxWholeBytes : this.#maxRecordBytes;
    if (this.#encoder.byteLength > maxBytes) this.#close(0);
  }

  /** Closes the record that is open. @param more bytes that are to be kept with it */
  #close(more: number): void {
    const waiting = this.#closedBytes + this.#encoder.byteLength + more;
    if (waiting > this.maxClosedBytes) {
      throw new GatewayError(`cannot take more for the journal: ${waiting} bytes wait already`, {
        hint: 'the disk is slower than what comes in: see the trouble of the logs in the status',
      });
    }
    if (!this.#encoder.isEmpty) this.#keep(copied(this.#finish()));
  }

  #keep(record: JournalRecord): void {
    this.#closed.push(record);
    this.#closedBytes += record.payload.length;
  }

  #finish(): JournalRecord {
    const readings = this.#readings;
    const marks = this.#marks;
    this.#readings = [];
    if (marks.length > 0) this.#marks = [];
    const payload = this.#encoder.finish();
    return { payload, readings, marks: marks.length > 0 ? marks : NO_MARKS, command: undefined };
  }
}

/** The encoder uses its bytes again. */
function copied(record: JournalRecord): JournalRecord {
  return { ...record, payload: Uint8Array.from(record.payload) };
}
