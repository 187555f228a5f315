import type { MarkTable } from '../base/mark-table.ts';
import type { SeriesRegistry } from '../base/series-registry.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log, LogRecord, Offset } from '../core/log.ts';
import type { Reading } from '../core/reading.ts';
import type { Logger } from '../core/telemetry.ts';
import type { Analysis } from './analysis.ts';
import type { Checkpoint, CheckpointStore } from './checkpoint.ts';
import { type Command, decodeCommand } from './command.ts';
import type { DeadLetters } from './dead-letters.ts';
import { ItemGaps } from './item-gaps.ts';
import type { Ledger } from './ledger.ts';
import { ProvisionalReadings } from './provisional-readings.ts';
import { readAtStart } from './read-at-start.ts';
import { decodeReadings, type Homeless, RecordKind } from './reading-codec.ts';

const READ_BYTES = 4 * 1024 * 1024;

/** The rows of the ledger for what is known by its number only: of which source it was, nobody knows any more. */
const LOST_FROM = { journal: '(journal)', deadLetters: '(dead letters)' } as const;

/** What a restart restores, and from what. */
export interface RecoveryParts {
  readonly clock: Clock;
  readonly journal: Log;
  readonly checkpoints: CheckpointStore;
  readonly registry: SeriesRegistry;
  readonly analysis: Analysis;
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetters;
  readonly marks: MarkTable;
  readonly logger: Logger;
  /** Carries a journaled command out again. */
  readonly apply: (command: Command) => void;
  /** Told in order of every journal record whose readings were analysed or remembered. */
  readonly passed: (offset: Offset, readings: number) => void;
  /** Ends the replay early: `recover` rejects with its reason. */
  readonly signal: AbortSignal;
}

/** What a restart found. */
export interface Recovered {
  /** Readings analysed again because the checkpoint did not hold them. */
  readonly replayed: number;
  /** Journal records that could not be understood; they are named in the log. */
  readonly unreadable: number;
  readonly checkpoint: Checkpoint | undefined;
}

/**
 * A restart: takes over the newest checkpoint that can be read and replays the journal from its offset. Readings shortly before it are
 * read too, but only to be remembered, so that a publisher's redelivery is still recognised.
 */
export async function recover(parts: RecoveryParts): Promise<Recovered> {
  const checkpoint = await restoreCheckpoint(parts);
  await countRejected(parts, checkpoint);
  tellOfLostRecords(parts, checkpoint);
  const { replayed, unreadable } = await replayJournal(parts, checkpoint);
  return { replayed, unreadable, checkpoint };
}

/** What was refused since the checkpoint: as its dead letters say or, where their log was full and has dropped them, by their number. */
async function countRejected(parts: RecoveryParts, checkpoint: Checkpoint | undefined): Promise<void> {
  const { deadLetters, ledger, logger, signal } = parts;
  const gaps = new ItemGaps(checkpoint?.deadLetterItems, (readings) =>
    ledger.reject(ledger.row(LOST_FROM.deadLetters), undefined, readings),
  );
  await deadLetters.readAtStart(checkpoint?.deadLetterOffset ?? 0, signal, (letter, record) => {
    gaps.pass(record);
    if (letter instanceof Error) {
      gaps.unreadable(record);
      const { offset, items } = record;
      logger.error({ offset, items, reason: letter.message }, 'dead letter passed over: it cannot be understood');
    } else if (isSource(parts, letter.origin)) {
      ledger.reject(ledger.row(letter.origin), letter.device, letter.times);
    }
  });
  gaps.end(deadLetters.settle().items);
  if (gaps.items > 0) {
    logger.warn(
      { readings: gaps.items },
      'dead letters are gone or broken before they were counted: counted as rejected, under (dead letters)',
    );
  }
}

/** A checkpoint goes on from its offset: what lay between it and the journal that is there is lost, or is in the checkpoint only. */
function tellOfLostRecords({ journal, logger }: RecoveryParts, checkpoint: Checkpoint | undefined): void {
  const { firstOffset, nextOffset } = journal.status();
  const journalOffset = checkpoint?.journalOffset ?? 0;
  if (journalOffset > nextOffset) {
    logger.error(
      { journalOffset, nextOffset },
      'the journal ends before the checkpoint: records were lost; the analysis goes on from the checkpoint',
    );
  } else if (journalOffset < firstOffset) {
    logger.error(
      { journalOffset, firstOffset },
      `the journal begins after ${checkpoint === undefined ? 'the first reading, and no checkpoint can be read' : 'the checkpoint'}: open windows, alarms and counts from before are lost`,
    );
  }
}

/** Dead letters of sinks are results, not readings: they are not in the ledger of the sources. */
function isSource(parts: RecoveryParts, origin: string): boolean {
  return parts.ledger.sources().has(origin);
}

