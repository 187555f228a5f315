import type { EpochMs } from '../../core/clock.ts';
import type { Emit } from '../../core/stage.ts';
import { closeOldest } from './given-windows.ts';
import type { OpenWindow, OpenWindows, ReplacedWindow } from './open-windows.ts';
import type { DeviceState, SeriesState } from './series-state.ts';
import { emptyResultOf } from './window-results.ts';

/** The windows that hold `time`: opens them where they are not yet, and closes the oldest where there are too many then. */
export function openedAt(state: SeriesState, windows: OpenWindows, time: EpochMs, emit: Emit): readonly OpenWindow[] {
  const { definition } = windows;
  const { device, newest } = state.clock;
  const before = windows.open.length;
  // A series that joins or returns has not moved the watermark of its device: it is late by its own time only.
  const reached = Math.min(device.watermark, newest - device.outOfOrdernessMs);
  const replaced = (window: ReplacedWindow) => emit(emptyResultOf(state.series, definition, window));
  const holding = windows.openAt(time, device.watermark, reached, replaced);
  for (const window of holding) {
    state.device.due = Math.min(state.device.due, windows.dueOf(window));
    expectWholes(state.device, windows, window);
  }
  if (windows.open.length === before || !windows.isOverfull) return holding;
  while (windows.isOverfull) closeOldest(state, windows, emit);
  return windows.openAt(time, device.watermark, reached, replaced);
}

/**
 * Opens what is made of a window, as far as it is not open yet.
 *
 * @param mayOpen whether those of a rollup may be opened
 */
export function expectWholes(device: DeviceState, windows: OpenWindows, part: OpenWindow, mayOpen = always): void {
  if (windows.rollups.length === 0) return;
  const opened = (rollup: OpenWindows, whole: OpenWindow) => {
    device.due = Math.min(device.due, rollup.dueOf(whole));
  };
  windows.openWholes(part, device.clock.watermark, opened, mayOpen);
}

function always(_rollup: OpenWindows): boolean {
  return true;
}
