import type { Clock } from '../core/clock.ts';
import type { Log, LogCursor, LogReadError, LogRecord, Offset } from '../core/log.ts';
import type { Result } from '../core/result.ts';
import type { SinkBacklog, SinkCounts } from '../core/view.ts';
import { BacklogGauge } from './backlog-gauge.ts';
import { Pace } from './pace.ts';
import { type PendingRange, PendingRanges } from './pending-ranges.ts';
import { RangeReader } from './range-reader.ts';
import { decodeResults } from './result-codec.ts';
import { RevisionMemory } from './revision-memory.ts';
import { type Settled, SinkLedger } from './sink-ledger.ts';

/** Behind by this long and by more than a batch, new results go first. */
const BEHIND_MS = 10_000;
/** Outages one after the other, of which each may leave a stretch to catch up with. */
const MAX_RANGES = 16;
const SCAN_ITEMS = 5_000;
/** How often to look whether the disk has taken again what it had lost of a backlog. */
const REWRITTEN_EVERY_MS = 1_000;

/** How a sink catches up after an outage. */
export interface CatchUp {
  /** `newest-first`: what is new goes first, and the backlog follows. `in-order`: the oldest first. */
  readonly order: 'newest-first' | 'in-order';
  /** Results of the backlog in a second at the most, where what is new goes first. */
  readonly maxPerSecond: number;
}

/** What a lane is made of. */
export interface LaneParts {
  readonly log: Log;
  /** Name of the sink, and so of its cursor. */
  readonly sink: string;
  readonly clock: Clock;
  readonly catchUp: CatchUp;
  /** Results in a whole batch: a sink is behind when more are waiting. */
  readonly maxItems: number;
}

/** Records to be delivered together. */
export interface Portion {
  readonly records: readonly LogRecord[];
  readonly range: PendingRange;
}

/**
 * One log on its way to one sink: what of it is still to be delivered, in which order, and what became of the rest. The position is
 * a few pending ranges; the cursor stands at the first of them, as nothing behind it may be trimmed, and its note holds them all,
 * with the counts, so that both are written in one go.
 */
