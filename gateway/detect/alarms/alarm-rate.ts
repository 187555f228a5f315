import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';

const SLOT_MS = 600_000;
/** A day. */
const SLOTS = 144;

/** Counts alarms by stretches of ten minutes over the last day: the measure of ISA-18.2, where 1 is good for one operator and 10 a flood. */
export class AlarmRate {
  /** The newest last; `#newest` is its number, counted from 1970. */
  #counts: number[] = [];
  #newest = 0;
  /** What the wall clock was set by. */
  #setByMs = 0;

  /** One is raised at receive time `now`. */
  add(now: EpochMs): void {
    const slot = this.#slotAt(now);
    if (this.#counts.length === 0) this.#newest = slot - 1;
    const further = Math.max(0, Math.min(slot - this.#newest, SLOTS));
    for (let i = 0; i < further; i++) this.#counts.push(0);
    this.#counts.splice(0, this.#counts.length - SLOTS);
    this.#counts[this.#counts.length - 1]! += 1;
    this.#newest = Math.max(this.#newest, slot);
  }

  /** On average and at most, in a stretch since the first alarm and in the last day, at receive time `now`. */
  at(now: EpochMs): { readonly average: number; readonly most: number } {
    const since = Math.max(0, this.#slotAt(now) - this.#newest);
    const inDay = this.#counts.slice(Math.max(0, this.#counts.length + since - SLOTS));
    if (since >= SLOTS || inDay.length === 0) return { average: 0, most: 0 };
    const sum = inDay.reduce((a, b) => a + b, 0);
    return { average: sum / (inDay.length + since), most: Math.max(...inDay) };
  }

  /** The wall clock was set: no time has passed by that. */
  step(byMs: number): void {
    this.#setByMs += byMs;
  }

  snapshot(): unknown {
    return { counts: [...this.#counts], newest: this.#newest, setByMs: this.#setByMs };
  }

  /** @throws GatewayError where it is no snapshot of a rate */
  restore(snapshot: unknown): void {
    const { counts, newest, setByMs } = (snapshot ?? {}) as Record<string, unknown>;
    if (!Array.isArray(counts) || typeof newest !== 'number' || typeof setByMs !== 'number') {
      throw new GatewayError('Cannot restore how often alarms came: the snapshot has other parts');
    }
    this.#counts = [...(counts as number[])];
    this.#newest = newest;
    this.#setByMs = setByMs;
  }

  #slotAt(now: EpochMs): number {
    return Math.floor((now - this.#setByMs) / SLOT_MS);
  }
}
