import type { ShelvedCondition } from '../../core/alarm.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { AlarmEvent } from '../../core/result.ts';

/** So much can be shelved at a time: more is a case for the configuration. */
export const MAX_SHELVED = 1_000;

/** What is shelved: the alarm by which it is known, and for how long. */
export interface Shelved {
  /** The last alarm of the condition, as it was raised. */
  readonly raised: AlarmEvent;
  readonly by: string;
  readonly reason: string;
  /** Wall time. */
  readonly until: EpochMs;
}

/** What can be in alarm again and again: a rule on a series. It is known by the ids of its alarms, without their times. */
export function conditionOf(alarmId: string): string {
  return alarmId.slice(0, alarmId.lastIndexOf('@'));
}

/** The conditions that operators have put aside, each for a time of its own (ISA-18.2: no shelving without an end). */
export class Shelf {
  #shelved = new Map<string, Shelved>();
  #nextDue = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#shelved.size;
  }

  /** When the first of them is due; +∞ where there is none. */
  get nextDue(): EpochMs {
    return this.#nextDue;
  }

  /** The one that an alarm belongs to. */
  get(alarmId: string): Shelved | undefined {
    return this.#shelved.get(conditionOf(alarmId));
  }

  /** Puts one aside, or for longer; false where there is no room. */
  put(shelved: Shelved): boolean {
    const condition = conditionOf(shelved.raised.id);
    if (!this.#shelved.has(condition) && this.#shelved.size >= MAX_SHELVED) return false;
    this.#shelved.set(condition, shelved);
    this.#seekNextDue();
    return true;
  }

  /** The condition has a new alarm, by which it is known from now on. */
  renew(raised: AlarmEvent): void {
    const shelved = this.get(raised.id);
    if (shelved !== undefined) this.#shelved.set(conditionOf(raised.id), { ...shelved, raised });
  }

  /** Takes one back; undefined where it is not shelved. */
  take(alarmId: string): Shelved | undefined {
    const shelved = this.get(alarmId);
    this.#shelved.delete(conditionOf(alarmId));
    this.#seekNextDue();
    return shelved;
  }

  /** Takes back the one that has been due the longest at `now`, if any is. */
  takeDue(now: EpochMs): Shelved | undefined {
    let first: Shelved | undefined;
    for (const shelved of this.#shelved.values()) {
      if (shelved.until <= now && (first === undefined || shelved.until < first.until)) first = shelved;
    }
    return first && this.take(first.raised.id);
  }

  /** The wall clock was set: nothing is due sooner, or later, by that. */
  step(byMs: number): void {
    for (const [condition, shelved] of this.#shelved) {
      this.#shelved.set(condition, { ...shelved, until: shelved.until + byMs });
    }
    this.#seekNextDue();
  }

  list(): readonly ShelvedCondition[] {
    return [...this.#shelved.values()].map(({ raised, by, reason, until }) => {
      return { id: raised.id, series: raised.series.key, by, reason, until };
    });
  }

  snapshot(): readonly Shelved[] {
    return [...this.#shelved.values()];
  }

  /** @throws GatewayError where it is no snapshot of a shelf */
  restore(snapshot: unknown): void {
    if (!Array.isArray(snapshot)) throw new GatewayError('Cannot restore what is shelved: its snapshot is no list');
    this.#shelved = new Map((snapshot as readonly Shelved[]).map((one) => [conditionOf(one.raised.id), one]));
    this.#seekNextDue();
  }

  /** Once for each change, as it is asked for with each reading. */
  #seekNextDue(): void {
    this.#nextDue = Number.POSITIVE_INFINITY;
    for (const { until } of this.#shelved.values()) this.#nextDue = Math.min(this.#nextDue, until);
  }
}
