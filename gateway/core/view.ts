import type { AlarmOperations, AlarmsStatus } from './alarm.ts';
import type { EpochMs } from './clock.ts';
import type { DetectorCounts } from './detector.ts';
import type { Inspection } from './inspection.ts';
import type { Rejected } from './intake.ts';
import type { ComponentState } from './lifecycle.ts';
import type { LogStatus } from './log.ts';
import type { MaintenanceRow } from './maintenance.ts';
import type { Bound, MemoryReading } from './memory.ts';
import type { QualityName } from './quality.ts';
import type { Value } from './reading.ts';
import type { Result } from './result.ts';
import type { AggregateQuery, AggregateRow } from './sink.ts';
import type { SourceStatus } from './source.ts';
import type { GateCounts } from './stage.ts';

/** The read-mostly port through which the API sees the running gateway. */
export interface GatewayView {
  status(): GatewayStatus;
  /** Reasons why data cannot be accepted and kept just now; empty when ready. */
  notReady(): readonly string[];
  /** Where every reading ended, with at most `limit` groups. */
  ledgerReport(limit: number): LedgerReport;
  series(): readonly SeriesStatus[];
  /** Raw readings still held in memory, oldest first. Undefined for an unknown series. */
  readings(query: ReadingsQuery): readonly ReadingRow[] | undefined;
  aggregates(query: AggregateQuery): readonly AggregateRow[];
  /** The alarms, and what a person does with them. */
  readonly operations: AlarmOperations;
  /** What was set aside, newest first. */
  deadLetters(limit: number): Promise<readonly Rejected[]>;
  /** Calls `listener` for everything that happens from now on; returns how to stop. */
  subscribe(listener: (event: LiveEvent) => void): () => void;
  /** A look into the pipeline. */
  readonly inspection: Inspection;
  /** Live events are given up while memory is short. */
  readonly liveIsOff: boolean;
  /** The running configuration as YAML with secrets hidden. */
  configuration(): string;
}

/**
 * A live event; readings come in batches, at most a few times a second for each series. `off` is the last one: live events are given up, and
 * whoever listens no longer does.
 */
export type LiveEvent =
  | { readonly topic: 'off' }
  | { readonly topic: 'readings'; readonly data: readonly LiveReading[] }
  | { readonly topic: 'aggregates' | 'alarms'; readonly data: Result }
  | { readonly topic: 'status'; readonly data: GatewayStatus };

/** A reading of the live stream. */
export interface LiveReading extends ReadingRow {
  /** Key of the series. */
  readonly series: string;
}

/** A reading as people are shown it. */
export interface ReadingRow {
  readonly sourceTime: EpochMs;
  readonly value: Value;
  readonly quality: QualityName;
  /** True when a detector called it an anomaly. */
  readonly anomaly: boolean;
}

/** Which raw readings to look up. */
export interface ReadingsQuery {
  /** Key of a series. */
  readonly series: string;
  /** Not before this source time. */
  readonly from?: EpochMs | undefined;
  /** Before this source time. */
  readonly to?: EpochMs | undefined;
  /** At most this many, the newest. */
  readonly limit: number;
}

/** How a series stands just now. */
export interface SeriesStatus {
  readonly key: string;
  readonly device: string;
  readonly metric: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly unit: string | null;
  /** The newest reading that is remembered. */
  readonly last: ReadingRow | null;
  /** Readings that are not duplicates, since the process started; those that a restart found in the journal included. */
  readonly receivedTotal: number;
  /** Readings a second over about the last ten seconds. */
  readonly rate: number;
  /** Of its device, or its own where only windows use it that readings end; null before the first reading of a window. */
  readonly watermark: EpochMs | null;
  /** How far readings may be out of order just now, given or learnt; null before the first reading of a window. */
  readonly outOfOrdernessMs: number | null;
  /**
   * How far the clock of its device is ahead of the gateway's, in milliseconds: the most by which the time of a reading of the last minutes was
   * ahead of its receive time. Negative where all came later; null where none had a time of its own since the process started.
   */
  readonly skewMs: number | null;
}

