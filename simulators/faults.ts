/** What can be wrong with a sensor. */
export const FAULT_KINDS = ['spike', 'drift', 'stuck', 'drop-out', 'wrong-clock'] as const;
/** One of `FAULT_KINDS`. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** A fault and when it happens, counted from the start of the simulation. */
export interface FaultSpec {
  readonly device: string;
  readonly metric: string;
  /**
   * `spike`: the value jumps; `drift`: it leaves slowly; `stuck`: it repeats itself; `drop-out`: nothing is sent;
   * `wrong-clock`: the source time is off.
   */
  readonly kind: FaultKind;
  readonly afterMs: number;
  readonly forMs: number;
  /** Happens again at this interval; once when left out. */
  readonly everyMs?: number;
  /**
   * Spike and drift: how far, in the metric's normal spans, at its worst; may be negative. @default 6
   * Wrong clock: by how many milliseconds. @default -21600000 (six hours late)
   */
  readonly size?: number;
}

/** A value on its way out, with the time it will claim. */
export interface Sample {
  value: number;
  timeMs: number;
}

const SIX_HOURS_LATE = -6 * 3_600_000;

/** The faults of one metric, applied to its values one after the other. */
export class Faults {
  readonly #specs: readonly FaultSpec[];
  readonly #span: number;
  #lastGood: number | undefined;

  /** @param span how far the value normally goes from its base: the unit of `size` */
  constructor(specs: readonly FaultSpec[], span: number) {
    this.#specs = specs;
    this.#span = span;
  }

  /** Changes the sample as the faults active at `elapsedMs` do; undefined when nothing is sent at all. */
  apply(sample: Sample, elapsedMs: number): Sample | undefined {
    let stuck = false;
    for (const spec of this.#specs) {
      const progress = progressOf(spec, elapsedMs);
      if (progress === undefined) continue;
      if (spec.kind === 'drop-out') return undefined;
      if (spec.kind === 'stuck') stuck = true;
      else if (spec.kind === 'spike') sample.value += (spec.size ?? 6) * this.#span;
      else if (spec.kind === 'drift') sample.value += (spec.size ?? 6) * this.#span * progress;
      else sample.timeMs += spec.size ?? SIX_HOURS_LATE;
    }
    if (stuck && this.#lastGood !== undefined) sample.value = this.#lastGood;
    else this.#lastGood = sample.value;
    return sample;
  }
}

/** How far a fault has come, 0 to 1, or undefined while it is not active. */
function progressOf(spec: FaultSpec, elapsedMs: number): number | undefined {
  const { afterMs, forMs, everyMs } = spec;
  let since = elapsedMs - afterMs;
  if (since < 0) return undefined;
  if (everyMs !== undefined) since %= everyMs;
  return since < forMs ? since / forMs : undefined;
}
