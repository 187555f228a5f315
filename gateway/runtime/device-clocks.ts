import type { EpochMs } from '../core/clock.ts';
import { deviceKey, type Series } from '../core/reading.ts';
import type { DeviceClocksStatus } from '../core/view.ts';

/** A reading that came sooner tells more of a clock than one that was long on its way: the best of so much receive time counts, and of as much before. */
const PERIOD_MS = 300_000;
/** A clock further ahead is told of: less is what networks and time services leave. */
const TOLD_MS = 5_000;
const MAX_TOLD = 20;

/** What readings have told of one clock. */
class DeviceClock {
  readonly device: string;
  #periodStart: EpochMs = Number.NEGATIVE_INFINITY;
  #leadMs = Number.NEGATIVE_INFINITY;
  #leadBeforeMs = Number.NEGATIVE_INFINITY;
  restampedTotal = 0;

  constructor(device: string) {
    this.device = device;
  }

  get skewMs(): number {
    return Math.max(this.#leadMs, this.#leadBeforeMs);
  }

  observe(leadMs: number, receiveTime: EpochMs): void {
    // Also where receive time was set back.
    if (Math.abs(receiveTime - this.#periodStart) >= PERIOD_MS) {
      this.#periodStart = receiveTime;
      this.#leadBeforeMs = this.#leadMs;
      this.#leadMs = leadMs;
    } else if (leadMs > this.#leadMs) this.#leadMs = leadMs;
  }
}

/**
 * How far the clocks of devices are ahead of the gateway's: the most by which the source time of a recent reading was ahead of its receive
 * time. A reading is never received before it was measured, so a clock is at least so far ahead; one that is behind cannot be told from readings that
 * were long on their way. For people only: nothing is decided by it. Since the process started.
 */
export class DeviceClocks {
  readonly #devices = new Map<string, DeviceClock>();
  /** By series id. */
  readonly #bySeries: (DeviceClock | undefined)[] = [];
  #restampedTotal = 0;

  /**
   * A reading with a time of its own has come while it was known what time it is. Hot path.
   * @param isRestamped whether that time was not believed
   */
  observe(series: Series, sourceTime: EpochMs, receiveTime: EpochMs, isRestamped: boolean): void {
    const clock = this.#bySeries[series.id] ?? this.#find(series);
    clock.observe(sourceTime - receiveTime, receiveTime);
    if (!isRestamped) return;
    clock.restampedTotal++;
    this.#restampedTotal++;
  }

  /** By how much the clock of the series' device is ahead, in milliseconds, negative where all came later; undefined before its first reading. */
  skewMs(series: Series): number | undefined {
    return this.#devices.get(deviceKey(series))?.skewMs;
  }

  status(): DeviceClocksStatus {
    const ahead = [...this.#devices.values()].filter(({ skewMs }) => skewMs > TOLD_MS);
    ahead.sort((a, b) => b.skewMs - a.skewMs || (a.device < b.device ? -1 : 1));
    return {
      aheadCount: ahead.length,
      ahead: ahead.slice(0, MAX_TOLD).map(({ device, skewMs, restampedTotal }) => ({ device, skewMs, restampedTotal })),
      restampedTotal: this.#restampedTotal,
    };
  }

  #find(series: Series): DeviceClock {
    const key = deviceKey(series);
    const clock = this.#devices.get(key) ?? new DeviceClock(key);
    this.#devices.set(key, clock);
    // Filled densely, so that V8 keeps the array fast.
    while (this.#bySeries.length < series.id) this.#bySeries.push(undefined);
    this.#bySeries[series.id] = clock;
    return clock;
  }
}
