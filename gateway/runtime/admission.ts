import type { MarkChange, MarkTable } from '../base/mark-table.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Intake } from '../core/intake.ts';
import type { Log, Offset } from '../core/log.ts';
import type { Marks } from '../core/marks.ts';
import type { Quality } from '../core/quality.ts';
import { deviceKey, type Reading, type Series, type SeriesIdentity, type Value } from '../core/reading.ts';
import type { ClockKeeper } from './clock-keeper.ts';
import { type Command, encodeCommand } from './command.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Ledger, LedgerRow } from './ledger.ts';
import { ReadingEncoder } from './reading-codec.ts';
import { SourceMarks } from './source-marks.ts';

/** Checks a reading before it is journaled and scales it. */
export interface Normaliser {
  /** Why the reading is refused, as a sentence; undefined when it is fine, and then `value` holds what to keep. */
  normalise(
    series: Series,
    value: Value,
    quality: Quality,
    sourceTime: EpochMs | undefined,
    now: EpochMs | undefined,
  ): string | undefined;
  readonly value: Value;
}

/** A record is closed when it holds this many bytes, so that reading one back never takes much memory. */
const MAX_RECORD_BYTES = 1024 * 1024;
/** Or this part of the journal, which takes no record of more than a quarter: one is closed only after it got too large. */
const MAX_RECORD_SHARE = 1 / 32;
/** What belongs together is one record up to so many bytes. */
const MAX_WHOLE_BYTES = 16 * 1024 * 1024;
const MAX_WHOLE_SHARE = 1 / 8;

/** Acknowledgements that are given before the event loop turns. */
const ANSWERS_PER_TURN = 512;

/** What admission works with. */
export interface AdmissionParts {
  readonly journal: Log;
  readonly deadLetters: DeadLetters;
  readonly ledger: Ledger;
  readonly normaliser: Normaliser;
  /** Tells what time it is, where that is known. */
  readonly clock: Pick<ClockKeeper, 'isKnown' | 'latest'>;
  /** What the sources have noted, as they see it. */
  readonly marks: MarkTable;
  /** The series of an identity, or a sentence why there is none. */
  readonly intern: (identity: SeriesIdentity, unit?: string) => Series | string;
  /** Called in journal order with what has become durable. Must not throw. */
  readonly durable: (entry: DurableEntry) => void;
  /** Asked before each batch: something to wait for before more may come in, so that back-pressure reaches the sources. */
  readonly backPressure: () => Promise<void> | undefined;
  /** The journal can take nothing any more: the gateway has to stop. */
  readonly failed: (error: unknown) => void;
}

/** One journal record that has just become durable. */
export interface DurableEntry {
  readonly offset: Offset;
  readonly readings: readonly Reading[];
  readonly marks: readonly MarkChange[];
  readonly command: Command | undefined;
}

/** What came in between two syncs. */
interface Batch {
  readonly entries: DurableEntry[];
  readonly acknowledgements: (() => void)[];
  readonly rejected: boolean;
}