async function restoreCheckpoint(parts: RecoveryParts): Promise<Checkpoint | undefined> {
  for (const checkpoint of await parts.checkpoints.read()) {
    try {
      for (const { unit, ...identity } of checkpoint.series) parts.registry.recall(identity, unit);
      const { provisional, homeless } = restoredProvisional(parts, checkpoint);
      parts.analysis.restore(checkpoint);
      const { derivers, byName } = parts.analysis.stages;
      for (const { notRestored } of [...derivers, ...Object.values(byName)]) {
        if (notRestored !== undefined) parts.logger.warn({ takenAt: checkpoint.takenAt }, notRestored);
      }
      const { ledger: sources, ledgerGroups: groups, ledgerDerived: derived } = checkpoint;
      parts.ledger.restore({ sources, groups, derived });
      parts.marks.restore(checkpoint.marks ?? []);
      if (homeless.length > 0) dropHomeless(parts, checkpoint.journalOffset, homeless);
      parts.analysis.resumeWaiting(provisional);
      return checkpoint;
    } catch (error) {
      parts.logger.warn(
        { reason: messageOf(error), takenAt: checkpoint.takenAt },
        'checkpoint passed over: it cannot be restored',
      );
    }
  }
  return undefined;
}

function restoredProvisional({ registry }: RecoveryParts, { provisional: snapshot }: Checkpoint) {
  const provisional = new ProvisionalReadings();
  if (snapshot === undefined) return { provisional, homeless: [] };
  return { provisional, homeless: provisional.restore(snapshot, (identity, unit) => registry.intern(identity, unit)) };
}

async function replayJournal(
  parts: RecoveryParts,
  checkpoint: Checkpoint | undefined,
): Promise<{ replayed: number; unreadable: number }> {
  const firstUnanalysed = checkpoint?.journalOffset ?? 0;
  const remember = checkpoint?.remember ?? { offset: 0, skip: 0 };
  const reader = parts.journal.reader(remember.offset);
  const losses = new ItemGaps(checkpoint?.journalItems, (readings) =>
    parts.ledger.drop(parts.ledger.row(LOST_FROM.journal), undefined, readings),
  );
  const next = () => readAtStart({ ...parts, log: parts.journal }, reader, READ_BYTES);
  let replayed = 0;
  let unreadable = 0;
  try {
    for (let records = await next(); records.length > 0; records = await next()) {
      for (const record of records) {
        const analyse = record.offset >= firstUnanalysed;
        if (analyse) losses.pass(record);
        const count = replayRecord(parts, record, analyse, record.offset === remember.offset ? remember.skip : 0);
        if (count === undefined && analyse) losses.unreadable(record);
        if (count === undefined) unreadable++;
        else if (analyse) replayed += count;
      }
    }
  } finally {
    await reader.close();
  }
  losses.end(parts.journal.status().appendedItems);
  if (losses.items > 0) {
    parts.logger.error({ readings: losses.items }, 'journaled readings were lost: counted as dropped, under (journal)');
  }
  return { replayed, unreadable };
}

/** Replays a record, or remembers its readings but the first `skip`; undefined when it cannot be understood. */
function replayRecord(parts: RecoveryParts, record: LogRecord, analyse: boolean, skip: number): number | undefined {
  try {
    if (record.payload[0] === RecordKind.command) {
      if (analyse) parts.apply(decodeCommand(record.payload));
      return 0;
    }
    const { readings, homeless, marks } = decodeReadings(record.payload, (identity, unit) =>
      parts.registry.intern(identity, unit),
    );
    if (analyse && homeless.length > 0) dropHomeless(parts, record.offset, homeless);
    parts.passed(record.offset, readings.length);
    if (analyse) for (const change of marks) parts.marks.apply(change);
    if (analyse) analyseAgain(parts, readings);
    else parts.analysis.remember(readings.slice(skip));
    return readings.length;
  } catch (error) {
    parts.logger.error(
      { offset: record.offset, items: record.items, reason: messageOf(error) },
      'journal record passed over: it cannot be understood',
    );
    return undefined;
  }
}

/** Readings whose series has no room any more. */
function dropHomeless({ ledger, logger }: RecoveryParts, offset: Offset, homeless: readonly Homeless[]): void {
  for (const { source, device } of homeless) ledger.drop(ledger.row(source), device, 1);
  logger.warn({ offset, homeless: homeless.length }, 'journaled readings dropped: storage.maxSeries was lowered');
}

function analyseAgain(parts: RecoveryParts, readings: readonly Reading[]): void {
  for (const { source, series } of readings) parts.ledger.admit(parts.ledger.row(source), series);
  parts.analysis.process(readings);
}
