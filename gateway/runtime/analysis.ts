import type { EpochMs } from '../core/clock.ts';
import type { Reading } from '../core/reading.ts';
import type { Result } from '../core/result.ts';
import { Fate, type Stage } from '../core/stage.ts';
import type { Ledger, LedgerRow } from './ledger.ts';
import type { RecentReadings } from './recent-readings.ts';
import type { StageSet } from './stage-set.ts';

/** Recognises a redelivered reading among the last ones. */
export interface Deduplicator {
  /** At least this many of the last readings are remembered, at most twice as many. */
  readonly capacity: number;
  /** How many are remembered just now: giving just those to a new one makes it equal. */
  readonly remembered: number;
  /** Whether the reading was seen before; remembers it. */
  isDuplicate(reading: Reading): boolean;
}

/** Receive times that go back by more than this tell that the wall clock was set back; less is readings that overtook each other. */
const CLOCK_STEP_MS = 60_000;

/** What the analysis is put together from. */
export interface AnalysisParts {
  readonly deduplicator: Deduplicator;
  /** Makes new stages, all alike. */
  readonly makeStages: () => StageSet;
  readonly ledger: Ledger;
  /** Where the last readings are remembered for people. */
  readonly recent: RecentReadings;
  /** Takes the results, in order, of everything processed until `flush` was called. */
  readonly results: (results: readonly Result[]) => void;
}

/**
 * What happens to readings once they are durable: recognised when seen before, then passed through every stage. Deterministic: the same
 * journal gives the same results, which is what makes a restart a replay.
 */
export class Analysis {
  readonly #deduplicator: Deduplicator;
  readonly #makeStages: () => StageSet;
  #stages: StageSet;
  #stageList: readonly Stage[];
  readonly #ledger: Ledger;
  readonly #recent: RecentReadings;
  readonly #deliver: (results: readonly Result[]) => void;
  readonly #emit = (result: Result): void => {
    this.#results.push(result);
  };
  #results: Result[] = [];
  #receiveTime: EpochMs = 0;
  #wallTime: EpochMs = 0;
  #row: LedgerRow | undefined;
  #rowSource: string | undefined;

  constructor(parts: AnalysisParts) {
    this.#deduplicator = parts.deduplicator;
    this.#makeStages = parts.makeStages;
    this.#stages = parts.makeStages();
    this.#stageList = Object.values(this.#stages.byName);
    this.#ledger = parts.ledger;
    this.#recent = parts.recent;
    this.#deliver = parts.results;
  }

  /**
   * The receive time the stages have been advanced to. It never goes back, and goes on when the wall clock was set back: it is ahead of
   * it then, for good. Else nothing that waits for a deadline would be done until the wall clock had caught up, be it years.
   */
  get receiveTime(): EpochMs {
    return this.#receiveTime;
  }

  /** The stages that readings pass. */
  get stages(): StageSet {
    return this.#stages;
  }

  /** The wall time that belongs to `receiveTime`. */
  get wallTime(): EpochMs {
    return this.#wallTime;
  }

  /** Passes durable readings through the stages, in journal order. Each must be counted as in flight already. */
  process(readings: readonly Reading[]): void {
    for (const reading of readings) {
      if (reading.receiveTime !== this.#wallTime) this.#passTo(reading.receiveTime);
      this.#ledger.settle(this.#rowOf(reading.source), reading.series, this.#judge(reading));
    }
    this.#flush();
  }

  /** Lets receive time reach `now` when nothing is in flight, so that what waits for a deadline is done. */
  advance(now: EpochMs): void {
    this.#passTo(now);
    this.#flush();
  }

  /** Only remembers readings that an earlier process has analysed already. */
  remember(readings: readonly Reading[]): void {
    for (const reading of readings) {
      if (!this.#deduplicator.isDuplicate(reading)) this.#recent.add(reading);
    }
  }

  /** Lets a stage do something that emits results, as an acknowledgement does. */
  apply(action: (emit: (result: Result) => void) => void): void {
    action(this.#emit);
    this.#flush();
  }

  snapshot(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this.#stages.byName).map(([name, stage]) => [name, stage.snapshot()]));
  }

  /**
   * Goes on from the snapshots of an earlier process. All or nothing: where one of them cannot be restored this throws, and everything
   * is as it was.
   */
  restore(snapshots: Readonly<Record<string, unknown>>, receiveTime: EpochMs, wallTime: EpochMs): void {
    const stages = this.#makeStages();
    for (const [name, stage] of Object.entries(stages.byName)) {
      if (Object.hasOwn(snapshots, name)) stage.restore(snapshots[name]);
    }
    this.#stages = stages;
    this.#stageList = Object.values(stages.byName);
    this.#receiveTime = receiveTime;
    this.#wallTime = wallTime;
  }

  #judge(reading: Reading): Fate {
    if (this.#deduplicator.isDuplicate(reading)) return Fate.duplicate;
    this.#recent.add(reading);
    let fate: Fate = Fate.filtered;
    for (const stage of this.#stageList) {
      const here = stage.process(reading, this.#emit);
      // A person must learn that a window has missed it, even where a detector has judged it.
      if (here === Fate.late || fate === Fate.filtered) fate = here;
    }
    return fate;
  }

  /** Lets as much time pass as the wall clock did; none where it was set back. */
  #passTo(wallTime: EpochMs): void {
    const passedMs = wallTime - this.#wallTime;
    if (passedMs <= 0 && passedMs >= -CLOCK_STEP_MS) return;
    this.#wallTime = wallTime;
    if (passedMs < 0) return;
    this.#receiveTime += passedMs;
    for (const stage of this.#stageList) stage.advance(this.#receiveTime, this.#emit);
  }

  #flush(): void {
    if (this.#results.length === 0) return;
    const results = this.#results;
    this.#results = [];
    this.#deliver(results);
  }

  #rowOf(source: string): LedgerRow {
    if (this.#row === undefined || this.#rowSource !== source) {
      this.#row = this.#ledger.row(source);
      this.#rowSource = source;
    }
    return this.#row;
  }
}
