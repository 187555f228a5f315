import type { MarkTable } from '../base/mark-table.ts';
import type { SeriesRegistry } from '../base/series-registry.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { Log, Offset } from '../core/log.ts';
import type { Logger } from '../core/telemetry.ts';
import type { CheckpointStatus } from '../core/view.ts';
import type { Analysis, Deduplicator } from './analysis.ts';
import type { Checkpoint, CheckpointStore } from './checkpoint.ts';
import type { ClockReference } from './command.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Ledger } from './ledger.ts';
import { RememberedRange } from './remembered-range.ts';
import type { ResultLogs } from './result-logs.ts';

/** Whose state goes into a checkpoint, and what must be durable before it counts. */
export interface CheckpointerParts {
  readonly clock: Clock;
  readonly journal: Log;
  readonly results: ResultLogs;
  readonly deadLetters: DeadLetters;
  readonly checkpoints: CheckpointStore;
  readonly registry: SeriesRegistry;
  readonly deduplicator: Deduplicator;
  readonly analysis: Analysis;
  /** This moment by both clocks, where the time is known. */
  readonly reference: () => ClockReference | undefined;
  readonly ledger: Ledger;
  /** As they were when the last record was analysed. */
  readonly marks: MarkTable;
  readonly logger: Logger;
}

/** In so many steps a journal that is short of room gives up what is only remembered. */
const FORGET_STEPS = 4;

