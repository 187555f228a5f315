import type { EpochMs } from './clock.ts';
import type { MaintenanceRow } from './maintenance.ts';
import type { Severity, Suppression } from './result.ts';

/** Every state of an alarm; see `AlarmState`. */
export const ALARM_STATES = [
  'unacknowledged',
  'acknowledged',
  'returned',
  'normal',
  'shelved',
  'suppressed',
  'out-of-service',
] as const;

/**
 * How an alarm stands, in the words of ISA-18.2: active and nobody has seen it; active and seen; over, and nobody has seen it; over and seen.
 * An alarm that would be one of these is `shelved` while an operator has put it aside, and `suppressed` by design while too many come at once;
 * what is in maintenance is `out-of-service`.
 */
export type AlarmState = (typeof ALARM_STATES)[number];

/** An alarm with all its steps so far; see `AlarmEvent`. */
export interface AlarmRow {
  readonly id: string;
  /** Key of the series. */
  readonly series: string;
  readonly device: string;
  readonly metric: string;
  readonly detector: string;
  readonly severity: string;
  readonly priority: number;
  readonly state: AlarmState;
  /** Of the raise; see `AlarmEvent`. */
  readonly score: number;
  /** That raised it. */
  readonly value: number;
  /** Of the raise. */
  readonly message: string;
  readonly raisedAt: EpochMs;
  /** In event time; null while it is active. */
  readonly clearedAt: EpochMs | null;
  /** In wall time; null while nobody has taken it. */
  readonly acknowledgedAt: EpochMs | null;
  /** Who; null where nobody has, or an earlier release did not keep it. */
  readonly acknowledgedBy: string | null;
  readonly group: string | null;
  readonly count: number;
  /** Why nobody was told; null where people were. */
  readonly suppressed: Suppression | null;
  /** Wall time until which it is shelved; null where it is not. */
  readonly shelvedUntil: EpochMs | null;
}

/** The state of an alarm of which no more is known than when it was cleared and acknowledged. */
export function plainState(clearedAt: EpochMs | null, acknowledgedAt: EpochMs | null): AlarmState {
  if (clearedAt === null) return acknowledgedAt === null ? 'unacknowledged' : 'acknowledged';
  return acknowledgedAt === null ? 'returned' : 'normal';
}

/** What an operator does with an alarm, at wall time `time`. */
export interface DeskAction {
  readonly id: string;
  readonly by: string;
  readonly time: EpochMs;
}

/** What an operator puts aside for a time. */
export interface ShelvedCondition {
  /** Of the alarm by which it is known: the last one that it had. */
  readonly id: string;
  readonly series: string;
  readonly by: string;
  readonly reason: string;
  /** Wall time. */
  readonly until: EpochMs;
}

/** How many alarms there are, and what became of those there were. The totals count since the storage was begun. */
export interface AlarmsStatus {
  /** Raised and not cleared, by severity. */
  readonly active: Readonly<Record<Severity, number>>;
  /** Active or over, and seen by nobody yet. */
  readonly unacknowledged: number;
  /** Of those the ones that are over. */
  readonly returned: number;
  /** What is shelved just now. */
  readonly shelved: readonly ShelvedCondition[];
  /** Since when too many come at once; null while they do not. */
  readonly flood: { readonly since: EpochMs; readonly raised: number; readonly suppressed: number } | null;
  /** Alarms raised in ten minutes, on average and at most, in the last day. */
  readonly perTenMinutes: { readonly average: number; readonly most: number };
  readonly raisedTotal: number;
  /** Raised while shelved. */
  readonly shelvedTotal: number;
  /** Raised in a flood, and told to nobody. */
  readonly floodedTotal: number;
  /** That came again and again, and are one since. */
  readonly chatteringTotal: number;
  /** That an operator said were fine. */
  readonly dismissedTotal: number;
  /** Over, seen by nobody, and not listed any more as there were too many. */
  readonly forgottenTotal: number;
}

/** The alarms as a person works with them. What changes something resolves once that is durable. */
export interface AlarmOperations {
  alarms(query: AlarmListQuery): readonly AlarmRow[];
  /** Resolves with undefined where there is no such alarm. */
  acknowledge(id: string, by: string): Promise<AlarmRow | undefined>;
  /**
   * Puts the rule of the alarm aside on its series, for so long; resolves with undefined where there is no such alarm.
   * @throws GatewayError where the time is too long, or too much is shelved
   */
  shelve(id: string, shelving: Shelving): Promise<AlarmRow | undefined>;
  /** Takes it back; resolves with undefined where it is not shelved. */
  unshelve(id: string, by: string): Promise<AlarmRow | undefined>;
  /**
   * What the alarm told of was fine: it is over and seen, and a detector that learns takes it for normal. Resolves with undefined where there
   * is no such open alarm.
   */
  dismiss(id: string, by: string, reason: string): Promise<AlarmRow | undefined>;
  /** What is planned, and what was started and is not over. */
  maintenances(): readonly MaintenanceRow[];
  /**
   * Puts the series that a pattern names into maintenance.
   * @throws GatewayError where the time is too long, or too many are on
   */
  startMaintenance(series: string, settings: Shelving): Promise<MaintenanceRow>;
  /** Ends one before its time; false where it is not on. */
  stopMaintenance(id: string, by: string): Promise<boolean>;
}

/** What an operator says when shelving, or when a maintenance begins. */
export interface Shelving {
  readonly by: string;
  /** Why, for who comes next. */
  readonly reason: string;
  readonly forMs: number;
}

/** Which alarms a person wants to see. */
export interface AlarmListQuery {
  /** `active`: raised and not cleared. `open`: those, and what is over and was seen by nobody. */
  readonly state?: 'active' | 'open' | 'all' | undefined;
  /** Key of a series; every series when undefined. */
  readonly series?: string | undefined;
  /** At most this many, the newest. */
  readonly limit: number;
}
