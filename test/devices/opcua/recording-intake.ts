import { setImmediate } from 'node:timers';
import { MarkTable } from '../../../gateway/base/mark-table.ts';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import type { Intake } from '../../../gateway/core/intake.ts';
import type { Quality } from '../../../gateway/core/quality.ts';
import type { Series, SeriesIdentity, Value } from '../../../gateway/core/reading.ts';
import type { Logger } from '../../../gateway/core/telemetry.ts';

/** A reading as a source handed it over. */
export interface RecordedReading {
  readonly key: string;
  readonly value: Value;
  readonly quality: Quality;
  readonly sourceTime: number | undefined;
}

/** An intake that keeps everything it is given and acknowledges on the next turn of the event loop. */
export class RecordingIntake implements Intake {
  readonly readings: RecordedReading[] = [];
  readonly rejected: { subject: string; reason: string }[] = [];
  readonly #registry = new SeriesRegistry();
  /** While true, nothing is acknowledged. */
  stuck = false;
  readonly #waiting: (() => void)[] = [];

  readonly marks = new MarkTable({ maxMarks: 1000, maxMarksPerPeer: 1000 });

  series(identity: SeriesIdentity, unit?: string): Series | string {
    return this.#registry.intern(identity, unit);
  }

  reading(series: Series, value: Value, quality: Quality, sourceTime: number | undefined): undefined {
    this.readings.push({ key: series.key, value, quality, sourceTime });
  }

  reject(subject: string, reason: string): void {
    this.rejected.push({ subject, reason });
  }

  acknowledge(done: () => void): void {
    this.#waiting.push(done);
    if (!this.stuck) setImmediate(() => this.release());
  }

  /** Acknowledges what was held back. */
  release(): void {
    for (const done of this.#waiting.splice(0)) done();
  }

  /** The values of one series in order of arrival. */
  of(key: string): RecordedReading[] {
    return this.readings.filter((reading) => reading.key === key);
  }
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