/** How many readings ended in which fate; `received` is always the sum of the others. */
export interface LedgerCounts {
  readonly received: number;
  readonly inFlight: number;
  readonly aggregated: number;
  readonly filtered: number;
  readonly duplicate: number;
  readonly late: number;
  readonly rejected: number;
  readonly dropped: number;
}

/** How a table stands. */
export interface TableStatus {
  readonly name: string;
  readonly rows: number;
  /** Why its file is not taken, and it stays as it was; null where it is. */
  readonly problem: string | null;
}

/** How the readings of one derivation or join stand. */
export interface DerivedStatus {
  /** As in the ledger: `derive:` or `join:` and its name. */
  readonly name: string;
  /** Series it has made. */
  readonly series: number;
  /** Of what it has derived; rejected is what could not be computed. */
  readonly ledger: LedgerCounts;
  /** Why the last of those could not be computed, since the process started; null where there was none. */
  readonly lastProblem: string | null;
}

/** A row of the ledger, and what it misses. */
export interface NamedCounts extends LedgerCounts {
  readonly name: string;
  /** `received` less the sum of the others: 0, or readings were lost uncounted. */
  readonly imbalance: number;
}

/** The ledger in full: the same readings by source, and by device. */
export interface LedgerReport {
  readonly total: LedgerCounts & { readonly imbalance: number };
  readonly sources: readonly NamedCounts[];
  /** Those first of which most readings did not go into an aggregate, then the busiest. */
  readonly groups: readonly NamedCounts[];
  /** How many groups there are, shown or not. */
  readonly groupCount: number;
}

/**
 * How many results ended in which fate for one sink; `received` is always the sum of the others. Counted since the sink was first configured,
 * across restarts; a batch that is sent twice, because a crash came between, counts once.
 */
export interface SinkCounts {
  /** Results that were meant for it. */
  readonly received: number;
  /** Stored by it. */
  readonly delivered: number;
  /** Refused for ever; each is a dead letter. */
  readonly rejected: number;
  /** Without a place in it, such as acknowledgements of alarms in InfluxDB. */
  readonly filtered: number;
  /** Not sent because a later revision of the same window had gone before. */
  readonly superseded: number;
  /** Lost to a full buffer, or to damage, before the sink took them. */
  readonly dropped: number;
  /** Still to be delivered. */
  readonly pending: number;
}

/** How a sink, and the forwarder that feeds it, stand just now. */
export interface SinkStatus {
  readonly name: string;
  readonly type: string;
  readonly state: ComponentState;
  /** One sentence for a person: what it is doing, or what is wrong and how to mend it. */
  readonly detail: string;
  readonly ledger: SinkCounts & {
    /** `received` less the sum of the others: 0, or results were lost uncounted. */
    readonly imbalance: number;
  };
  /** As in the ledger. */
  readonly deliveredTotal: number;
  /** As in the ledger. */
  readonly rejectedTotal: number;
  /** Batches it did not take, and that were or will be sent again; since the process started. */
  readonly failedAttemptsTotal: number;
  readonly backlog: SinkBacklog;
}

/** What waits for a sink. */
export interface SinkBacklog {
  readonly records: number;
  /** Results in these records. */
  readonly items: number;
  /** What they take on disk. */
  readonly bytes: number;
  /** How long the oldest has been waiting, in milliseconds; null when none does. */
  readonly oldestAgeMs: number | null;
  /** Seconds until the backlog is gone as it has shrunk lately; null when it does not shrink. */
  readonly drainSeconds: number | null;
  /** Seconds until there is no room for more as it has grown in the last minutes; 0 when there is none, null when it does not grow. */
  readonly fullInSeconds: number | null;
}

/**
 * How far the clock of the system is trusted. `synchronised`: by the word of a time service; `believed`: it may be right, and nobody says
 * that it is not; `waiting`: a time service has not set it yet; `unset`: it says a time that is over.
 */
export type ClockState = 'synchronised' | 'believed' | 'waiting' | 'unset';

