import type { EpochMs } from '../core/clock.ts';
import type { WindowAt } from '../core/inspection.ts';
import type { Series } from '../core/reading.ts';
import type { Result } from '../core/result.ts';
import type { Deriver, Emit, Gate, Stage } from '../core/stage.ts';
import type { TableContent } from '../core/table.ts';

/** The alarms as the detection knows them. */
export interface AlarmDesk {
  /** Acknowledges an alarm and emits the step; false when there is no such active alarm. */
  acknowledge(id: string, time: EpochMs, emit: Emit): boolean;
  readonly activeCount: number;
}

/** What is known of devices beside their readings, as the analysis sees it. */
export interface TableDesk {
  /** Puts other content in the place of a table's. */
  replace(name: string, content: TableContent): void;
  /** The content of a table as a replay would have it; undefined where none was told yet. */
  told(name: string): TableContent | undefined;
  /** A result with the tags that tables give its series. */
  tagged(result: Result): Result;
  /** See `Stage`. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

/** The stages of one analysis, and what others ask of them. */
export interface StageSet {
  readonly tables: TableDesk;
  /** Before all of them. */
  readonly gate: Gate;
  /** They see a reading before the stages do, and the stages see what they derive. */
  readonly derivers: readonly Deriver[];
  /** In the order in which a reading passes them, by the names under which their snapshots are kept. */
  readonly byName: Readonly<Record<string, Stage>>;
  readonly alarmDesk: AlarmDesk;
  /** Of its device, or its own where only windows use it that readings end. */
  readonly watermarkOf: (series: Series) => EpochMs | undefined;
  /** How far readings of it, or of its device, may be out of order, in milliseconds. */
  readonly outOfOrdernessOf: (series: Series) => number | undefined;
  /** The windows that hold a time, as far as time alone decides which they are or they are open. */
  readonly windowsAt: (series: Series, time: EpochMs) => readonly WindowAt[];
}
