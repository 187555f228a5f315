import type { LogStatus, Offset } from '../core/log.ts';
import type { SinkBacklog } from '../core/view.ts';
import { Trend } from './trend.ts';

/** What a backlog shrinks by is looked at over this long. */
const DRAIN_OVER_MS = 30_000;

/** What will become of a backlog if it goes on as in the last minutes. */
export class BacklogOutlook {
  readonly #items = new Trend();
  readonly #bytes = new Trend();

  /** Takes a look at it. @param nowMs monotonic */
  look(nowMs: number, items: number, bytes: number): void {
    this.#items.note(nowMs, items);
    this.#bytes.note(nowMs, bytes);
  }

  /** Seconds until nothing waits any more; null when it does not shrink. */
  drainSeconds(items: number): number | null {
    if (items === 0) return 0;
    const change = this.#items.perSecond(DRAIN_OVER_MS);
    return change !== undefined && change < 0 ? items / -change : null;
  }

  /** Seconds until its log has no room for more; 0 when it has none, null when the backlog does not grow. @param from where it begins */
  fullInSeconds({ maxBytes, bytes, segments, firstOffset }: LogStatus, from: Offset): number | null {
    const room = maxBytes - bytes;
    if (segments > 1 && from <= firstOffset && room < bytes / segments) return 0;
    const growth = this.#bytes.floorPerSecond();
    return growth === undefined || growth <= 0 ? null : Math.max(0, room / growth);
  }
}

/** The backlogs of two logs as one. */
export function addBacklogs(a: SinkBacklog, b: SinkBacklog): SinkBacklog {
  return {
    records: a.records + b.records,
    items: a.items + b.items,
    bytes: a.bytes + b.bytes,
    oldestAgeMs: larger(a.oldestAgeMs, b.oldestAgeMs),
    drainSeconds: a.drainSeconds === null || b.drainSeconds === null ? null : a.drainSeconds + b.drainSeconds,
    fullInSeconds: smaller(a.fullInSeconds, b.fullInSeconds),
  };
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function smaller(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
