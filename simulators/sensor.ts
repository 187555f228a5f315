import type { Random } from './random.ts';

/** How a simulated quantity behaves when nothing is wrong. */
export interface MetricSpec {
  readonly metric: string;
  readonly unit?: string;
  /** The value it swings about. */
  readonly base: number;
  /** Half the height of its season. @default 0 */
  readonly swing?: number;
  /** Length of the season in milliseconds. @default 60000 */
  readonly seasonMs?: number;
  /** Standard deviation of the white noise. @default 0 */
  readonly noise?: number;
  /** Standard deviation of a slow wander about the base. @default 0 */
  readonly wander?: number;
  /** Time constant of that wander in milliseconds. @default 120000 */
  readonly wanderMs?: number;
  /** Decimals a value is rounded to, as a real transmitter would. @default 3 */
  readonly decimals?: number;
  /** Never below this. */
  readonly min?: number;
}

/** A thing with metrics. */
export interface DeviceSpec {
  readonly device: string;
  readonly metrics: readonly MetricSpec[];
}

/** A simulated quantity: season + slow wander + noise, the same for each run of one seed. */
export class Sensor {
  readonly spec: MetricSpec;
  readonly #random: Random;
  readonly #phase: number;
  #wander = 0;
  #lastMs: number | undefined;

  constructor(spec: MetricSpec, random: Random) {
    this.spec = spec;
    this.#random = random;
    this.#phase = random.next();
  }

  /**
   * How far this quantity normally goes from its base: what faults are measured in.
   */
  get span(): number {
    const { swing = 0, noise = 0, wander = 0, base } = this.spec;
    return swing + 3 * noise + 2 * wander || Math.abs(base) * 0.1 || 1;
  }

  /** The true value at `elapsedMs` since the start; call with ascending times. */
  value(elapsedMs: number): number {
    const { base, swing = 0, seasonMs = 60_000, noise = 0 } = this.spec;
    const season = swing * Math.sin(2 * Math.PI * (elapsedMs / seasonMs + this.#phase));
    return base + season + this.#wandered(elapsedMs) + noise * this.#random.normal();
  }

  /** What the transmitter reports for a value: bounded and rounded. */
  report(value: number): number {
    const { decimals = 3, min } = this.spec;
    const bounded = min === undefined ? value : Math.max(min, value);
    const scale = 10 ** decimals;
    return Math.round(bounded * scale) / scale;
  }

  /** An Ornstein-Uhlenbeck walk, exact for steps of any length. */
  #wandered(elapsedMs: number): number {
    const { wander = 0, wanderMs = 120_000 } = this.spec;
    if (wander === 0) return 0;
    const keep = this.#lastMs === undefined ? 0 : Math.exp(-(elapsedMs - this.#lastMs) / wanderMs);
    this.#lastMs = elapsedMs;
    this.#wander = keep * this.#wander + wander * Math.sqrt(1 - keep * keep) * this.#random.normal();
    return this.#wander;
  }
}
