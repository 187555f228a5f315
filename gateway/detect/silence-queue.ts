import { DeadlineQueue } from '../base/deadline-queue.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Silence } from '../core/detector.ts';
import type { Series } from '../core/reading.ts';
import type { Emit } from '../core/stage.ts';
import type { Judge } from './judge.ts';

/** More than a file can hold that is read in a reasonable time. */
const MOST_RULES = 65_536;

/** One judge of silence on its series. */
export interface SilenceWatch {
  /** When to look at it: never later than when its silence is too long; +∞ while it is not queued. */
  due: EpochMs;
  readonly order: number;
  readonly series: Series;
  readonly judge: Judge;
  readonly silence: Silence;
}

/**
 * The series whose silence is judged, by when it will be too long, in receive time. A reading puts that off; it is looked up only when the
 * earlier time has come, so a reading costs nothing here. Which silence is told when depends on the readings alone, not on how often it is asked.
 */
export class SilenceQueue {
  readonly #isPaused: (series: Series, time: EpochMs) => boolean;
  readonly #all: SilenceWatch[] = [];
  readonly #queue = new DeadlineQueue<SilenceWatch>();

  /** @param isPaused whether nobody listens to a series at a time */
  constructor(isPaused: (series: Series, time: EpochMs) => boolean = () => false) {
    this.#isPaused = isPaused;
  }

  /** How many silences are judged. */
  get size(): number {
    return this.#all.length;
  }

  /**
   * From now on the silence of this series is judged. Of several that fall silent in one moment the series that appeared first is told first,
   * and of its rules the one that stands first: a restart may find them in another order.
   *
   * @param place of the rule among all
   */
  watch(series: Series, judge: Judge, silence: Silence, place: number): SilenceWatch {
    const order = series.id * MOST_RULES + place;
    const watch = { due: Number.POSITIVE_INFINITY, order, series, judge, silence };
    this.#all.push(watch);
    this.heard(watch);
    return watch;
  }

  /** A reading has come: to be called after its judgement. */
  heard(watch: SilenceWatch): void {
    if (watch.due < Number.POSITIVE_INFINITY) return;
    watch.due = watch.silence.dueAt;
    if (watch.due < Number.POSITIVE_INFINITY) this.#queue.push(watch);
  }

  /** Whether any silence has become too long by `now`. */
  isDue(now: EpochMs): boolean {
    return this.#next(now) !== undefined;
  }

  /** Tells every silence that has become too long by `now`, each at its time, in order of the times. */
  advance(now: EpochMs, emit: Emit): void {
    for (let next = this.#next(now); next !== undefined; next = this.#next(now)) {
      // As of now: a short heartbeat would have come due thousands of times in a long pause.
      if (this.#isPaused(next.series, next.due)) next.silence.listenAgain(now);
      else next.judge.fallSilent(next.series, next.due, emit);
    }
  }

  /** Nobody has listened to a series until `now`, though a reading may have come. */
  pause(watch: SilenceWatch, now: EpochMs): void {
    watch.silence.listenAgain(now);
    this.heard(watch);
  }

  /** See `Silence.listenAgain`. */
  listenAgain(now: EpochMs): void {
    for (const { silence } of this.#all) silence.listenAgain(now);
  }

  /** The wall clock was set, and receive time with it. */
  step(byMs: number): void {
    for (const watch of this.#all) {
      watch.judge.step(byMs);
      // Moving all of them leaves their order in the queue as it is.
      watch.due += byMs;
    }
  }

  /** The first whose silence has become too long by `now`; those that are put off take their later places. */
  #next(now: EpochMs): SilenceWatch | undefined {
    for (let first = this.#queue.peek(); first !== undefined && first.due <= now; first = this.#queue.peek()) {
      const { dueAt } = first.silence;
      if (dueAt === first.due) return first;
      this.#queue.pop();
      first.due = dueAt;
      if (dueAt < Number.POSITIVE_INFINITY) this.#queue.push(first);
    }
    return undefined;
  }
}
