import type { EpochMs } from '../core/clock.ts';
import { listOf, numberOf } from './snapshot.ts';

/** What was seen is remembered for so much event time, and as long again at the most. */
const PERIOD_MS = 3_600_000;

/** How far readings of a device may be out of order, in milliseconds of event time. */
export interface DisorderBounds {
  readonly leastMs: number;
  readonly mostMs: number;
}

/**
 * How far the readings of one device are out of order: as far as the worst of the last hour or two was, within bounds. What no bound could
 * have waited for teaches nothing: a backlog that is sent afterwards would have everything else wait as long as it may.
 *
 * Source: Mutschler and Philippsen, "Distributed Low-Latency Out-of-Order Event Processing for High Data Rate Sensor Streams", 2013: K-slack with the
 * greatest delay that was seen. Here it is forgotten again.
 */
export class LearntDisorder {
  readonly #bounds: DisorderBounds;
  /** Event time. */
  #periodStart: EpochMs = Number.NEGATIVE_INFINITY;
  #worstMs = 0;
  #worstBeforeMs = 0;
  #allowedMs: number;

  constructor(bounds: DisorderBounds) {
    this.#bounds = bounds;
    this.#allowedMs = bounds.leastMs;
  }

  /** What is allowed just now. */
  get allowedMs(): number {
    return this.#allowedMs;
  }

  /**
   * A reading has come. Hot path.
   * @param newest the greatest source time of its series before; −∞ where there was none
   */
  learn(sourceTime: EpochMs, newest: EpochMs): void {
    if (sourceTime - this.#periodStart >= PERIOD_MS) this.#beginPeriod(sourceTime);
    const disorderMs = newest - sourceTime;
    if (disorderMs <= this.#worstMs || disorderMs > this.#bounds.mostMs) return;
    this.#worstMs = disorderMs;
    this.#allow();
  }

  /** The clock of the device was set back: its next reading begins a new period. */
  beginAnew(): void {
    this.#periodStart = Number.NEGATIVE_INFINITY;
  }

  snapshot(): readonly number[] {
    return [this.#periodStart, this.#worstMs, this.#worstBeforeMs];
  }

  restore(snapshot: unknown): void {
    const [periodStart, worstMs, worstBeforeMs] = listOf(snapshot, WHAT);
    this.#periodStart = numberOf(periodStart, WHAT);
    this.#worstMs = numberOf(worstMs, WHAT);
    this.#worstBeforeMs = numberOf(worstBeforeMs, WHAT);
    this.#allow();
  }

  #beginPeriod(start: EpochMs): void {
    this.#periodStart = start;
    this.#worstBeforeMs = this.#worstMs;
    this.#worstMs = 0;
    this.#allow();
  }

  #allow(): void {
    const { leastMs, mostMs } = this.#bounds;
    this.#allowedMs = Math.max(leastMs, Math.min(mostMs, Math.max(this.#worstMs, this.#worstBeforeMs)));
  }
}

const WHAT = 'how far a device is out of order';
