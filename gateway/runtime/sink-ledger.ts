import type { SinkCounts } from '../core/view.ts';

/** What became of the results that a sink was given. */
export interface Settled {
  readonly delivered: number;
  readonly rejected: number;
  readonly filtered: number;
  readonly superseded: number;
}

/** What a ledger keeps across restarts, as plain JSON. */
export interface SinkLedgerNote extends Settled {
  /** Items of the log that came before this sink did. */
  readonly origin: number;
  readonly dropped: number;
}

type MutableNote = { -readonly [count in keyof SinkLedgerNote]: SinkLedgerNote[count] };

/**
 * Where every result of one log ended for one sink. What was received the log counts itself, by the ordinals of its records; what
 * became of it is counted here, when the position that covers it is written down.
 */
export class SinkLedger {
  #counts: MutableNote = { origin: 0, delivered: 0, rejected: 0, filtered: 0, superseded: 0, dropped: 0 };

  /** Takes over what `note` gave; false, and nothing happens, where it is not that. */
  restore(note: unknown): boolean {
    if (typeof note !== 'object' || note === null) return false;
    const { origin, delivered, rejected, filtered, superseded, dropped } = note as MutableNote;
    const fates = [delivered, rejected, filtered, superseded, dropped];
    if (!Number.isSafeInteger(origin) || !fates.every((count) => Number.isSafeInteger(count) && count >= 0))
      return false;
    this.#counts = { origin, delivered, rejected, filtered, superseded, dropped };
    return true;
  }

  /** Plain JSON for `restore`. */
  note(): SinkLedgerNote {
    return { ...this.#counts };
  }

  /** Counts what became of a portion. */
  settle({ delivered, rejected, filtered, superseded }: Settled): void {
    this.#counts.delivered += delivered;
    this.#counts.rejected += rejected;
    this.#counts.filtered += filtered;
    this.#counts.superseded += superseded;
  }

  /**
   * Counts the items between where a record was expected and where it is. Fewer than none means that the log has lost its end, with
   * items this sink had seen, and counts them again: they stay received.
   */
  pass(items: number): void {
    if (items > 0) this.#counts.dropped += items;
    else this.#counts.origin += items;
  }

  /** Makes it balance where `ordinal` items of the log are before the position: all it counted was received before that. */
  begin(ordinal: number): void {
    const { delivered, rejected, filtered, superseded, dropped } = this.#counts;
    this.#counts.origin = ordinal - delivered - rejected - filtered - superseded - dropped;
  }

  /**
   * The counts.
   *
   * @param appended items of the log so far
   * @param pending items that are still to be delivered
   * @param lost items that the log has dropped before they could be, and that no `pass` has counted
   */
  counts(appended: number, pending: number, lost: number): SinkCounts {
    const { origin, dropped, ...settled } = this.#counts;
    return { received: appended - origin, ...settled, dropped: dropped + lost, pending };
  }
}

/** What the ledger of a sink misses: 0 when it balances. */
export function sinkImbalance(counts: SinkCounts): number {
  const { received, delivered, rejected, filtered, superseded, dropped, pending } = counts;
  return received - (delivered + rejected + filtered + superseded + dropped + pending);
}

/** The counts of several logs together. */
export function addSinkCounts(some: SinkCounts, others: SinkCounts): SinkCounts {
  return {
    received: some.received + others.received,
    delivered: some.delivered + others.delivered,
    rejected: some.rejected + others.rejected,
    filtered: some.filtered + others.filtered,
    superseded: some.superseded + others.superseded,
    dropped: some.dropped + others.dropped,
    pending: some.pending + others.pending,
  };
}
