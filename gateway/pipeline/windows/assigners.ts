import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { type CalendarUnit, CalendarWindows } from './calendar-windows.ts';

/** Says which windows hold a time. Windows are half-open, begin and end in the same order, and depend on nothing but the time. */
export interface Assigner {
  /** Two assigners of one form make the same windows. */
  readonly form: readonly (string | number)[];
  /** How many windows hold one time. */
  readonly overlap: number;
  /** The shortest time from the start of one window to the start of the next, in milliseconds. */
  readonly leastStepMs: number;
  /** Start of the newest window that holds `time`: the others began `stepBack` before it, one after the other. */
  startOf(time: EpochMs): EpochMs;
  /** The start of the window before the one that begins at `start`. Needed only where windows overlap. */
  stepBack(start: EpochMs): EpochMs;
  /** The end of the window that begins at `start`. */
  endOf(start: EpochMs): EpochMs;
}

/** The shape of a window: see `makeAssigner`. */
export type WindowShape =
  | { readonly tumblingMs: number }
  | { readonly hoppingMs: number; readonly everyMs: number }
  | { readonly calendar: CalendarUnit; readonly timeZone: string };

/** So many windows at most hold one time: each of them takes every reading. */
export const MAX_OVERLAP = 128;

/**
 * - `tumblingMs`: `[n · size, (n + 1) · size)`, counted from the epoch;
 * - `hoppingMs` with `everyMs`: windows of that size, one of which begins at each multiple of `everyMs`;
 * - `calendar` with `timeZone`: days, weeks from Monday, months or years as they are there.
 *
 * @throws GatewayError for a size, a step or a time zone that is not allowed
 */
export function makeAssigner(shape: WindowShape): Assigner {
  if ('calendar' in shape) return new CalendarWindows(shape.calendar, shape.timeZone);
  if ('tumblingMs' in shape) return new AlignedWindows(shape.tumblingMs, shape.tumblingMs);
  return new AlignedWindows(shape.hoppingMs, shape.everyMs);
}

/** Equal windows that begin at the multiples of a step, counted from the epoch. */
class AlignedWindows implements Assigner {
  readonly form: readonly number[];
  readonly overlap: number;
  readonly leastStepMs: number;
  readonly #sizeMs: number;

  constructor(sizeMs: number, everyMs: number) {
    requireWholeMs(sizeMs, 'windows');
    requireWholeMs(everyMs, 'windows that begin every');
    const overlap = sizeMs / everyMs;
    if (!Number.isInteger(overlap) || overlap > MAX_OVERLAP) {
      throw new GatewayError(`Cannot make windows of ${sizeMs} ms that begin every ${everyMs} ms`, {
        hint: `The size is a whole multiple of the step, at most ${MAX_OVERLAP} times it.`,
      });
    }
    this.form = overlap === 1 ? [sizeMs] : [sizeMs, everyMs];
    this.overlap = overlap;
    this.leastStepMs = everyMs;
    this.#sizeMs = sizeMs;
  }

  /** Exact, as the remainder of two doubles is. */
  startOf(time: EpochMs): EpochMs {
    const into = time % this.leastStepMs;
    return into < 0 ? time - into - this.leastStepMs : time - into;
  }

  stepBack(start: EpochMs): EpochMs {
    return start - this.leastStepMs;
  }

  endOf(start: EpochMs): EpochMs {
    return start + this.#sizeMs;
  }
}

function requireWholeMs(ms: number, what: string): void {
  if (Number.isSafeInteger(ms) && ms >= 1) return;
  throw new GatewayError(`Cannot make ${what} of ${ms} ms`, {
    hint: 'That is a whole number of milliseconds, at least 1.',
  });
}
