import type { EpochMs } from './clock.ts';
import type { Rejected } from './intake.ts';
import type { ComponentState } from './lifecycle.ts';
import type { LogStatus } from './log.ts';
import type { QualityName } from './quality.ts';
import type { Value } from './reading.ts';
import type { Result } from './result.ts';
import type { AggregateQuery, AggregateRow, AlarmQuery, AlarmRow } from './sink.ts';
import type { SourceStatus } from './source.ts';

/** The read-mostly port through which the API sees the running gateway. */
export interface GatewayView {
  status(): GatewayStatus;
  /** Reasons why data cannot be accepted and kept just now; empty when ready. */
  notReady(): readonly string[];
  series(): readonly SeriesStatus[];
  /** Raw readings still held in memory, oldest first. Undefined for an unknown series. */
  readings(query: ReadingsQuery): readonly ReadingRow[] | undefined;
  aggregates(query: AggregateQuery): readonly AggregateRow[];
  alarms(query: AlarmQuery): readonly AlarmRow[];
  /** Resolves once the acknowledgement is durable; undefined when there is no such alarm. */
  acknowledgeAlarm(id: string, by: string): Promise<AlarmRow | undefined>;
  /** What was set aside, newest first. */
  deadLetters(limit: number): Promise<readonly Rejected[]>;
  /** Calls `listener` for everything that happens from now on; returns how to stop. */
  subscribe(listener: (event: LiveEvent) => void): () => void;
  /** The running configuration as YAML with secrets hidden. */
  configuration(): string;
}

/** A live event; readings come in batches, at most a few times a second for each series. */
export type LiveEvent =
  | { readonly topic: 'readings'; readonly data: readonly LiveReading[] }
  | { readonly topic: 'aggregates' | 'alarms'; readonly data: Result }
  | { readonly topic: 'status'; readonly data: GatewayStatus };

export interface LiveReading extends ReadingRow {
  readonly series: string;
}

export interface ReadingRow {
  readonly sourceTime: EpochMs;
  readonly value: Value;
  readonly quality: QualityName;
  /** True when a detector called it an anomaly. */
  readonly anomaly: boolean;
}

export interface ReadingsQuery {
  readonly series: string;
  readonly from?: EpochMs | undefined;
  readonly to?: EpochMs | undefined;
  readonly limit: number;
}

export interface SeriesStatus {
  readonly key: string;
  readonly device: string;
  readonly metric: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly unit: string | null;
  readonly last: ReadingRow | null;
  readonly receivedTotal: number;
  /** Readings a second over about the last ten seconds. */
  readonly rate: number;
  readonly watermark: EpochMs | null;
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

export interface SinkStatus {
  readonly name: string;
  readonly type: string;
  readonly state: ComponentState;
  readonly detail: string;
  readonly deliveredTotal: number;
  readonly rejectedTotal: number;
  readonly failedAttemptsTotal: number;
  readonly backlog: {
    readonly records: number;
    /** An estimate from the share of records. */
    readonly bytes: number;
    readonly oldestAgeMs: number | null;
    /** Seconds until the backlog is gone at the present rate; null when unknown. */
    readonly drainSeconds: number | null;
  };
}

export interface GatewayStatus {
  readonly name: string;
  readonly version: string;
  readonly state: ComponentState;
  readonly startedAt: EpochMs;
  readonly uptimeMs: number;
  readonly now: EpochMs;
  readonly sources: readonly (SourceStatus & { name: string; type: string; ledger: LedgerCounts })[];
  readonly sinks: readonly SinkStatus[];
  readonly ledger: LedgerCounts;
  readonly journal: LogStatus;
  readonly outbox: LogStatus;
  readonly checkpoint: { readonly offset: number; readonly at: EpochMs | null; readonly bytes: number };
  readonly activeAlarms: number;
  readonly series: { readonly count: number; readonly max: number };
  readonly memory: { readonly rssBytes: number; readonly heapUsedBytes: number };
}