/** What is known of the time. The totals of steps count since the process started. */
export interface ClockStatus {
  readonly state: ClockState;
  /** One sentence for a person: what is believed and why, or how to mend it. */
  readonly detail: string;
  /** Who was asked and has answered. */
  readonly source: string;
  /** How often the clock was set while the gateway ran. */
  readonly steppedTotal: number;
  /** By how much the last time, in milliseconds; null when it never was. */
  readonly lastStepMs: number | null;
  /** Readings without a time of their own that wait until the time is known. */
  readonly provisionalReadings: number;
  /** Readings that have kept an estimated time, since the storage was begun; they count as uncertain. */
  readonly markedTotal: number;
}

/** What readings tell of the clocks of devices. */
export interface DeviceClocksStatus {
  /** Devices whose clock is more than five seconds ahead of the gateway's. */
  readonly aheadCount: number;
  /** At most 20 of them, the furthest ahead first. */
  readonly ahead: readonly DeviceClockAhead[];
  /** Readings too far ahead to be believed, since the process started: they got the time at which they came, and are uncertain. */
  readonly restampedTotal: number;
}

/** A device whose clock is ahead. */
export interface DeviceClockAhead {
  /** As in the ledger. */
  readonly device: string;
  /** By how much at least, by its readings of the last minutes. */
  readonly skewMs: number;
  /** Its part of `restampedTotal`. */
  readonly restampedTotal: number;
}

/** Normal; tight: live data and new series are given up; critical: sources wait too. */
export type MemoryState = 'normal' | 'tight' | 'critical';

/** How short memory is, and what is given up for it. */
export interface SheddingStatus extends MemoryReading {
  readonly state: MemoryState;
  /** The steps in their order: whether it is taken just now, and how often it was since the start. */
  readonly shedding: readonly { readonly name: string; readonly active: boolean; readonly total: number }[];
}

/** The newest checkpoint. */
export interface CheckpointStatus {
  /** Offset in the journal that it covers. */
  readonly offset: number;
  /** Wall time at which it was written; null when none ever was. */
  readonly at: EpochMs | null;
  /** Milliseconds since then; by the monotonic clock where this process has written it. */
  readonly ageMs: number | null;
  readonly bytes: number;
}

/** How the whole gateway stands just now. */
export interface GatewayStatus {
  readonly name: string;
  readonly version: string;
  readonly state: ComponentState;
  /** Wall time of the start of this process. */
  readonly startedAt: EpochMs;
  /** Milliseconds since then, by the monotonic clock. */
  readonly uptimeMs: number;
  /** Wall time of this status. */
  readonly now: EpochMs;
  readonly clock: ClockStatus;
  readonly deviceClocks: DeviceClocksStatus;
  readonly sources: readonly (SourceStatus & { name: string; type: string; ledger: LedgerCounts })[];
  readonly sinks: readonly SinkStatus[];
  /** The sum over all sources. */
  readonly ledger: LedgerCounts;
  readonly journal: LogStatus;
  /** Alarms on their way to the sinks. */
  readonly alarmOutbox: LogStatus;
  /** All other results on their way to the sinks. */
  readonly outbox: LogStatus;
  readonly checkpoint: CheckpointStatus;
  /** What each rule of the reduction let go on, and what not, since the storage was begun. */
  readonly reduction: readonly GateCounts[];
  /** What is known of devices beside their readings, in the order of the configuration. */
  readonly tables: readonly TableStatus[];
  /** What is derived from readings, by derivations and joins in the order of the configuration. */
  readonly derived: readonly DerivedStatus[];
  /** All detectors of all series. */
  readonly detectors: DetectorCounts;
  /** Alarms that are raised and not cleared. */
  readonly activeAlarms: number;
  readonly alarms: AlarmsStatus;
  /** What is in maintenance just now. */
  readonly maintenance: readonly MaintenanceRow[];
  /** Series known, how many there may be, and how often a further one was refused since the start. */
  readonly series: { readonly count: number; readonly max: number; readonly refusedTotal: number };
  readonly memory: SheddingStatus & {
    /** What the parts of the gateway hold in memory, and the most they can. */
    readonly bounds: readonly Bound[];
  };
}
