import { MarkTable } from '../../gateway/base/mark-table.ts';
import { SeriesRegistry } from '../../gateway/base/series-registry.ts';
import type { EpochMs } from '../../gateway/core/clock.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { Quality } from '../../gateway/core/quality.ts';
import type { Series, SeriesIdentity, Value } from '../../gateway/core/reading.ts';

export interface RecordedReading {
  readonly series: Series;
  readonly value: Value;
  readonly quality: Quality;
  readonly sourceTime: EpochMs | undefined;
  readonly receiveTime: EpochMs;
}

export interface RecordedRejection {
  readonly subject: string;
  readonly reason: string;
  readonly payload: Uint8Array;
}

/** An intake that remembers what it was given, and acknowledges at once or when the test says so. */
export class RecordingIntake implements Intake {
  readonly readings: RecordedReading[] = [];
  readonly rejections: RecordedRejection[] = [];
  readonly registry: SeriesRegistry;
  /** Acknowledgements that the test has not released yet; only with `hold`. */
  readonly held: (() => void)[] = [];
  /** Keep acknowledgements back until `release`. */
  hold = false;
  /** Why a value is refused, as the normaliser of the gateway would. */
  judge: (value: Value) => string | undefined = () => undefined;

  constructor(maxSeries?: number) {
    this.registry = new SeriesRegistry(maxSeries);
  }

  readonly marks = new MarkTable({ maxMarks: 1000, maxMarksPerPeer: 1000 });

  series(identity: SeriesIdentity, unit?: string): Series | string {
    return this.registry.intern(identity, unit);
  }

  reading(
    series: Series,
    value: Value,
    quality: Quality,
    sourceTime: EpochMs | undefined,
    receiveTime: EpochMs,
  ): string | undefined {
    const problem = this.judge(value);
    if (problem === undefined) this.readings.push({ series, value, quality, sourceTime, receiveTime });
    else this.reject(series.key, problem, new Uint8Array());
    return problem;
  }

  reject(subject: string, reason: string, payload: Uint8Array): void {
    this.rejections.push({ subject, reason, payload: Uint8Array.from(payload) });
  }

  acknowledge(done: () => void): void {
    if (this.hold) this.held.push(done);
    else setImmediate(done);
  }

  /** Acknowledges what was kept back, in order, and from now on at once. */
  release(): void {
    this.hold = false;
    for (const done of this.held.splice(0)) done();
  }

  /** Readings as `key=value`, which reads well in a test. */
  summary(): readonly string[] {
    return this.readings.map(({ series, value }) => `${series.key}=${value}`);
  }
}