export class Lane {
  readonly #parts: LaneParts;
  readonly #cursor: LogCursor;
  readonly #ledger = new SinkLedger();
  readonly #revisions = new RevisionMemory();
  readonly #pace: Pace;
  readonly #gauge: BacklogGauge;
  #ranges: PendingRanges;
  /** True while the ordinal of the first pending record is only known by estimate. */
  #isNew = false;
  #readers = new Map<PendingRange, RangeReader>();
  /** Monotonic time when the newest range had nothing left. */
  #caughtUpMs = Number.NEGATIVE_INFINITY;
  /** True once the sink took the last portion it was given: only then does it make sense to choose another order. */
  #flows = false;
  /** True while a range of the backlog ends behind what is durable. */
  #awaitsDisk = false;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#cursor = parts.log.cursor(parts.sink);
    this.#pace = new Pace(parts.catchUp.maxPerSecond);
    this.#gauge = new BacklogGauge(parts.log, parts.clock);
    this.#ranges = this.#restore();
  }

  /** Everything before this offset is done with. */
  get position(): Offset {
    return this.#cursor.offset;
  }

  /** Looks up what only the records tell of the position of the last time. Rejects when the log cannot be read. */
  async open(signal: AbortSignal): Promise<void> {
    const first = await this.#first();
    if (first === undefined) this.#gauge.age.caughtUp();
    else this.#gauge.age.begin(first.time);
    if (first !== undefined && this.#isNew) {
      this.#ranges = new PendingRanges(this.#cursor.offset, first.ordinal);
      this.#ledger.begin(first.ordinal);
    }
    // What a full log drops before the sink takes anything is lost to it all the same: a later start must know where it began.
    if (this.#isNew) this.#commit();
    this.#isNew = false;
    this.#revisions.clear();
    for (const { from, to } of this.#ranges.outOfOrder()) await this.#remember(from, to, signal);
  }

  /**
   * What is to be delivered next; undefined when there is nothing, or the backlog has to wait.
   *
   * @param maxItems results at the most, but for a record that holds more
   */
  async next(maxItems: number): Promise<Portion | undefined> {
    this.#gauge.look(this.#ranges);
    const { clock, catchUp } = this.#parts;
    this.#turnToTheNewest();
    this.#awaitsDisk = false;
    const inOrder = catchUp.order === 'in-order' || this.#revisions.isFull;
    for (const range of inOrder ? this.#ranges.oldestFirst() : this.#ranges.newestFirst()) {
      const isBacklog = range !== this.#ranges.newest;
      if (isBacklog && !inOrder && this.#pace.waitMs(clock.monotonicMs()) > 0) return undefined;
      const records = await this.#reader(range).take(maxItems, range.to);
      if (records.length === 0) {
        await this.#end(range);
        continue;
      }
      if (isBacklog) this.#pace.went(itemsOf(records), clock.monotonicMs());
      if (range === this.#ranges.oldest) this.#gauge.age.oldest(records[0]!.time);
      return { records, range };
    }
    if (this.#ranges.count === 1) this.#gauge.age.caughtUp();
    return undefined;
  }

  /** How long until `next` may give more of the backlog, in milliseconds; undefined when there is none. */
  backlogWaitMs(): number | undefined {
    if (this.#ranges.count === 1) return undefined;
    return Math.max(this.#pace.waitMs(this.#parts.clock.monotonicMs()), this.#awaitsDisk ? REWRITTEN_EVERY_MS : 0);
  }

  /** Resolves when there may be something new, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    await this.#reader(this.#ranges.newest).wait(signal);
    if (this.#ranges.count === 1) this.#gauge.age.caughtUp();
  }

  /** True when a later revision of the result has been delivered already. */
  supersedes(result: Result): boolean {
    return this.#revisions.supersedes(result);
  }

  /** A portion is done with: counts it, and writes the new position down. @param delivered what the sink took of it */
  async settle({ records, range }: Portion, settled: Settled, delivered: readonly Result[]): Promise<void> {
    this.#flows = true;
    this.#ledger.settle(settled);
    for (const record of records) {
      this.#passTo(range, record.offset, record.ordinal);
      this.#ranges.advance(range, record.offset + 1, record.ordinal + record.items);
    }
    if (range !== this.#ranges.oldest) for (const result of delivered) this.#revisions.add(result);
    if (range.from >= range.to) await this.#finish(range);
    this.#commit();
  }

  /** The sink did not take a portion: it is read again, or another one is first. */
  async giveBack({ range }: Portion): Promise<void> {
    this.#flows = false;
    await this.#readers.get(range)?.close();
    this.#readers.delete(range);
  }

  /** What the disk has refused is not waited for any longer: what can be read of the rest goes on. */
  async passOver({ offset }: LogReadError): Promise<void> {
    await this.#parts.log.passOver(offset);
  }

  async close(): Promise<void> {
    for (const reader of this.#readers.values()) await reader.close();
    this.#readers.clear();
  }

  counts(): SinkCounts {
    const { pending, lost } = this.#gauge.items(this.#ranges);
    return this.#ledger.counts(this.#parts.log.status().appendedItems, pending, lost);
  }

  backlog(): SinkBacklog {
    return this.#gauge.read(this.#ranges, this.#flows);
  }

  /** The position and the counts of the last time. A log that was lost, or has lost its end, begins anew, and the cursor with it. */
  #restore(): PendingRanges {
    const { nextOffset, appendedItems } = this.#parts.log.status();
    const { note, offset } = this.#cursor;
    const ranges = this.#ledger.restore(note)
      ? PendingRanges.restore((note as { ranges?: unknown }).ranges)
      : undefined;
    if (ranges === undefined || offset < ranges.oldest.from) {
      const ordinal = appendedItems - this.#parts.log.kept(offset).items;
      this.#ledger.begin(ordinal);
      this.#isNew = true;
      return new PendingRanges(offset, ordinal);
    }
    if (ranges.endAt(nextOffset, appendedItems)) {
      // Items that this sink had seen were lost with the end of the log: they stay received.
      const pending = ranges
        .oldestFirst()
        .map(({ ordinal, endOrdinal }) => Math.min(endOrdinal, appendedItems) - ordinal);
      this.#ledger.begin(appendedItems - pending.reduce((sum, items) => sum + items, 0));
    }
    return ranges;
  }

  /** The first record that is kept of what is pending. */
  async #first(): Promise<LogRecord | undefined> {
    const reader = this.#parts.log.reader(this.#cursor.offset);
    try {
      return (await reader.read(1))[0];
    } finally {
      await reader.close();
    }
  }

  /** Learns from what was delivered before its turn which revisions are not to be overwritten. */
  async #remember(from: Offset, to: Offset, signal: AbortSignal): Promise<void> {
    const reader = new RangeReader(this.#parts.log, from);
    try {
      while (!signal.aborted) {
        const records = await reader.take(SCAN_ITEMS, to);
        if (records.length === 0) return;
        for (const { payload } of records) for (const result of correctionsIn(payload)) this.#revisions.add(result);
      }
    } finally {
      await reader.close();
    }
  }

  /** After an outage: from now on what is new goes first. */
  #turnToTheNewest(): void {
    const { log, clock, catchUp, maxItems } = this.#parts;
    if (catchUp.order === 'in-order' || !this.#flows || this.#ranges.count >= MAX_RANGES) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#caughtUpMs < BEHIND_MS) return;
    const { nextOffset, durableOffset, appendedItems } = log.status();
    // Where not everything is durable yet, a crash could leave an end that never was: the next time will do.
    if (appendedItems - this.#ranges.newest.ordinal <= maxItems || durableOffset !== nextOffset) return;
    this.#ranges.split(nextOffset, appendedItems);
    this.#caughtUpMs = nowMs;
  }

  /** Nothing is left to read of a range just now. */
  async #end(range: PendingRange): Promise<void> {
    const { nextOffset, durableOffset, appendedItems } = this.#parts.log.status();
    if (range === this.#ranges.newest) {
      this.#caughtUpMs = this.#parts.clock.monotonicMs();
      const isAtEnd = durableOffset === nextOffset && this.#reader(range).position >= nextOffset;
      if (!isAtEnd || range.from >= nextOffset) return;
      // What is lost at the end of the log must not be pending until something comes behind it.
      this.#passTo(range, nextOffset, appendedItems);
    } else if (range.to <= durableOffset) {
      await this.#finish(range);
    } else {
      // With syncs now and then, the durable end goes back while the disk refuses: what lies behind it comes again.
      this.#awaitsDisk = true;
      return;
    }
    this.#commit();
  }

  async #finish(range: PendingRange): Promise<void> {
    this.#passTo(range, range.to, range.endOrdinal);
    this.#ranges.finish(range);
    await this.#readers.get(range)?.close();
    this.#readers.delete(range);
    if (this.#ranges.count === 1) this.#revisions.clear();
  }

  /** A range goes on at an offset, with `ordinal` items of the log before: what lies between was lost. */
  #passTo(range: PendingRange, offset: Offset, ordinal: number): void {
    this.#ledger.pass(ordinal - range.ordinal);
    this.#ranges.advance(range, offset, ordinal);
  }

  /** The file follows a little later: nobody waits for it, and what a crash forgets is delivered again. */
  #commit(): void {
    void this.#cursor.commit(this.#ranges.oldest.from, { ...this.#ledger.note(), ranges: this.#ranges.note() });
  }

  #reader(range: PendingRange): RangeReader {
    let reader = this.#readers.get(range);
    if (reader === undefined) {
      reader = new RangeReader(this.#parts.log, range.from);
      this.#readers.set(range, reader);
    }
    return reader;
  }
}

function itemsOf(records: readonly LogRecord[]): number {
  return records.reduce((sum, { items }) => sum + items, 0);
}

/** The results of a record where some are not the first revision. */
function correctionsIn(payload: Uint8Array): readonly Result[] {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  // Most records hold none: looking at the bytes is cheaper than parsing them.
  if (!/"revision":[1-9]/.test(text.toString('latin1'))) return [];
  try {
    return decodeResults(payload);
  } catch {
    return []; // It was set aside, with its reason, when it was to be delivered.
  }
}
