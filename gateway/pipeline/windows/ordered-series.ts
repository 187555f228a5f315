import type { Due } from '../../base/deadline-queue.ts';
import type { EpochMs } from '../../core/clock.ts';
import { asNumber, type Series, type Value } from '../../core/reading.ts';
import type { Emit } from '../../core/stage.ts';
import { type DisorderBounds, LearntDisorder } from '../learnt-disorder.ts';
import type { OrderedWindows } from './ordered-windows.ts';
import { ReadingQueue, type ReadingTally } from './reading-queue.ts';

/** One series, its windows that readings end, and how far it has come. */
export class OrderedSeries implements Due {
  readonly series: Series;
  /** Place among all series in order of appearance. */
  readonly order: number;
  /** Those that take readings as they come. */
  readonly byArrival: readonly OrderedWindows[];
  /** Those that take them in the order of event time. */
  readonly byTime: readonly OrderedWindows[];
  readonly waiting: ReadingQueue<number | string>;
  readonly disorder: LearntDisorder;
  /** The texts that say a state, each by itself: what waits holds these, and not what a device has sent. */
  readonly #texts: ReadonlyMap<string, string>;
  /** Greatest source time seen. */
  newest: EpochMs = Number.NEGATIVE_INFINITY;
  /** Whether `newest` was said by the gateway's clock, as the device has none. */
  stamped = false;
  /** Receive time of the newest reading. */
  newestAt: EpochMs = Number.NEGATIVE_INFINITY;
  /** Time of the last reading that has had its turn: an older one is late. */
  lastTurn: EpochMs = Number.NEGATIVE_INFINITY;
  /** When to look whether it is silent: never later than when it is; +∞ when that is not planned. */
  due: EpochMs = Number.POSITIVE_INFINITY;

  constructor(
    series: Series,
    order: number,
    windows: readonly OrderedWindows[],
    { waiting, disorder }: { readonly waiting: ReadingTally; readonly disorder: DisorderBounds },
  ) {
    this.series = series;
    this.order = order;
    this.byArrival = windows.filter(({ isByTime }) => !isByTime);
    this.byTime = windows.filter(({ isByTime }) => isByTime);
    this.waiting = new ReadingQueue(waiting);
    this.disorder = new LearntDisorder(disorder);
    this.#texts = new Map(this.byTime.flatMap(({ text }) => (text === undefined ? [] : [[text, text] as const])));
  }

  /** All its windows. */
  get windows(): readonly OrderedWindows[] {
    return [...this.byArrival, ...this.byTime];
  }

  /** What its windows see of a value: any text but those that say a state as `''`; undefined where texts have nothing to do with them. */
  seen(value: Value): number | string | undefined {
    if (typeof value === 'string') return this.#texts.size === 0 ? undefined : (this.#texts.get(value) ?? '');
    return asNumber(value);
  }

  /** Takes note of how far the series has come, and learns how far it is out of order. */
  note(sourceTime: EpochMs, now: EpochMs, stamped: boolean): void {
    this.disorder.learn(sourceTime, this.newest);
    if (sourceTime <= this.newest) return;
    this.newest = sourceTime;
    this.newestAt = now;
    this.stamped = stamped;
  }

  /** Older readings than this are expected to be in, at the receive time `now`: after a silence, all. */
  reached(now: EpochMs, idleTimeoutMs: number): EpochMs {
    return now - this.newestAt >= idleTimeoutMs ? this.newest : this.newest - this.disorder.allowedMs;
  }

  /** Whether it has its times from a clock that was set back to `now`, and was ahead. */
  isAheadOf(now: EpochMs): boolean {
    return this.stamped && this.newest > now;
  }

  /** That clock was set back. Nothing may wait. */
  beginAnew(emit: Emit): void {
    this.newest = Number.NEGATIVE_INFINITY;
    this.lastTurn = Number.NEGATIVE_INFINITY;
    this.disorder.beginAnew();
    for (const windows of this.windows) windows.beginAnew(emit);
  }
}
