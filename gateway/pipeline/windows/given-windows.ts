import type { EpochMs } from '../../core/clock.ts';
import type { Emit } from '../../core/stage.ts';
import type { OpenWindow, OpenWindows } from './open-windows.ts';
import type { DeviceState, SeriesState } from './series-state.ts';
import { resultOf } from './window-results.ts';

/**
 * Gives the result of a window if it has changed since the last, or the last was early.
 *
 * @param isEarly whether it comes before the end of the window: then only what has changed is given
 */
export function giveResult(
  state: SeriesState,
  windows: OpenWindows,
  window: OpenWindow,
  emit: Emit,
  isEarly = false,
): void {
  const { definition } = windows;
  if (!window.changed && (isEarly || !window.isPartial)) return;
  const result = resultOf(state.series, definition, window, isEarly, windows.contentOf(window));
  window.changed = false;
  windows.awaitParts(window);
  window.isPartial = isEarly && definition.isEarly;
  window.isGiven = true;
  window.revision++;
  emit(result);
}

/** The watermark has reached what is due in the windows of a device: gives what has ended, and closes what takes no more. */
export function passWindows(device: DeviceState, watermark: EpochMs, emit: Emit): void {
  device.due = Number.POSITIVE_INFINITY;
  for (const state of device.series) {
    for (const windows of state.windows) {
      const { open, definition } = windows;
      let closed = 0;
      for (const window of open) {
        if (window.end > watermark) {
          device.due = Math.min(device.due, window.end);
          break;
        }
        const closes = window.end + definition.latenessMs <= watermark;
        if (closes) closed++;
        else device.due = Math.min(device.due, window.end + definition.latenessMs);
        if (closes || !window.passed) giveResult(state, windows, window, emit);
        window.passed = true;
      }
      if (closed > 0) windows.close(closed);
    }
  }
}

/** Gives up the oldest open window, with what is made of it and has no part any more. */
export function closeOldest(state: SeriesState, windows: OpenWindows, emit: Emit): void {
  giveResult(state, windows, windows.open[0]!, emit);
  windows.close(1);
  // Nothing comes any more for what has no part after those that have closed.
  for (const rollup of windows.rollups) {
    while (rollup.open[0] !== undefined && rollup.open[0].end <= windows.floor) closeOldest(state, rollup, emit);
  }
}
