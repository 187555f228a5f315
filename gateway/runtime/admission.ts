import type { MarkChange } from '../base/mark-table.ts';
import type { Intake } from '../core/intake.ts';
import type { Log, Offset } from '../core/log.ts';
import type { Reading } from '../core/reading.ts';
import type { Command } from './command.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type JournalRecord, JournalRecords } from './journal-records.ts';
import { type Admits, SourceIntake, type SourceIntakeParts } from './source-intake.ts';

/** Acknowledgements that are given before the event loop turns. */
const ANSWERS_PER_TURN = 512;

/** What admission works with. */
export interface AdmissionParts extends SourceIntakeParts {
  readonly journal: Log;
  readonly deadLetters: DeadLetters;
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
  readonly records: readonly JournalRecord[];
  readonly acknowledgements: readonly (() => void)[];
  readonly rejected: boolean;
}

/**
 * The door of the gateway: readings go into the journal in batches, one sync each, and only then are they acknowledged and
 * analysed. While one batch is being synced the next one gathers, so the batch size follows the load: one reading when idle,
 * thousands under load. There is no promise and no timer for a single reading.
 */
export class Admission implements Admits {
  readonly #parts: AdmissionParts;
  readonly #records: JournalRecords;
  #acknowledgements: (() => void)[] = [];
  #rejected = false;
  #running = false;
  #batches = 0;
  #idle: Promise<void> = Promise.resolve();
  readonly #runSoon = (): void => {
    this.#idle = this.#run();
  };

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#records = new JournalRecords(parts.journal.status());
  }

  /** Nothing is waiting for the disk or for the analysis. */
  get isIdle(): boolean {
    return !this.#running;
  }

  /** Batches that have become durable. */
  get batches(): number {
    return this.#batches;
  }

  /** What waits for the sync that is under way, and the most that may. */
  get waiting(): { readonly bytes: number; readonly maxBytes: number } {
    return { bytes: this.#records.closedBytes, maxBytes: this.#records.maxClosedBytes };
  }

  /** The door for one source. */
  intake(source: string): Intake {
    return new SourceIntake(source, this, this.#parts);
  }

  /** Puts a command into the journal; it is carried out in its place among the readings, once it is durable. */
  enter(command: Command): void {
    this.#records.command(command);
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
    this.#records.add(reading);
    this.#wake();
  }

  /** @internal for the intakes */
  mark(change: MarkChange): void {
    this.#records.mark(change);
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
    this.#records.endMessage();
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
    let durable: { readonly batch: Batch; readonly entries: readonly DurableEntry[] } | undefined;
    try {
      for (;;) {
        const batch = this.#takeBatch();
        const synced = batch === undefined ? undefined : { batch, entries: this.#sync(batch) };
        // It is awaited below, after what may take long: a log that is stopped meanwhile must not end the process.
        synced?.entries.catch(() => undefined);
        if (durable !== undefined) await this.#settle(durable.batch, durable.entries);
        durable = undefined;
        await this.#parts.backPressure();
        if (synced !== undefined) {
          durable = { batch: synced.batch, entries: await synced.entries };
          this.#batches++;
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
    return !this.#records.isEmpty || this.#acknowledgements.length > 0 || this.#rejected;
  }

  #takeBatch(): Batch | undefined {
    if (!this.#isWaiting()) return undefined;
    const rejected = this.#rejected;
    // Where nothing has to be durable first, they are appended at once.
    const batch = { records: this.#records.take(rejected), acknowledgements: this.#acknowledgements, rejected };
    this.#acknowledgements = [];
    this.#rejected = false;
    return batch;
  }

  async #sync({ records, rejected }: Batch): Promise<readonly DurableEntry[]> {
    const { journal, deadLetters } = this.#parts;
    // The refused ones first: a mark in the journal says that its message is kept, and one that is sent again is not looked at any more.
    if (rejected) await deadLetters.commit();
    const entries = records.map(({ payload, readings, marks, command }) => {
      return { offset: journal.append(payload, readings.length), readings, marks, command };
    });
    await journal.commit();
    return entries;
  }

  async #settle({ acknowledgements }: Batch, entries: readonly DurableEntry[]): Promise<void> {
    for (let i = 0; i < acknowledgements.length; i++) {
      // Between two slices the answers leave, and their senders are at work again before the last one is answered.
      if (i > 0 && i % ANSWERS_PER_TURN === 0) await nextTurn();
      acknowledgements[i]!();
    }
    for (const entry of entries) this.#parts.durable(entry);
  }
}

/** Resolves after the sockets have been served once. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
