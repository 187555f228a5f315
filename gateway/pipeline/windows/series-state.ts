import type { Due } from '../../base/deadline-queue.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Series } from '../../core/reading.ts';
import type { DeviceClock, SeriesClock } from '../watermark.ts';
import type { OpenWindow, OpenWindows } from './open-windows.ts';

/** One series and its open windows. */
export class SeriesState {
  readonly series: Series;
  readonly clock: SeriesClock;
  readonly device: DeviceState;
  /** One for each definition that means the series; what is made of others comes after them. */
  readonly windows: readonly OpenWindows[];
  /** Those that take readings. */
  readonly fed: readonly OpenWindows[];

  constructor(series: Series, clock: SeriesClock, device: DeviceState, windows: readonly OpenWindows[]) {
    this.series = series;
    this.clock = clock;
    this.device = device;
    this.windows = windows;
    const fed = windows.filter(({ definition }) => definition.from === undefined);
    this.fed = fed.length === windows.length ? windows : fed.slice();
  }
}

/** The series of one device. */
export class DeviceState {
  readonly series: SeriesState[] = [];
  /** The least watermark at which a window of the device has something to do. */
  due: EpochMs = Number.POSITIVE_INFINITY;
  /** The watermark that the windows have seen: they do something only when it has moved. */
  seen: EpochMs = Number.NEGATIVE_INFINITY;
  /** When its windows are looked at next if it stays silent; +∞ when that is not planned. */
  surfacesAt: EpochMs = Number.POSITIVE_INFINITY;
  readonly clock: DeviceClock;

  constructor(clock: DeviceClock) {
    this.clock = clock;
  }
}

/** A plan to look at the windows of a silent device. */
export class Surfacing implements Due {
  readonly due: EpochMs;
  readonly order: number;
  readonly device: DeviceState;

  constructor(due: EpochMs, device: DeviceState) {
    this.due = due;
    this.order = device.clock.order;
    this.device = device;
  }
}

/** Every open window of some series, series by series, the oldest first. */
export function* openOf(states: readonly SeriesState[]): Generator<readonly [SeriesState, OpenWindows, OpenWindow]> {
  for (const state of states) {
    for (const windows of state.windows) for (const window of windows.open) yield [state, windows, window];
  }
}
