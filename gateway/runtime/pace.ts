/** Spreads items over time, so that no more than a number of them goes in a second. */
export class Pace {
  readonly #maxPerSecond: number;
  #freeAtMs = Number.NEGATIVE_INFINITY;

  constructor(maxPerSecond: number) {
    this.#maxPerSecond = maxPerSecond;
  }

  /** How long the next items have to wait, in milliseconds. @param nowMs monotonic */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#freeAtMs - nowMs);
  }

  /** So many items have gone. @param nowMs monotonic */
  went(items: number, nowMs: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (items * 1000) / this.#maxPerSecond;
  }
}
