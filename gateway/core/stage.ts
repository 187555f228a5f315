import type { EpochMs } from './clock.ts';
import type { DetectorCounts } from './detector.ts';
import type { DerivedAt } from './inspection.ts';
import type { Bound } from './memory.ts';
import type { Reading, Series } from './reading.ts';
import type { Result } from './result.ts';

/**
 * What became of a reading in a stage. Every reading ends in exactly one fate, and the ledger counts it: late where any stage
 * came too late, else aggregated where any stage has used it, else filtered.
 */
export const Fate = { aggregated: 0, late: 1, duplicate: 2, filtered: 3 } as const;
export type Fate = (typeof Fate)[keyof typeof Fate];

const FATE_NAMES = Object.keys(Fate) as readonly (keyof typeof Fate)[];

/** A fate as the ledger calls it. */
export function fateName(fate: Fate): keyof typeof Fate {
  return FATE_NAMES[fate]!;
}

/** Takes a result; called synchronously. */
export type Emit = (result: Result) => void;

/** How many readings of the series that a pattern names went on, and how many did not. */
export interface GateCounts {
  readonly series: string;
  readonly passed: number;
  readonly filtered: number;
}

/** What becomes of readings at a gate; called synchronously. */
export interface Doorway {
  /** The stages see it. */
  goOn(reading: Reading): void;
  /** They never do. */
  leaveOut(reading: Reading): void;
}

/** Says of each accepted reading, in journal order, whether the stages see it. Deterministic, as they are. */
export interface Gate {
  /**
   * Calls `doorway` for the reading, or lets it wait for what comes next, and for those that have waited before it. Must not throw, and should not
   * allocate.
   * @param now receive time
   */
  take(reading: Reading, now: EpochMs, doorway: Doorway): void;
  /** At this receive time `release` has something to do, or may; +∞ when nothing waits. */
  readonly nextDue: EpochMs;
  /** Receive time has reached `now`: what has waited so long goes on. */
  release(now: EpochMs, doorway: Doorway): void;
  /** All that waits goes on at once: the clock is set back, and what came before that must not come after it. */
  releaseAll(now: EpochMs, doorway: Doorway): void;
  /** The wall clock was set to `now`, by `byMs`; see `Stage`. */
  step(now: EpochMs, byMs: number): void;
  /** What waits: in flight, and in the snapshot. */
  held(): Iterable<Reading>;
  /** Since the storage was begun, rule by rule. */
  counts(): readonly GateCounts[];
  /** See `Stage`. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

/**
 * A part of the analysis that sees every accepted reading, in journal order, and gives what it makes of them.
 *
 * It is a deterministic function of what it was given: no ambient clock, no randomness. After `restore(snapshot())`
 * it continues as if nothing had happened, so replaying the journal gives the same under the same identities.
 */
interface Operator<Emit> {
  /** Must not keep or change the reading, must not throw, and should not allocate. */
  process(reading: Reading, emit: Emit): Fate;
  /**
   * Receive time has reached `now`. Called before a reading with that receive time is processed, and about once a second
   * when nothing arrives and something is due; but for `step`, `now` never goes back. What is due at a deadline fires in order of the deadlines and must not
   * depend on how often this is called.
   */
  advance(now: EpochMs, emit: Emit): void;
  /** Whether `advance(now)` would do anything but take note of the time. */
  isDue(now: EpochMs): boolean;
  /**
   * The wall clock was set, by `byMs` (not 0), and receive time with it: it is `now`, and no time has passed. What waits for a deadline
   * waits as long as it would have without that. Times that devices say are their own.
   */
  step(now: EpochMs, byMs: number, emit: Emit): void;
  /** Everything needed to go on, as plain data for `v8.serialize` (maps and typed arrays allowed); names series by key. */
  snapshot(): unknown;
  /** What it holds in memory, and the most it can where there are so many series at the most. */
  bounds?(maxSeries: number): readonly Bound[];
  /** What of the snapshot it was restored from it could not take over, as a sentence; undefined where it took all. */
  readonly notRestored?: string | undefined;
  /** Takes over an earlier snapshot; throws a `GatewayError` where it cannot be read. */
  restore(snapshot: unknown): void;
}

/** Makes results of readings. */
export interface Stage extends Operator<Emit> {
  /**
   * Reads what `process` will look for of a series, and changes nothing: see `warm`. @returns a number made of all that was read, so that no
   * compiler leaves it out
   */
  warm?(series: Series): number;
  /** Its detectors; of one that judges several series there is one for each group. */
  readonly detectors?: DetectorCounts;
  /** Whether it judges how long nothing has come. */
  readonly judgesSilence?: boolean;
  /** The gateway took no readings, and does from receive time `now` on: nobody was silent meanwhile. */
  listenAgain?(now: EpochMs): void;
}

/** Where derived readings go; called synchronously, and nothing comes back to the deriver before it has returned. */
export interface Outlet {
  derive(reading: Reading): void;
  /** There should be a derived reading, and there is none. `reason` is a clause for a person. */
  fail(reason: string): void;
}

/** Makes further readings of readings, which all stages and derivers see in turn. */
export interface Deriver extends Operator<Outlet> {
  /** What it is called in the ledger, and the source of its readings: `derive:` or `join:` and a name. */
  readonly source: string;
  /** The receive time at which `advance` has something to do next; +∞ when nothing is due. */
  readonly nextDue: EpochMs;
  /** The series it has made so far. */
  readonly derivedSeries: number;
  /** Where what it makes of a reading of this series and time stands, as far as it has made such a series yet. */
  derivedAt(series: Series, time: EpochMs): readonly DerivedAt[];
}
