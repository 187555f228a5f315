import type { MarkChange, MarkTable } from '../base/mark-table.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Intake } from '../core/intake.ts';
import type { Marks } from '../core/marks.ts';
import { Quality } from '../core/quality.ts';
import { deviceKey, type Reading, type Series, type SeriesIdentity, type Value } from '../core/reading.ts';
import type { ClockKeeper } from './clock-keeper.ts';
import type { DeviceClocks } from './device-clocks.ts';
import type { Ledger, LedgerRow } from './ledger.ts';
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
  /** Whether its source time is too far ahead to be believed. */
  readonly isAhead: boolean;
}

/** What the door of a source works with. */
export interface SourceIntakeParts {
  readonly ledger: Ledger;
  readonly normaliser: Normaliser;
  /** Tells what time it is, where that is known. */
  readonly clock: Pick<ClockKeeper, 'isKnown' | 'latest'>;
  readonly deviceClocks: DeviceClocks;
  /** What the sources have noted, as they see it. */
  readonly marks: MarkTable;
  /** The series of an identity, or a sentence why there is none. */
  readonly intern: (identity: SeriesIdentity, unit?: string) => Series | string;
}

/** Where it passes things on to. */
export interface Admits {
  add(reading: Reading): void;
  mark(change: MarkChange): void;
  reject(source: string, subject: string, reason: string, payload: Uint8Array, device?: string): void;
  /** Calls `done` when everything that was passed on before is durable. */
  acknowledge(done: () => void): void;
}

/** The door for one source: checks what comes in, counts it, and passes it on. */
export class SourceIntake implements Intake {
  readonly #source: string;
  readonly #admission: Admits;
  readonly #parts: SourceIntakeParts;
  readonly #row: LedgerRow;
  readonly marks: Marks;

  constructor(source: string, admission: Admits, parts: SourceIntakeParts) {
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
    const { normaliser, clock, deviceClocks } = this.#parts;
    const now = clock.latest(receiveTime);
    const problem = normaliser.normalise(series, value, quality, sourceTime, now);
    if (problem !== undefined) {
      const payload = Buffer.from(JSON.stringify({ value: String(value), sourceTime }));
      this.#reject(series.key, problem, payload, deviceKey(series));
      return problem;
    }
    const ahead = normaliser.isAhead;
    if (sourceTime !== undefined && now !== undefined) deviceClocks.observe(series, sourceTime, now, ahead);
    this.#parts.ledger.admit(this.#row, series);
    this.#admission.add({
      series,
      source: this.#source,
      value: normaliser.value,
      // Marked: the time at which it came is only an estimate of when it was measured.
      quality: ahead && quality === Quality.good ? Quality.uncertain : quality,
      sourceTime: sourceTime ?? receiveTime,
      receiveTime,
      stamped: sourceTime === undefined,
      ahead,
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
