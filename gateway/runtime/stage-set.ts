import type { AlarmRow, AlarmsStatus, DeskAction, ShelvedCondition } from '../core/alarm.ts';
import type { EpochMs } from '../core/clock.ts';
import type { WindowAt } from '../core/inspection.ts';
import type { MaintenanceRow, StartedMaintenance } from '../core/maintenance.ts';
import type { Bound } from '../core/memory.ts';
import type { Series } from '../core/reading.ts';
import type { AlarmEvent, Result } from '../core/result.ts';
import type { Deriver, Emit, Gate, Stage } from '../core/stage.ts';
import type { TableContent } from '../core/table.ts';

/** Where the alarms of all stages arrive, on their way to people. Deterministic, as the stages are. */
export interface AlarmDesk {
  /** Takes a step of an alarm at receive time `now`; what it makes of it is emitted. */
  take(event: AlarmEvent, now: EpochMs, emit: Emit): void;
  /** See `Stage`. */
  advance(now: EpochMs, emit: Emit): void;
  isDue(now: EpochMs): boolean;
  /** The wall clock was set by so much. */
  step(byMs: number): void;
  /** Notes what an operator does, and emits the step; false when there is no such alarm, or nothing to do. */
  acknowledge(action: DeskAction, emit: Emit): boolean;
  shelve(action: DeskAction, until: EpochMs, reason: string, emit: Emit): boolean;
  unshelve(action: DeskAction, emit: Emit): boolean;
  dismiss(action: DeskAction, reason: string, emit: Emit): boolean;
  /** How many are raised and not cleared. */
  readonly activeCount: number;
  /** An open alarm as it stands at wall time `now`. */
  find(id: string, now: EpochMs): AlarmRow | undefined;
  /** Active alarms, and those that are over and were seen by nobody. */
  open(now: EpochMs): readonly AlarmRow[];
  /** Whether the condition of an alarm is shelved, or there is no room for a further one. */
  shelfOf(id: string): { readonly shelved: ShelvedCondition | undefined; readonly isFull: boolean };
  status(now: EpochMs): AlarmsStatus;
  bounds(maxSeries: number): readonly Bound[];
  /** See `Stage`. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
  /** In the place of `restore` where the checkpoint is of a release that had no desk: what is active beside what the stages know. */
  adopt(further: readonly { readonly raised: AlarmEvent }[]): void;
}

/** When series are in maintenance, and what operators have to say of it. */
export interface MaintenanceDesk {
  /** Begins one; false where there is no room for a further one. */
  start(maintenance: StartedMaintenance): boolean;
  /** Ends one at a time; false where it is not known, or over by then. */
  stop(id: string, time: EpochMs): boolean;
  /** Those that are planned, and those that were started and are not over at `now`. */
  list(now: EpochMs): readonly MaintenanceRow[];
  /** The wall clock was set by so much. */
  step(byMs: number): void;
  bounds(): readonly Bound[];
  /** See `Stage`. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
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
  /** After all of them: what they emit of alarms passes it. */
  readonly alarmDesk: AlarmDesk;
  /** When series are not to be judged. */
  readonly maintenance: MaintenanceDesk;
  /** That of its device, or its own where only windows use it that readings end. */
  readonly watermarkOf: (series: Series) => EpochMs | undefined;
  /** How far readings of it, or of its device, may be out of order, in milliseconds. */
  readonly outOfOrdernessOf: (series: Series) => number | undefined;
  /** The windows that hold a time, as far as time alone decides which they are or they are open. */
  readonly windowsAt: (series: Series, time: EpochMs) => readonly WindowAt[];
}
