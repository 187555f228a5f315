import type { EpochMs } from '../../core/clock.ts';
import type { Reading } from '../../core/reading.ts';
import type { Emit } from '../../core/stage.ts';
import type { OpenWindow, OpenWindows } from './open-windows.ts';
import { lateResultOf } from './window-results.ts';

/** Gives a reading that has missed a window, where that is asked for. */
export function giveLate(windows: OpenWindows, reading: Reading, value: number, newest: EpochMs, emit: Emit): void {
  if (!windows.definition.storesLate) return;
  emit(lateResultOf(windows.definition, reading, value, { newest, place: windows.lateCount++ }));
}

/** Gives a reading that a window has taken for those rollups of it that had closed: what is made from these lacks it by that. */
export function giveMissed(
  windows: OpenWindows,
  part: OpenWindow,
  reading: Reading,
  value: number,
  newest: EpochMs,
  emit: Emit,
): void {
  for (const rollup of windows.rollups) {
    const whole = rollup.wholeOf(part);
    if (whole === undefined) giveLate(rollup, reading, value, newest, emit);
    else if (whole.isMissed) giveMissed(rollup, whole, reading, value, newest, emit);
  }
}