/**
 * The door of the gateway: readings go into the journal in batches, one sync each, and only then are they acknowledged and
 * analysed. While one batch is being synced the next one gathers, so the batch size follows the load: one reading when idle,
 * thousands under load. There is no promise and no timer for a single reading.
 */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #encoder = new ReadingEncoder();
  #readings: Reading[] = [];
  #entries: DurableEntry[] = [];
  #acknowledgements: (() => void)[] = [];
  #rejected = false;
  #marks: MarkChange[] = [];
  /**
   * Of the message that is being given: they go into one record with its readings, as its end. A message that is too large even for that has
   * its marks in the last of several: one that became durable in part is admitted when it is sent again.
   */
  #openMarks: MarkChange[] = [];
  readonly #maxRecordBytes: number;
  readonly #maxWholeBytes: number;
  #running = false;
  #batches = 0;
  #idle: Promise<void> = Promise.resolve();
  readonly #runSoon = (): void => {
    this.#idle = this.#run();
  };

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    const { maxBytes } = parts.journal.status();
    this.#maxRecordBytes = Math.min(MAX_RECORD_BYTES, maxBytes * MAX_RECORD_SHARE);
    this.#maxWholeBytes = Math.min(MAX_WHOLE_BYTES, maxBytes * MAX_WHOLE_SHARE);
  }

  /** Nothing is waiting for the disk or for the analysis. */
  get isIdle(): boolean {
    return !this.#running;
  }

  /** Batches that have become durable. */
  get batches(): number {
    return this.#batches;
  }

  /** The door for one source. */
  intake(source: string): Intake {
    return new SourceIntake(source, this, this.#parts);
  }

  /** Puts a command into the journal; it is carried out in its place among the readings, once it is durable. */
  enter(command: Command): void {
    this.#endMessage();
    this.#closeRecord();
    const offset = this.#parts.journal.append(encodeCommand(command), 0);
    this.#entries.push({ offset, readings: [], marks: [], command });
    this.#wake();
  }

  /** Does the same; resolves when it is durable. */
  command(command: Command): Promise<void> {
    this.enter(command);
    return new Promise((resolve) => this.acknowledge(resolve));
  }

  /** Resolves when everything admitted so far is durable and analysed. */
  async drain(): Promise<void> {
    while (this.#running) {
      await new Promise<void>((resolve) => this.acknowledge(resolve));
      await this.#idle;
    }
  }

  /** @internal for the intakes */
  add(reading: Reading): void {
    this.#readings.push(reading);
    this.#encoder.add(reading);
    this.#closeLargeRecord();
    this.#wake();
  }

  /** @internal for the intakes */
  mark(change: MarkChange): void {
    // Between two messages, be they all of QoS 2.
    this.#closeLargeRecord();
    this.#openMarks.push(change);
    this.#wake();
  }

  /** @internal for the intakes */
  reject(source: string, subject: string, reason: string, payload: Uint8Array, device?: string): void {
    this.#parts.deadLetters.addReading(source, subject, reason, payload, device);
    this.#rejected = true;
    this.#wake();
  }

  /** @internal for the intakes */
  acknowledge(done: () => void): void {
    this.#endMessage();
    this.#acknowledgements.push(done);
    this.#wake();
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    // After everything that is already waiting on the sockets has been read: it shares the first sync.
    setImmediate(this.#runSoon);
  }

  /** Syncs one batch after the other; a batch is analysed while the next one is on its way to the disk. */
  async #run(): Promise<void> {
    let durable: Batch | undefined;
    try {
      for (;;) {
        const batch = this.#takeBatch();
        const synced = batch === undefined ? undefined : this.#sync(batch);
        if (durable !== undefined) await this.#settle(durable);
        durable = undefined;
        await this.#parts.backPressure();
        if (synced !== undefined) {
          await synced;
          this.#batches++;
          durable = batch;
        } else if (!this.#isWaiting()) {
          break;
        }
      }
    } catch (error) {
      this.#parts.failed(error);
    }
    this.#running = false;
  }

  #isWaiting(): boolean {
    const isGiven = !this.#encoder.isEmpty || this.#openMarks.length > 0;
    return isGiven || this.#entries.length > 0 || this.#acknowledgements.length > 0 || this.#rejected;
  }

  #takeBatch(): Batch | undefined {
    if (!this.#isWaiting()) return undefined;
    this.#endMessage();
    this.#closeRecord();
    const batch = {
      entries: this.#entries,
      acknowledgements: this.#acknowledgements,
      rejected: this.#rejected,
    };
    this.#entries = [];
    this.#acknowledgements = [];
    this.#rejected = false;
    return batch;
  }

  async #sync(batch: Batch): Promise<void> {
    const { journal, deadLetters } = this.#parts;
    // The refused ones first: a mark in the journal says that its message is kept, and one that is sent again is not looked at any more.
    if (batch.rejected) await deadLetters.commit();
    await journal.commit();
  }

  async #settle({ acknowledgements, entries }: Batch): Promise<void> {
    for (let i = 0; i < acknowledgements.length; i++) {
      // Between two slices the answers leave, and their senders are at work again before the last one is answered.
      if (i > 0 && i % ANSWERS_PER_TURN === 0) await nextTurn();
      acknowledgements[i]!();
    }
    for (const entry of entries) this.#parts.durable(entry);
  }

  #closeLargeRecord(): void {
    const maxBytes = this.#openMarks.length > 0 ? this.#maxWholeBytes : this.#maxRecordBytes;
    if (this.#encoder.byteLength > maxBytes) this.#closeRecord();
  }

  /** The message is there in full. */
  #endMessage(): void {
    if (this.#openMarks.length === 0) return;
    for (const change of this.#openMarks) this.#encoder.mark(change);
    this.#marks.push(...this.#openMarks);
    this.#openMarks = [];
  }

  #closeRecord(): void {
    if (this.#encoder.isEmpty) return;
    const readings = this.#readings;
    const marks = this.#marks;
    this.#readings = [];
    if (marks.length > 0) this.#marks = [];
    const offset = this.#parts.journal.append(this.#encoder.finish(), readings.length);
    this.#entries.push({ offset, readings, marks: marks.length > 0 ? marks : NO_MARKS, command: undefined });
  }
}

/** Resolves after the sockets have been served once. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const NO_MARKS: readonly MarkChange[] = [];

class SourceIntake implements Intake {
  readonly #source: string;
  readonly #admission: Admission;
  readonly #parts: AdmissionParts;
  readonly #row: LedgerRow;
  readonly marks: Marks;

  constructor(source: string, admission: Admission, parts: AdmissionParts) {
    this.#source = source;
    this.#admission = admission;
    this.#parts = parts;
    this.#row = parts.ledger.row(source);
    this.marks = new SourceMarks(source, parts.marks, (change) => admission.mark(change));
  }

  series(identity: SeriesIdentity, unit?: string): Series | string {
    return this.#parts.intern(identity, unit);
  }

  reading(
    series: Series,
    value: Value,
    quality: Quality,
    sourceTime: EpochMs | undefined,
    receiveTime: EpochMs,
  ): string | undefined {
    const { normaliser, clock } = this.#parts;
    const problem = normaliser.normalise(series, value, quality, sourceTime, clock.latest(receiveTime));
    if (problem !== undefined) {
      const payload = Buffer.from(JSON.stringify({ value: String(value), sourceTime }));
      this.#reject(series.key, problem, payload, deviceKey(series));
      return problem;
    }
    this.#parts.ledger.admit(this.#row, series);
    this.#admission.add({
      series,
      source: this.#source,
      value: normaliser.value,
      quality,
      sourceTime: sourceTime ?? receiveTime,
      receiveTime,
      stamped: sourceTime === undefined,
      provisional: sourceTime === undefined && !clock.isKnown,
    });
    return undefined;
  }

  reject(subject: string, reason: string, payload: Uint8Array): void {
    this.#reject(subject, reason, payload, undefined);
  }

  acknowledge(done: () => void): void {
    this.#admission.acknowledge(done);
  }

  #reject(subject: string, reason: string, payload: Uint8Array, device: string | undefined): void {
    this.#parts.ledger.reject(this.#row, device);
    this.#admission.reject(this.#source, subject, reason, payload, device);
  }
}
