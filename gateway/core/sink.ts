import type { AlarmRow } from './alarm.ts';
import type { EpochMs } from './clock.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Result } from './result.ts';

/** A result that a sink refuses for ever. */
export interface Rejection {
  readonly result: Result;
  /** The peer's words, or ours, for a person. */
  readonly reason: string;
}

/** Where results go. */
export interface Sink extends Lifecycle {
  readonly name: string;
  readonly type: string;
  /** False for a result that has no place in this sink: it is not written to it, and counts as filtered. Without it everything has one. */
  stores?(result: Result): boolean;
  /**
   * Stores a batch. Resolved: everything is stored, but for the rejections returned, which are refused for ever and set aside.
   * Rejected with a `SinkError`: nothing may be assumed, the batch is kept and sent again; storing a result twice must be harmless.
   * `signal` aborts the request.
   */
  write(batch: readonly Result[], signal: AbortSignal): Promise<readonly Rejection[]>;
}

/** Why a sink did not take a batch. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  /** `transient`: try again after a back-off. `configuration`: a person must act (credentials, database); tried again at long intervals. */
  readonly kind: 'transient' | 'configuration';
  /** The peer asked to wait this long (Retry-After). */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: { kind: 'transient' | 'configuration'; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.kind = options.kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Raw readings, results and alarms kept on the box for the page and the API. */
export interface History {
  aggregates(query: AggregateQuery): readonly AggregateRow[];
  alarms(query: AlarmQuery): readonly AlarmRow[];
}

/** Which window results to read from the history. */
export interface AggregateQuery {
  /** Key of a series. */
  readonly series: string;
  /** Name of a window; every window when undefined. */
  readonly window?: string | undefined;
  /** Windows that start at or after this. */
  readonly from?: EpochMs | undefined;
  /** Windows that start before this. */
  readonly to?: EpochMs | undefined;
  /** At most this many rows, the newest; answered in ascending order of start. */
  readonly limit: number;
}

/** The last revision of one window of one series, as the history keeps it; see `Aggregate`. */
export interface AggregateRow {
  /** Key of the series. */
  readonly series: string;
  readonly window: string;
  readonly start: EpochMs;
  readonly end: EpochMs;
  readonly revision: number;
  readonly good: number;
  readonly fields: Readonly<Record<string, number>>;
}

/** Which alarms to read from the history. */
export interface AlarmQuery {
  /** `active`: raised and not cleared. */
  readonly state?: 'active' | 'all' | undefined;
  /** Key of a series; every series when undefined. */
  readonly series?: string | undefined;
  /** At most this many, the newest. */
  readonly limit: number;
}
