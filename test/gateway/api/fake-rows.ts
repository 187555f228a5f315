/** What a fake gateway tells of its parts. */
import type { Rejected } from '../../../gateway/core/intake.ts';
import type { LogStatus } from '../../../gateway/core/log.ts';
import type { LedgerCounts, NamedCounts, SinkStatus } from '../../../gateway/core/view.ts';

/** Counts before the first reading. */
export const NO_READINGS: LedgerCounts = {
  received: 0,
  inFlight: 0,
  aggregated: 0,
  filtered: 0,
  duplicate: 0,
  late: 0,
  rejected: 0,
  dropped: 0,
};

/** How a log stands. */
export const LOG: LogStatus = {
  firstOffset: 120,
  firstOrdinal: 97,
  nextOffset: 4200,
  durableOffset: 4199,
  bytes: 1_310_720,
  maxBytes: 2 * 1024 ** 3,
  segments: 3,
  oldestTime: 1_780_000_000_000,
  appendedItems: 1000,
  keptItems: 900,
  droppedItems: 0,
  droppedBySeries: {},
  damagedItems: 3,
  quarantined: 0,
  pendingBytes: 512,
  maxPendingBytes: 67_108_864,
  trouble: undefined,
};

/** How a sink stands that has so many records to deliver. */
export function sinkStatus(name: string, type: string, records: number): SinkStatus {
  return {
    name,
    type,
    state: records > 0 ? 'degraded' : 'running',
    detail: records > 0 ? 'http://localhost:8086 refuses the connection; next attempt in 4 s' : 'up to date',
    ledger: {
      received: 41_210 + 4 * records,
      delivered: 41_200,
      rejected: 2,
      filtered: 5,
      superseded: 3,
      dropped: 0,
      pending: 4 * records,
      imbalance: 0,
    },
    deliveredTotal: 41_200,
    rejectedTotal: 2,
    failedAttemptsTotal: records > 0 ? 17 : 0,
    backlog: {
      records,
      items: 4 * records,
      bytes: records * 720,
      oldestAgeMs: records > 0 ? 93_000 : null,
      drainSeconds: null,
      fullInSeconds: records > 0 ? 10_800 : null,
    },
  };
}

/** A rejected payload for tests. */
export function letter(reason: string, subject: string, payload: string, time: number): Rejected {
  return { origin: 'floor', reason, time, subject, payload: Buffer.from(payload) };
}

/** A row of the ledger by device for tests; what is not told is 0. */
export function groupRow(name: string, counts: Partial<LedgerCounts>): NamedCounts {
  return { ...NO_READINGS, name, imbalance: 0, ...counts };
}