/** Writes down where everything stands, so that a restart need not go further back, and frees the journal before that. */
export class Checkpointer {
  readonly #parts: CheckpointerParts;
  readonly #remembered: RememberedRange;
  /** The first journal record that has not been analysed. */
  #analysedTo: Offset = 0;
  /** Readings before it. */
  #analysedItems = 0;
  #coveredTo: Offset = -1;
  #coveredDeadLetters: Offset = 0;
  /** From where on the journal is needed to go on from the checkpoint before the newest. */
  #neededFrom: Offset = 0;
  /** The same for the newest. */
  #nextNeededFrom: Offset = 0;
  #takenAt: EpochMs | null = null;
  /** The same by the monotonic clock, as far as can be told of one from before the start. */
  #takenMs = 0;
  #begun = false;
  #hasForgotten = false;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
    this.#remembered = new RememberedRange(parts.deduplicator.capacity * 2);
  }

  /** A journal record has been analysed or, after a restart, remembered. Tell of them in order. */
  passed(offset: Offset, readings: number): void {
    this.#remembered.add(offset, readings);
    this.#analysedTo = offset + 1;
    this.#analysedItems += readings;
  }

  /**
   * A restart has gone through the journal up to `analysedTo`; checkpoints make sense from now on. Await it before anything is let in:
   * where a checkpoint lies beyond the end of a log, whose records were lost, that log numbers its next records as if they were
   * in the checkpoint already. Both checkpoints are then written anew, at the true ends. Rejects when the disk does.
   */
  async begin(analysedTo: Offset, restored: Checkpoint | undefined): Promise<void> {
    this.#analysedTo = analysedTo;
    this.#analysedItems = this.#parts.journal.status().appendedItems;
    this.#coveredTo = restored?.journalOffset ?? -1;
    this.#coveredDeadLetters = restored?.deadLetterOffset ?? 0;
    this.#takenAt = restored?.takenAt ?? null;
    const { clock } = this.#parts;
    this.#takenMs = clock.monotonicMs() - Math.max(0, clock.now() - (this.#takenAt ?? 0));
    this.#begun = true;
    if (restored === undefined) return;
    if (!this.#liesBeyond(restored)) {
      this.#nextNeededFrom = restored.remember.offset;
      return;
    }
    // Until both are replaced the one beyond the end counts as the newer, which finds this same state again.
    await this.#replace();
    await this.#replace();
  }

  /**
   * Writes a checkpoint unless nothing was analysed or refused since the last one, or `begin` was not called. The snapshots are taken in one go;
   * before they count, all that they stand on is on the medium, whatever `storage.sync` promises: the readings before their offset, every result
   * they have led to, every refusal they have counted. Else a power cut could take what neither a replay nor an outbox has. Rejects when the disk does; the one before stays.
   */
  async write(): Promise<void> {
    // Time alone needs no checkpoint: what it led to, a replay finds again. Dead letters do, as their log drops the oldest.
    const nothingNew =
      this.#analysedTo === this.#coveredTo && this.#parts.deadLetters.settle().offset === this.#coveredDeadLetters;
    if (!this.#begun || nothingNew) return;
    await this.#replace();
  }

  async #replace(): Promise<void> {
    const { journal, results, deadLetters, checkpoints } = this.#parts;
    const checkpoint = this.#take();
    // Of the journal no more than that: a full one waits for the room that this checkpoint makes.
    await Promise.all([journal.sync(checkpoint.journalOffset), results.sync(), deadLetters.sync()]);
    await checkpoints.write(checkpoint);
    this.#coveredTo = checkpoint.journalOffset;
    this.#coveredDeadLetters = checkpoint.deadLetterOffset;
    this.#takenAt = checkpoint.takenAt;
    this.#takenMs = this.#parts.clock.monotonicMs();
    this.#neededFrom = this.#nextNeededFrom;
    this.#nextNeededFrom = checkpoint.remember.offset;
    await this.#free(checkpoint);
  }

  /**
   * Frees what neither checkpoint needs. A journal that is short of room gives up first what only the older one needs, then what is
   * only remembered, the oldest first: a journal that is full of it would never take a reading again.
   */
  async #free({ remember, journalOffset }: Checkpoint): Promise<void> {
    const { journal, logger } = this.#parts;
    await journal.trim(this.#neededFrom);
    if (!isShortOfRoom(journal)) return;
    await journal.trim(remember.offset);
    for (let step = 1; step <= FORGET_STEPS && isShortOfRoom(journal); step++) {
      const forgotten = Math.ceil(((journalOffset - remember.offset) * step) / FORGET_STEPS);
      await journal.trim(remember.offset + forgotten);
      if (this.#hasForgotten) continue;
      this.#hasForgotten = true;
      logger.warn(
        { maxBytes: journal.status().maxBytes },
        'the journal is small: after a restart fewer redelivered readings are recognised; raise storage.journal.maxBytes',
      );
    }
  }

  #liesBeyond({ journalOffset, deadLetterOffset }: Checkpoint): boolean {
    return journalOffset > this.#analysedTo || deadLetterOffset > this.#parts.deadLetters.settle().offset;
  }

  /** The newest checkpoint, as the status tells it. */
  status(): CheckpointStatus {
    const { clock, checkpoints } = this.#parts;
    return {
      offset: Math.max(0, this.#coveredTo),
      at: this.#takenAt,
      ageMs: this.#takenAt === null ? null : clock.monotonicMs() - this.#takenMs,
      bytes: checkpoints.bytes,
    };
  }

  /** Synchronous, as the offset and all snapshots must be of one moment: else a replay would analyse readings twice, or never. */
  #take(): Checkpoint {
    const { clock, registry, deduplicator, deadLetters, analysis, ledger, marks } = this.#parts;
    const { sources, groups, derived } = ledger.snapshot();
    const { offset: deadLetterOffset, items: deadLetterItems } = deadLetters.settle();
    return {
      takenAt: clock.now(),
      journalOffset: this.#analysedTo,
      journalItems: this.#analysedItems,
      remember: this.#remembered.start(deduplicator.remembered, this.#analysedTo),
      deadLetterOffset,
      deadLetterItems,
      receiveTime: analysis.receiveTime,
      reference: this.#parts.reference(),
      setBackMs: analysis.setBackMs,
      provisional: analysis.provisional.snapshot(),
      series: registry.all().map(({ device, metric, tags, unit }) => ({ device, metric, tags, unit })),
      ledger: sources,
      ledgerGroups: groups,
      ledgerDerived: derived,
      marks: marks.snapshot(),
      stages: analysis.snapshot(),
    };
  }
}

/** Half of a journal is for what comes in until the next checkpoint. */
function isShortOfRoom(journal: Log): boolean {
  const { bytes, maxBytes } = journal.status();
  return bytes > maxBytes / 2;
}
