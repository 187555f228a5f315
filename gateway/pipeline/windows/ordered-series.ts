import type { EpochMs } from '../../core/clock.ts';
import type { Series } from '../../core/reading.ts';
import type { OrderedWindows } from './ordered-windows.ts';

/** One series, and its windows that readings end. */
export class OrderedSeries {
  readonly series: Series;
  /** One for each definition that means the series. */
  readonly windows: readonly OrderedWindows[];
  /** Greatest source time seen. */
  newest: EpochMs = Number.NEGATIVE_INFINITY;
  /** Whether `newest` was said by the gateway's clock, as the device has none. */
  stamped = false;

  constructor(series: Series, windows: readonly OrderedWindows[]) {
    this.series = series;
    this.windows = windows;
  }

  /** Takes note of how far the series has come. */
  note(sourceTime: EpochMs, stamped: boolean): void {
    if (sourceTime <= this.newest) return;
    this.newest = sourceTime;
    this.stamped = stamped;
  }

  /** Whether it has its times from a clock that was set back to `now`, and was ahead. */
  isAheadOf(now: EpochMs): boolean {
    return this.stamped && this.newest > now;
  }

  /** That clock was set back. */
  beginAnew(): void {
    this.newest = Number.NEGATIVE_INFINITY;
    for (const windows of this.windows) windows.beginAnew();
  }
}
