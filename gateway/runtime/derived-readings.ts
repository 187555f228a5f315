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
  readonly #waiting: Waiting;

  constructor(deriver: Deriver, row: LedgerRow, waiting: Waiting) {
    this.deriver = deriver;
    this.row = row;
    this.#waiting = waiting;
  }

  derive(reading: Reading): void {
    this.#waiting.readings.push(reading);
    this.#waiting.rows.push(this.row);
  }

  fail(reason: string): void {
    this.row.received++;
    this.row.rejected++;
    this.lastProblem = reason;
  }
}

/** Derived readings that have not passed the stages yet, and the rows they are counted in. */
interface Waiting {
  readonly readings: Reading[];
  readonly rows: LedgerRow[];
}

/**
 * The derivers of an analysis. What they derive waits until the reading it comes from has passed all stages, then passes them itself: so no
 * deriver is called while it is at work, and the order is the same whatever is derived from what.
 */
export class DerivedReadings {
  readonly #flows: readonly Outflow[];
  readonly #waiting: Waiting = { readings: [], rows: [] };
  readonly #ledger: Ledger;
  readonly #pass: (reading: Reading) => Fate;

  /** @param pass shows a reading and takes it through the derivers and stages once, without `drain` */
  constructor(derivers: readonly Deriver[], ledger: Ledger, pass: (reading: Reading) => Fate) {
    this.#flows = derivers.map((deriver) => new Outflow(deriver, ledger.derivedRow(deriver.source), this.#waiting));
    this.#ledger = ledger;
    this.#pass = pass;
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
    const { readings, rows } = this.#waiting;
    for (let i = 0; i < readings.length; i++) {
      const reading = readings[i]!;
      this.#ledger.countDerived(rows[i]!, this.#pass(reading));
    }
    readings.length = 0;
    rows.length = 0;
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

  /** See `Stage`. */
  step(now: EpochMs, byMs: number): void {
    for (const flow of this.#flows) flow.deriver.step(now, byMs, flow);
    this.drain();
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
