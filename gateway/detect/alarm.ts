import type { EpochMs } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';

/** When an alarm is raised and cleared. */
export interface AlarmPolicy {
  /** The alarm is cleared by the first normal value at least this long after the last anomaly, in milliseconds of event time. */
  readonly holdMs: number;
  /** Anomalies must last this long without a normal value between before the alarm is raised, in milliseconds of event time. */
  readonly onDelayMs: number;
  /** While the alarm is active a score above `1 - hysteresis` counts as an anomaly; 0 to 1. */
  readonly hysteresis: number;
}

/** What a value did to an alarm. */
export type AlarmStep = 'raised' | 'cleared' | undefined;

/**
 * The life of the one alarm that a rule can have on a series: normal → (delay) → raised → cleared. A pure function of the values
 * and times it was shown.
 *
 * Time is event time only. So an alarm whose series falls silent stays: nothing has shown that the trouble is over, and an operator
 * who comes back must find it.
 */
export class Alarm {
  readonly #policy: AlarmPolicy;
  /** NaN stands for "none" in the times, so that every field stays a number. */
  #firstAnomaly = Number.NaN;
  #lastAnomaly = Number.NaN;
  #raisedAt = Number.NaN;

  constructor(policy: AlarmPolicy) {
    this.#policy = policy;
  }

  /** Raised and not cleared yet. */
  get active(): boolean {
    return !Number.isNaN(this.#raisedAt);
  }

  /** Nothing to remember: neither active nor waiting out its delay. A new alarm is equal to this one. */
  get idle(): boolean {
    return Number.isNaN(this.#firstAnomaly);
  }

  /** Event time of the first anomaly of the stretch that raised it; NaN when idle. */
  get firstAnomaly(): EpochMs {
    return this.#firstAnomaly;
  }

  /** Event time of the latest anomaly, kept after the alarm is cleared; NaN before the first alarm. */
  get lastAnomaly(): EpochMs {
    return this.#lastAnomaly;
  }

  /** Shows it the verdict on the next value; times ascend. */
  judge(anomaly: boolean, score: number, time: EpochMs): AlarmStep {
    return this.active
      ? this.#whileActive(anomaly || score > 1 - this.#policy.hysteresis, time)
      : this.#whileNormal(anomaly, time);
  }

  snapshot(): unknown {
    return [this.#firstAnomaly, this.#lastAnomaly, this.#raisedAt];
  }

  /**
   * @returns when it was acknowledged, which earlier releases noted here; NaN where it was not
   * @throws GatewayError where it is no snapshot of an alarm
   */
  restore(snapshot: unknown): EpochMs {
    const isSnapshot = Array.isArray(snapshot) && (snapshot.length === 3 || snapshot.length === 4);
    if (!isSnapshot || !snapshot.every((part) => typeof part === 'number')) {
      throw new GatewayError('Cannot restore an alarm: its snapshot is not three numbers');
    }
    const [firstAnomaly, lastAnomaly, raisedAt, acknowledgedAt = Number.NaN] = snapshot as [number, number, number];
    this.#firstAnomaly = firstAnomaly;
    this.#lastAnomaly = lastAnomaly;
    this.#raisedAt = raisedAt;
    return acknowledgedAt;
  }

  #whileNormal(anomaly: boolean, time: EpochMs): AlarmStep {
    if (!anomaly) {
      this.#firstAnomaly = Number.NaN;
      return undefined;
    }
    if (Number.isNaN(this.#firstAnomaly)) this.#firstAnomaly = time;
    if (time - this.#firstAnomaly < this.#policy.onDelayMs) return undefined;
    this.#lastAnomaly = time;
    this.#raisedAt = time;
    return 'raised';
  }

  #whileActive(anomaly: boolean, time: EpochMs): AlarmStep {
    if (anomaly) {
      this.#lastAnomaly = time;
      return undefined;
    }
    if (time - this.#lastAnomaly < this.#policy.holdMs) return undefined;
    this.#raisedAt = Number.NaN;
    this.#firstAnomaly = Number.NaN;
    return 'cleared';
  }
}
