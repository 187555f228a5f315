import type { Clock } from '../core/clock.ts';
import type { MemoryProbe, MemoryReading } from '../core/memory.ts';
import type { Logger } from '../core/telemetry.ts';
import type { MemoryState, SheddingStatus } from '../core/view.ts';

/**
 * The order in which load is shed when memory gets short: what people look at first, then growth, then speed; what was acknowledged
 * never. A step begins when the memory in use reaches its share of the limit, and ends only well below, so that it does not flutter.
 */
const STEPS = [
  { name: 'live data', begins: 0.8, ends: 0.7, told: 'live streams and the last raw readings are given up' },
  { name: 'new series', begins: 0.87, ends: 0.77, told: 'new series are refused' },
  { name: 'sources', begins: 0.93, ends: 0.83, told: 'sources wait: one batch is let in every five seconds' },
] as const;

/** A checkpoint copies the state before it is written: so much of the heap that has grown since the start, as measured. */
const SNAPSHOT_PER_STATE = 0.75;

/** Garbage is collected at most this often to learn how much is really in use. */
const COLLECT_EVERY_MS = 10_000;

/** While sources wait, a batch is let in this often: it carries the time forward, so that windows close and give their memory back. */
const TRICKLE_MS = 5_000;

/** What load shedding works with. */
export interface LoadSheddingParts {
  readonly probe: MemoryProbe;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gives live streams and the last raw readings up, or takes them up again. */
  readonly liveData: (on: boolean) => void;
  /** Lets new series in, or no more. */
  readonly newSeries: (on: boolean) => void;
}

/** Sheds load, step by step, before the memory runs out. */
export class LoadShedding {
  readonly #parts: LoadSheddingParts;
  readonly #totals = STEPS.map(() => 0);
  #reading: MemoryReading;
  /** Heap in use at the start: none of it is state. */
  readonly #heapAtStart: number;
  #collectedAt = Number.NEGATIVE_INFINITY;
  /** How many of the steps are taken. */
  #level = 0;
  #waiting: AbortController | undefined;
  #isOver = false;

  constructor(parts: LoadSheddingParts) {
    this.#parts = parts;
    this.#reading = parts.probe.read();
    this.#heapAtStart = this.#reading.heapUsedBytes;
  }

  /** Looks at the memory, and takes or ends steps. Call it many times a second: a flood of new series fills a heap of 100 MB within one. */
  look(): void {
    this.#reading = this.#parts.probe.read();
    if (this.#isDue(this.#share())) this.#collect();
    const share = this.#share();
    while (this.#level < STEPS.length && share >= STEPS[this.#level]!.begins) this.#begin(share);
    while (this.#level > 0 && share < STEPS[this.#level - 1]!.ends) this.#end(share);
  }

  /** What the next batch waits for; undefined when nothing. */
  get backPressure(): Promise<void> | undefined {
    const waiting = this.#waiting;
    return waiting === undefined || this.#isOver ? undefined : this.#parts.clock.sleep(TRICKLE_MS, waiting.signal);
  }

  /** The gateway stops: nothing waits any more, so that everything gets to the disk. */
  over(): void {
    this.#isOver = true;
    this.#waiting?.abort();
  }

  /** How the memory is, as of the last look. */
  status(): SheddingStatus {
    return {
      ...this.#reading,
      state: STATES[this.#level]!,
      shedding: STEPS.map(({ name }, i) => ({ name, active: i < this.#level, total: this.#totals[i]! })),
    };
  }

  /** Whether to find out what is garbage: before a step is taken, and while one is, as an idle process collects none by itself. */
  #isDue(share: number): boolean {
    const next = STEPS[this.#level];
    const mayBegin = next !== undefined && share >= next.begins;
    return (mayBegin || this.#level > 0) && this.#parts.clock.monotonicMs() - this.#collectedAt >= COLLECT_EVERY_MS;
  }

  #collect(): void {
    this.#collectedAt = this.#parts.clock.monotonicMs();
    this.#parts.probe.collect();
    this.#reading = this.#parts.probe.read();
  }

  /** Share of what there is that is in use, or will be when the next checkpoint is written. */
  #share(): number {
    const { rssBytes, rssLimitBytes, heapUsedBytes, heapLimitBytes } = this.#reading;
    const snapshot = Math.max(0, heapUsedBytes - this.#heapAtStart) * SNAPSHOT_PER_STATE;
    return Math.max((heapUsedBytes + snapshot) / heapLimitBytes, rssLimitBytes === null ? 0 : rssBytes / rssLimitBytes);
  }

  #begin(share: number): void {
    const step = STEPS[this.#level]!;
    this.#totals[this.#level]!++;
    this.#level++;
    this.#apply(step.name, false);
    this.#parts.logger.warn(this.#details(share), `memory is short: ${step.told}`);
  }

  #end(share: number): void {
    this.#level--;
    const step = STEPS[this.#level]!;
    this.#apply(step.name, true);
    this.#parts.logger.info(this.#details(share), `memory has room again: no longer so that ${step.told}`);
  }

  #apply(step: (typeof STEPS)[number]['name'], on: boolean): void {
    if (step === 'live data') this.#parts.liveData(on);
    else if (step === 'new series') this.#parts.newSeries(on);
    else this.#hold(!on);
  }

  #hold(sourcesWait: boolean): void {
    this.#waiting?.abort();
    this.#waiting = sourcesWait ? new AbortController() : undefined;
  }

  #details(share: number): object {
    return { ...this.#reading, percent: Math.round(share * 100) };
  }
}

const STATES: readonly MemoryState[] = ['normal', 'tight', 'tight', 'critical'];
