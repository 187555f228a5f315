interface Sample {
  readonly atMs: number;
  value: number;
}

const SAMPLE_EVERY_MS = 1_000;
const WINDOW_MS = 240_000;

/** How a quantity has changed over the last minutes. */
export class Trend {
  readonly #samples: Sample[] = [];

  /** Takes a look at the quantity; of those in one second the lowest is kept. @param atMs monotonic */
  note(atMs: number, value: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < SAMPLE_EVERY_MS) last.value = Math.min(last.value, value);
    else this.#samples.push({ atMs, value });
    while (this.#samples[0]!.atMs < atMs - WINDOW_MS) this.#samples.shift();
  }

  /** Change a second between the last look and the one about `ms` before; undefined before there were two. */
  perSecond(ms: number): number | undefined {
    const last = this.#samples.at(-1);
    const first = this.#samples.find(({ atMs }) => last !== undefined && last.atMs - atMs <= ms);
    return last === undefined || first === undefined ? undefined : slope(first, last);
  }

  /**
   * Change a second of the lowest values, over the last four minutes: what comes in bursts and goes again, as the results of windows do,
   * does not count as growth. Undefined in the first minute.
   */
  floorPerSecond(): number | undefined {
    const samples = this.#samples;
    if (samples.length < 2 || samples.at(-1)!.atMs - samples[0]!.atMs < 60_000) return undefined;
    const middle = (samples[0]!.atMs + samples.at(-1)!.atMs) / 2;
    const lowest = (some: readonly Sample[]) => some.reduce((low, one) => (one.value < low.value ? one : low));
    const before = samples.filter(({ atMs }) => atMs < middle);
    const after = samples.filter(({ atMs }) => atMs >= middle);
    return slope(lowest(before), lowest(after));
  }
}

function slope(first: Sample, last: Sample): number | undefined {
  return last.atMs === first.atMs ? undefined : ((last.value - first.value) * 1000) / (last.atMs - first.atMs);
}
