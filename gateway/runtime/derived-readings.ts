import type { EpochMs } from '../core/clock.ts';
import type { Reading } from '../core/reading.ts';
import { type Deriver, Fate, type Outlet } from '../core/stage.ts';
import type { DerivedStatus } from '../core/view.ts';
import type { Ledger, LedgerRow } from './ledger.ts';

/** A deriver, and where its readings go. */
class Outflow implements Outlet {
  readonly deriver: Deriver;
  readonly row: LedgerRow;
  lastProblem: string | null = null;
  readonly #waiting: Reading[];

  constructor(deriver: Deriver, row: LedgerRow, waiting: Reading[]) {
    this.deriver = deriver;
    this.row = row;
    this.#waiting = waiting;
  }

  derive(reading: Reading): void {
    this.#waiting.push(reading);
  }

  fail(reason: string): void {
    this.row.received++;
    this.row.rejected++;
    this.lastProblem = reason;
  }
}

/**
 * The derivers of an analysis. What they derive waits until the reading it comes from has passed all stages, then passes them itself: so no
 * deriver is called while it is at work, and the order is the same whatever is derived from what.
 */
export class DerivedReadings {
  readonly #flows: readonly Outflow[];
  /** Derived readings that have not been taken on yet. */
  readonly #waiting: Reading[] = [];
  readonly #take: (reading: Reading) => void;

  /** @param take shows a reading and takes it to the gate, without `drain` */
  constructor(derivers: readonly Deriver[], ledger: Ledger, take: (reading: Reading) => void) {
    this.#flows = derivers.map((deriver) => new Outflow(deriver, ledger.derivedRow(deriver.source), this.#waiting));
    this.#take = take;
  }

  /** What the derivers make of a reading waits for `drain`. Hot path. */
  process(reading: Reading): Fate {
    let fate: Fate = Fate.filtered;
    for (let i = 0; i < this.#flows.length; i++) {
      const flow = this.#flows[i]!;
      fate = graver(fate, flow.deriver.process(reading, flow));
    }
    return fate;
  }

  /** Takes what waits through the stages, and what is derived from that in turn. */
  drain(): void {
    const waiting = this.#waiting;
    // Setting a length costs more than a look at it, and most readings have nothing derived from them.
    if (waiting.length === 0) return;
    for (let i = 0; i < waiting.length; i++) this.#take(waiting[i]!);
    waiting.length = 0;
  }

  /** Receive time has reached `now`: what falls due before it is derived in the order of the deadlines, whoever derives it. */
  advance(now: EpochMs): void {
    for (let due = this.nextDue; due <= now; due = this.nextDue) this.#advanceTo(due);
    this.#advanceTo(now);
  }

  /** Of all derivers; +∞ when nothing is due. */
  get nextDue(): EpochMs {
    let next = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#flows.length; i++) next = Math.min(next, this.#flows[i]!.deriver.nextDue);
    return next;
  }

  /**
   * See `Stage`. What a deriver gives as the clock is set back goes to the next ones before these take note of it.
   *
   * @param given called whenever one has given something
   */
  step(now: EpochMs, byMs: number, given: () => void): void {
    for (const flow of this.#flows) {
      flow.deriver.step(now, byMs, flow);
      if (this.#waiting.length === 0) continue;
      this.drain();
      given();
    }
  }

  status(): readonly DerivedStatus[] {
    return this.#flows.map(({ deriver, row, lastProblem }) => ({
      name: deriver.source,
      series: deriver.derivedSeries,
      ledger: { ...row },
      lastProblem,
    }));
  }

  #advanceTo(now: EpochMs): void {
    for (let i = 0; i < this.#flows.length; i++) {
      const flow = this.#flows[i]!;
      flow.deriver.advance(now, flow);
    }
    this.drain();
  }
}

/** The fate of a reading that has had both, in two parts of the analysis: a person must learn that one has missed it, even where another has used it. */
export function graver(before: Fate, here: Fate): Fate {
  return here === Fate.late || before === Fate.filtered ? here : before;
}
