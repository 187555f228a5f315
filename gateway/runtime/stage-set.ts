import type { EpochMs } from '../core/clock.ts';
import type { Series } from '../core/reading.ts';
import type { Deriver, Emit, Gate, Stage } from '../core/stage.ts';

/** The alarms as the detection knows them. */
export interface AlarmDesk {
  /** Acknowledges an alarm and emits the step; false when there is no such active alarm. */
  acknowledge(id: string, time: EpochMs, emit: Emit): boolean;
  readonly activeCount: number;
}

/** The stages of one analysis, and what others ask of them. */
export interface StageSet {
  /** Before all of them. */
  readonly gate: Gate;
  /** They see a reading before the stages do, and the stages see what they derive. */
  readonly derivers: readonly Deriver[];
  /** In the order in which a reading passes them, by the names under which their snapshots are kept. */
  readonly byName: Readonly<Record<string, Stage>>;
  readonly alarmDesk: AlarmDesk;
  readonly watermarkOf: (series: Series) => EpochMs | undefined;
}
