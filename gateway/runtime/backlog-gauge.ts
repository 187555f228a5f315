import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { SinkBacklog } from '../core/view.ts';
import { BacklogOutlook } from './backlog.ts';
import { BacklogAge } from './backlog-age.ts';
import type { PendingRange, PendingRanges } from './pending-ranges.ts';

/** Items of pending ranges that are kept, and those that the log has dropped from their front. */
export interface PendingItems {
  readonly pending: number;
  readonly lost: number;
}

/** Measures what of a log is still to be delivered: how much it is, how old, and what will become of it. */
export class BacklogGauge {
  readonly age: BacklogAge;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #outlook = new BacklogOutlook();

  constructor(log: Log, clock: Clock) {
    this.age = new BacklogAge(clock);
    this.#log = log;
    this.#clock = clock;
  }

  /** Takes a look, from which it learns how the backlog grows and shrinks. */
  look(ranges: PendingRanges): void {
    this.#outlook.look(this.#clock.monotonicMs(), this.items(ranges).pending, this.#bytes(ranges));
  }

  /** How the backlog stands. @param flows whether the sink takes what it is given: only then can a drain be foretold */
  read(ranges: PendingRanges, flows: boolean): SinkBacklog {
    this.look(ranges);
    const status = this.#log.status();
    const { pending: items } = this.items(ranges);
    const recordsOf = ({ from, to }: PendingRange) =>
      Math.max(0, Math.min(to, status.nextOffset) - Math.max(from, status.firstOffset));
    return {
      records: ranges.oldestFirst().reduce((sum, range) => sum + recordsOf(range), 0),
      items,
      bytes: this.#bytes(ranges),
      oldestAgeMs: items === 0 ? null : this.age.ms(),
      drainSeconds: flows || items === 0 ? this.#outlook.drainSeconds(items) : null,
      fullInSeconds: this.#outlook.fullInSeconds(status, ranges.oldest.from),
    };
  }

  /** What is pending of ranges, and what is lost of it already. */
  items(ranges: PendingRanges): PendingItems {
    const { appendedItems, firstOffset, firstOrdinal } = this.#log.status();
    let pending = 0;
    let lost = 0;
    for (const { from, ordinal, endOrdinal } of ranges.oldestFirst()) {
      const end = Math.min(endOrdinal, appendedItems);
      const firstKept = from < firstOffset ? Math.min(Math.max(firstOrdinal, ordinal), end) : ordinal;
      lost += firstKept - ordinal;
      pending += end - firstKept;
    }
    return { pending, lost };
  }

  #bytes(ranges: PendingRanges): number {
    return ranges.oldestFirst().reduce((sum, { from, to }) => {
      const behind = to === Number.POSITIVE_INFINITY ? 0 : this.#log.kept(to).bytes;
      return sum + this.#log.kept(from).bytes - behind;
    }, 0);
  }
}
