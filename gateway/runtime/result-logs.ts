import type { Log, Offset } from '../core/log.ts';
import type { Result } from '../core/result.ts';
import { encodeResults } from './result-codec.ts';

/** Results in one record at the most. */
const RESULTS_PER_RECORD = 500;
/** A record of more is divided: a log takes none that is larger than a quarter of it. */
const MAX_RECORD_BYTES = 256 * 1024;
/** Results that may wait for the disk before nothing more is let in. */
export const MAX_UNSYNCED_RESULTS = 20_000;

/** What results wait in. */
export interface ResultLogsParts {
  readonly alarmOutbox: Log;
  readonly outbox: Log;
  /** Told when a log can take no more for ever. */
  readonly failed: (error: unknown) => void;
}

/** Positions in both logs. */
export interface ResultPositions {
  readonly alarms: Offset;
  readonly others: Offset;
}

/**
 * Where results wait for the sinks: alarms in a log of their own, so that they outlive everything else when room is short, and never
 * stand behind it.
 */
export class ResultLogs {
  readonly #parts: ResultLogsParts;
  readonly #alarmRecordBytes: number;
  readonly #recordBytes: number;
  #unsynced = 0;
  #sync: Promise<void> = Promise.resolve();

  constructor(parts: ResultLogsParts) {
    this.#parts = parts;
    // Once: a log's status tells what it has dropped by series, and takes as long.
    this.#alarmRecordBytes = mostRecordBytes(parts.alarmOutbox);
    this.#recordBytes = mostRecordBytes(parts.outbox);
  }

  /** Takes results, and has them made durable. */
  append(results: readonly Result[]): void {
    const alarms = results.filter(({ kind }) => kind === 'alarm');
    const others = alarms.length === 0 ? results : results.filter(({ kind }) => kind !== 'alarm');
    appendTo(this.#parts.alarmOutbox, alarms, this.#alarmRecordBytes);
    appendTo(this.#parts.outbox, others, this.#recordBytes);
    this.#unsynced += results.length;
    this.#sync = this.#commitWhatHas(alarms.length > 0, others.length > 0).then(() => {
      this.#unsynced -= results.length;
    }, this.#parts.failed);
  }

  /** Results on their way to the disk. */
  get unsynced(): number {
    return this.#unsynced;
  }

  /** What to wait for before more is let in; undefined when there is room. */
  get backPressure(): Promise<void> | undefined {
    return this.#unsynced > MAX_UNSYNCED_RESULTS ? this.#sync : undefined;
  }

  /** Resolves when everything appended so far is on the medium, whatever the logs promise. */
  async sync(): Promise<void> {
    await Promise.all([this.#parts.alarmOutbox.sync(), this.#parts.outbox.sync()]);
  }

  /** Frees what nobody waits for any more. @param positions of each sink; nothing is freed without any */
  async trim(positions: readonly ResultPositions[]): Promise<void> {
    if (positions.length === 0) return;
    await this.#parts.alarmOutbox.trim(Math.min(...positions.map(({ alarms }) => alarms)));
    await this.#parts.outbox.trim(Math.min(...positions.map(({ others }) => others)));
  }

  async #commitWhatHas(alarms: boolean, others: boolean): Promise<void> {
    const { alarmOutbox, outbox } = this.#parts;
    await Promise.all([...(alarms ? [alarmOutbox.commit()] : []), ...(others ? [outbox.commit()] : [])]);
  }
}

/** A small log takes no record of more than a quarter of it. */
function mostRecordBytes(log: Log): number {
  return Math.min(MAX_RECORD_BYTES, log.status().maxBytes / 8);
}

function appendTo(log: Log, results: readonly Result[], maxBytes: number): void {
  for (let from = 0; from < results.length; from += RESULTS_PER_RECORD) {
    appendRecord(log, results.slice(from, from + RESULTS_PER_RECORD), maxBytes);
  }
}

function appendRecord(log: Log, results: readonly Result[], maxBytes: number): void {
  const record = encodeResults(results);
  if (record.length <= maxBytes || results.length === 1) {
    log.append(record, results.length);
    return;
  }
  const half = Math.ceil(results.length / 2);
  appendRecord(log, results.slice(0, half), maxBytes);
  appendRecord(log, results.slice(half), maxBytes);
}
