import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';

/** When an alarm is raised and cleared. */
export interface AlarmPolicy {
  /** The off-delay: the alarm is cleared by the first normal value at least this long after the last anomaly, in milliseconds of event time. */
  readonly holdMs: number;
  /** Anomalies must last this long without a normal value between before the alarm is raised, in milliseconds of event time. */
  readonly onDelayMs: number;
  /** The deadband: while the alarm is active a score above `1 - hysteresis` counts as an anomaly; 0 to 1. */
  readonly hysteresis: number;
}

/** What a value did to an alarm. */
export type AlarmStep = 'raised' | 'cleared' | undefined;

/** An alarm that comes for the third time within this chatters, and is one until it has not come for as long (ISA-18.2). */
export const CHATTER_MS = 60_000;

/**
 * The life of the one alarm that a rule can have on a series: normal → (delay) → raised → cleared. A pure function of the values
 * and times it was shown.
 *
 * One that chatters, as it comes for the third time in a minute, is active until it was away for a minute: people are told once, and how often
 * it came.
 *
 * Time is event time only. So an alarm whose series falls silent stays: nothing has shown that the trouble is over, and an operator
 * who comes back must find it.
 */
export class Alarm {
  readonly #policy: AlarmPolicy;
  /** NaN stands for "none" in the times, so that every field stays a number. */
  #firstAnomaly = Number.NaN;
  #lastAnomaly = Number.NaN;
  /** When it came; NaN while it is away, which one that chatters may be for a while though it is active. */
  #cameAt = Number.NaN;
  /** When it came the last two times. */
  #previous = Number.NaN;
  #beforePrevious = Number.NaN;
  #chatters = false;
  #count = 0;

  constructor(policy: AlarmPolicy) {
    this.#policy = policy;
  }

  /** Raised and not cleared yet. */
  get active(): boolean {
    return this.#isHere || this.#chatters;
  }

  /** How often it has come, in the last minute or since: 1, or 3 and more where it chatters or did until it was cleared. */
  get count(): number {
    return this.#count;
  }

  /** Event time of the first anomaly of the stretch that raised it; NaN when there is none. */
  get firstAnomaly(): EpochMs {
    return this.#firstAnomaly;
  }

  /** Event time of the latest anomaly, kept after the alarm is cleared; NaN before the first alarm. */
  get lastAnomaly(): EpochMs {
    return this.#lastAnomaly;
  }

  /** Nothing to remember at `time`: neither active nor waiting out its delay, nor about to chatter. A new alarm is equal to this one. */
  isIdle(time: EpochMs): boolean {
    return Number.isNaN(this.#firstAnomaly) && !this.active && !(time - this.#previous < CHATTER_MS);
  }

  /** Shows it the verdict on the next value; times ascend. */
  judge(anomaly: boolean, score: number, time: EpochMs): AlarmStep {
    const step = this.#isHere
      ? this.#whileHere(anomaly || score > 1 - this.#policy.hysteresis, time)
      : this.#whileAway(anomaly, time);
    if (step === 'raised') return this.#come(time);
    if (!this.#chatters) return step;
    if (this.#isHere || time - this.#lastAnomaly < CHATTER_MS) return undefined;
    this.#chatters = false;
    return 'cleared';
  }

  /** The clock that its times are of was set: no time has passed by that. */
  step(byMs: number): void {
    this.#firstAnomaly += byMs;
    this.#lastAnomaly += byMs;
    this.#cameAt += byMs;
    this.#previous += byMs;
    this.#beforePrevious += byMs;
  }

  snapshot(): unknown {
    const times = [this.#firstAnomaly, this.#lastAnomaly, this.#cameAt, this.#previous, this.#beforePrevious];
    return [...times, Number(this.#chatters), this.#count];
  }

  /**
   * @returns when it was acknowledged, which earlier releases noted here, with four numbers in all; NaN where it was not
   * @throws GatewayError where it is no snapshot of an alarm
   */
  restore(snapshot: unknown): EpochMs {
    const isSnapshot = Array.isArray(snapshot) && (snapshot.length === 7 || snapshot.length === 4);
    if (!isSnapshot || !snapshot.every((part) => typeof part === 'number')) {
      throw new GatewayError('Cannot restore an alarm: its snapshot is not seven numbers');
    }
    const numbers = snapshot as [number, number, number, number, number, number, number];
    [this.#firstAnomaly, this.#lastAnomaly, this.#cameAt, this.#previous] = numbers;
    if (numbers.length === 7) {
      [this.#beforePrevious, this.#count] = [numbers[4], numbers[6]];
      this.#chatters = numbers[5] === 1;
      return Number.NaN;
    }
    this.#previous = this.#cameAt;
    this.#count = 1;
    return numbers[3];
  }

  get #isHere(): boolean {
    return !Number.isNaN(this.#cameAt);
  }

  #come(time: EpochMs): AlarmStep {
    const wasChattering = this.#chatters;
    this.#chatters ||= time - this.#beforePrevious < CHATTER_MS;
    this.#beforePrevious = this.#previous;
    this.#previous = time;
    if (wasChattering) {
      this.#count++;
      return undefined;
    }
    this.#count = this.#chatters ? 3 : 1;
    return 'raised';
  }

  #whileAway(anomaly: boolean, time: EpochMs): AlarmStep {
    if (!anomaly) {
      this.#firstAnomaly = Number.NaN;
      return undefined;
    }
    if (Number.isNaN(this.#firstAnomaly)) this.#firstAnomaly = time;
    if (time - this.#firstAnomaly < this.#policy.onDelayMs) return undefined;
    this.#lastAnomaly = time;
    this.#cameAt = time;
    return 'raised';
  }

  #whileHere(anomaly: boolean, time: EpochMs): AlarmStep {
    if (anomaly) {
      this.#lastAnomaly = time;
      return undefined;
    }
    if (time - this.#lastAnomaly < this.#policy.holdMs) return undefined;
    this.#cameAt = Number.NaN;
    this.#firstAnomaly = Number.NaN;
    return 'cleared';
  }
}
